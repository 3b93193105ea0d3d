"""Tests of `mosntx.upstream.balancers.originaldst`."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster, OriginalDstLbConfig
from mosntx.contracts.upstream import ILoadBalancer, ILoadBalancerFactory
from mosntx.testing.upstream import FakeExchange, FakeHost, hosts
from mosntx.upstream.balancers.originaldst import OriginalDstFactory, addressOf
from mosntx.upstream.balancers.settings import BalancerSettings


class OriginalDstTests(SynchronousTestCase):
    """The host that the client names."""

    def chosen(self, wanted: dict[bytes, str], **config: Any) -> str | None:
        """The address that is chosen for a request."""
        settings = BalancerSettings(
            random=Random(1),
            seconds=Clock().seconds,
            config=Cluster(name="c", original_dst_lb_config=OriginalDstLbConfig(**config)),
            hostAt=FakeHost,
        )
        balancer = OriginalDstFactory().build(hosts(1), settings)
        exchange = FakeExchange()
        exchange.wanted = wanted
        host = balancer.chooseHost(exchange)
        self.assertIsNone(balancer.chooseHost(None))
        verifyObject(ILoadBalancer, balancer)
        return None if host is None else host.address

    def test_contract(self) -> None:
        """The factory provides its contract."""
        verifyObject(ILoadBalancerFactory, OriginalDstFactory())

    def test_host(self) -> None:
        """The authority names the host, port 80 when it says none."""
        for text, address in (
            ("a.example:8080", "a.example:8080"),
            ("a.example", "a.example:80"),
            ("[::1]:81", "[::1]:81"),
            ("[::1]", "[::1]:80"),
        ):
            self.assertEqual(self.chosen({b"host": text}, use_header=True), address)

    def test_header(self) -> None:
        """Another header may name it, in any case; an empty name is the authority."""
        wanted = {b"x-to": "10.0.0.9:1", b"host": "h:1"}
        self.assertEqual(self.chosen(wanted, use_header=True, header_name="X-To"), "10.0.0.9:1")
        self.assertEqual(self.chosen(wanted, use_header=True, header_name=""), "h:1")

    def test_redirected(self) -> None:
        """Without a header it is where the connection went."""
        wanted = {b"": "10.0.0.9:1", b"host": "h:1"}
        self.assertEqual(self.chosen(wanted), "10.0.0.9:1")
        self.assertIsNone(self.chosen({b"host": "h:1"}))

    def test_local(self) -> None:
        """The same port on this machine stands for the host."""
        found = self.chosen({b"host": "h:81"}, use_header=True, replace_local=True)
        self.assertEqual(found, "127.0.0.1:81")

    def test_comesBack(self) -> None:
        """A request that names this listener would come in again: it gets no host."""
        local = FakeExchange().local
        port = local.rpartition(":")[2]
        for text in (local, f"localhost:{port}", f"127.1.2.3:{port}", f"[::1]:{port}"):
            self.assertIsNone(self.chosen({b"host": text}, use_header=True))
        self.assertIsNone(self.chosen({b"host": f"x:{port}"}, use_header=True, replace_local=True))
        for text in (f"10.0.0.9:{port}", "127.0.0.1:1"):
            self.assertEqual(self.chosen({b"host": text}, use_header=True), text)

    def test_malformed(self) -> None:
        """What is no address of a host chooses none."""
        for text in (
            "",
            ":80",
            "h:0",
            "h:x",
            "h:99999",
            "unix:/s",
            "a b",
            "h:1/",
            "::1",
            "[::1",
            "h\xe9:80",
        ):
            self.assertEqual(addressOf(text, False), "")
            self.assertIsNone(self.chosen({b"host": text}, use_header=True))
