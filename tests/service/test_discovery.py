"""Tests of `mosntx.service.discovery`: name servers, and discoveries in a Sidecar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogLevel
from twisted.names.client import Resolver
from zope.interface import implementer

from mosntx.config.problems import ConfigError
from mosntx.config.schema import Cluster, DnsResolvers, Host
from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.service.catalog import standardCatalog
from mosntx.service.discovery import MAX_RESOLVERS, nameserversOn
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.names import MemoryResolver
from tests.service.build import ANSWER, REQUEST, TEXT, ServiceCase


def withCluster(lines: str) -> str:
    """Return `TEXT` with a cluster of this type and these hosts."""
    before, _, _ = TEXT.partition("      type: SIMPLE\n")
    return f"{before}{lines}"


NAMED = withCluster("      type: STRICT_DNS\n      hosts: [{address: 'a.test:1'}]\n")


class NameserversTests(ServiceCase):
    """Which resolver a cluster has."""

    def test_shared(self) -> None:
        """Clusters that ask the same servers share a resolver, others do not."""
        make = nameserversOn(MemoryReactorClock())
        own = DnsResolvers(servers=("10.0.0.1",), timeout=2, attempts=3, search=("x",), ndots=2)
        first = make(Cluster(name="a", dns_resolvers=own))
        self.assertIs(make(Cluster(name="b", dns_resolvers=own)), first)
        self.assertIsInstance(first.resolver, Resolver)
        self.assertEqual(first.resolver.servers, [("10.0.0.1", 53)])
        self.assertEqual((first.timeouts, first.search, first.ndots), ((2, 2, 2), ("x",), 2))
        other = make(Cluster(name="a", dns_resolvers=DnsResolvers(servers=("10.0.0.2",))))
        self.assertIsNot(other, first)

    def test_system(self) -> None:
        """The system's servers stand behind the system's hosts file."""
        path = Path(self.mktemp())
        path.write_text("nameserver 10.0.0.7\n")
        found: Any = nameserversOn(MemoryReactorClock())(
            Cluster(name="a", dns_resolver_file=str(path))
        )
        hosts, server = found.resolver.resolvers
        self.assertEqual(server.servers, [("10.0.0.7", 53)])
        answers, _, _ = self.successResultOf(hosts.lookupAddress("localhost"))
        self.assertEqual(answers[0].payload.dottedQuad(), "127.0.0.1")

    def test_bounded(self) -> None:
        """Ever new servers, set at run time, do not pile up."""
        make = nameserversOn(MemoryReactorClock())
        first = DnsResolvers(servers=("10.0.0.1:1",))
        before = make(Cluster(name="c", dns_resolvers=first))
        for port in range(2, MAX_RESOLVERS + 2):
            make(Cluster(name="c", dns_resolvers=DnsResolvers(servers=(f"10.0.0.1:{port}",))))
        self.assertIsNot(make(Cluster(name="c", dns_resolvers=first)), before)


class SidecarTests(ServiceCase):
    """Clusters of a running Sidecar."""

    def mesh(self, text: str = NAMED, **options: Any) -> MemoryMesh:
        self.resolver = MemoryResolver()
        self.resolver.set("a.test", "10.0.0.1")
        self.resolver.held = options.pop("held", False)
        return MemoryMesh(text, nameservers=self.resolver.nameservers, **options)

    def test_trafficFollowsRecords(self) -> None:
        """A request goes to the address that the name has now."""
        mesh = self.mesh()
        client = mesh.client("in")
        for address in ("10.0.0.1", "10.0.0.2"):
            self.resolver.set("a.test", address)
            mesh.advance(6)
            client.send(REQUEST)
            self.assertEqual(mesh.dialled, [(address, 1)])
            mesh.upstream().send(ANSWER)
            self.assertTrue(client.take().endswith(b"ok"))

    def test_counted(self) -> None:
        """Answers are counted, and published, for each cluster."""
        mesh = self.mesh()
        self.assertEqual(mesh.value("update_success", cluster="c"), 1)
        mesh.sidecar.clusters.remove("c")
        self.assertEqual(mesh.value("update_success", cluster="c"), 0)

    def test_logical(self) -> None:
        """An open connection stays; a new one goes to the newest answer."""
        mesh = self.mesh(NAMED.replace("STRICT", "LOGICAL"))
        client, other = mesh.client("in"), mesh.client("in")
        client.send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.1", 1)])
        first = mesh.upstream()
        self.resolver.set("a.test", "10.0.0.2")
        mesh.advance(6)
        other.send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.2", 1)])
        mesh.upstream().send(ANSWER)
        first.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertFalse(first.closed)
        client.send(REQUEST)
        self.assertEqual(mesh.dialled, [])

    def test_file(self) -> None:
        """The hosts of a file are there from the first request on."""
        path = Path(self.mktemp())
        path.write_text("hosts: [{address: '10.0.0.3:3'}]")
        mesh = self.mesh(withCluster(f"      type: FILE\n      hosts_file: {path}\n"))
        mesh.client("in").send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.3", 3)])

    def test_stop(self) -> None:
        """A Sidecar that has stopped asks no more and has no timer; it may start again."""
        mesh = self.mesh()
        mesh.sidecar.stopService()
        mesh.advance(2)
        self.assertEqual(mesh.timers, 0)
        asked = len(self.resolver.asked)
        mesh.sidecar.startService()
        self.assertEqual(len(self.resolver.asked), asked + 1)

    def test_serverThatDoesNotAnswerDoesNotKeepUsFromServing(self) -> None:
        """After five seconds the Sidecar serves without the hosts of the name, and says so."""
        mesh = self.mesh(held=True)
        self.assertEqual(self.lines(LogLevel.warn), [])
        mesh.advance(5.1)
        self.assertIn("no answer about some hosts within 5 s", self.lines(LogLevel.warn)[-1])
        client = mesh.client("in")
        client.send(REQUEST)
        self.assertIn(b"502", client.take())
        self.resolver.release()
        client.send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.1", 1)])

    def test_positions(self) -> None:
        """What cannot be looked up is said with line and column."""
        error = self.assertRaises(ConfigError, self.mesh, NAMED.replace("a.test:1", "a..b"))
        (problem,) = error.problems
        self.assertEqual((problem.line, problem.column), (23, 25))

    def test_discoveryOfUsers(self) -> None:
        """A type of a user's own is a class and a row, and configuration knows its name."""

        @implementer(IDiscovery)
        class Fixed:
            def start(self, update: Any, settled: Any) -> None:
                update((Host(address="10.0.0.8:8"),))
                settled()

            def stop(self) -> None:
                pass

        @implementer(IDiscoveryFactory)
        class FixedFactory:
            name = "FIXED"
            usesHosts = True

            def build(self, config: Any, context: Any, before: Any) -> Fixed:
                return Fixed()

        catalog = standardCatalog().extended(discoveries=[FixedFactory()])
        mesh = self.mesh(NAMED.replace("STRICT_DNS", "FIXED"), catalog=catalog)
        mesh.client("in").send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.8", 8)])
