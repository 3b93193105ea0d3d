"""Tests of `mosntx.upstream.discovery.resolvconf`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, DnsResolvers
from mosntx.upstream.discovery.resolvconf import (
    MAX_SERVERS,
    ResolverSettings,
    parseResolvConf,
    resolverSettings,
)


class ResolvConfTests(SynchronousTestCase):
    """Whom to ask (resolv.conf(5))."""

    def test_file(self) -> None:
        """Servers, search list and options are understood; the rest is passed over."""
        found = parseResolvConf(
            "# comment\n"
            "nameserver 10.0.0.1\n"
            "nameserver 2001:db8::1\n"
            "nameserver not-an-address\n"
            "nameserver\n"
            "search svc.cluster.local cluster.local ; more\n"
            "options ndots:5 timeout:2 attempts:3 rotate ndots:x\n"
            "sortlist 10.0.0.0\n"
        )
        self.assertEqual(
            found,
            ResolverSettings(
                servers=(("10.0.0.1", 53), ("2001:db8::1", 53)),
                search=("svc.cluster.local", "cluster.local"),
                ndots=5,
                timeout=2,
                attempts=3,
            ),
        )

    def test_bounds(self) -> None:
        """Options beyond what the system's resolver takes are cut; so are servers."""
        lines = "".join(f"nameserver 10.0.0.{number}\n" for number in range(20))
        found = parseResolvConf(f"{lines}options ndots:99 timeout:0 attempts:99\n")
        self.assertEqual((found.ndots, found.timeout, found.attempts), (15, 1, 5))
        self.assertEqual(len(found.servers), MAX_SERVERS)

    def test_empty(self) -> None:
        """Nobody named is this machine."""
        self.assertEqual(parseResolvConf("", 5353).servers, (("127.0.0.1", 5353),))

    def test_cluster(self) -> None:
        """`dns_resolvers` count, and the system's hosts file then does not."""
        own: Any = DnsResolvers(
            servers=("10.0.0.1", "10.0.0.2:54", "::1", "[::1]:55"), port="53", search=("x",)
        )
        found = resolverSettings(Cluster(name="c", dns_resolvers=own))
        self.assertEqual(
            found.servers, (("10.0.0.1", 53), ("10.0.0.2", 54), ("::1", 53), ("::1", 55))
        )
        self.assertEqual((found.system, found.search), (False, ("x",)))

    def test_otherFile(self) -> None:
        """`dns_resolver_file` and `dns_resolver_port` stand in for the system's."""
        path = Path(self.mktemp())
        path.write_text("nameserver 10.0.0.7\n")
        cluster = Cluster(name="c", dns_resolver_file=str(path), dns_resolver_port=54)
        self.assertEqual(resolverSettings(cluster).servers, (("10.0.0.7", 54),))
        path.unlink()
        self.assertEqual(resolverSettings(cluster).servers, (("127.0.0.1", 54),))
