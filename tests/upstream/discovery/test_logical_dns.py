"""Tests of `mosntx.upstream.discovery.logical_dns`."""

from __future__ import annotations

from typing import Any

from zope.interface.verify import verifyObject

from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.discovery.logical_dns import LogicalDns, LogicalDnsFactory
from tests.upstream.discovery.build import DiscoveryCase, at


class LogicalDnsTests(DiscoveryCase):
    """One host whose connections go to the newest answer."""

    def make(self, *addresses: str, before: Any = None, **more: Any) -> LogicalDns:
        config = self.config(*at(*addresses), type="LOGICAL_DNS", dns_refresh_rate=1.0, **more)
        made: LogicalDns = self.begin(LogicalDns(config, self.context, before))
        return made

    def resolved(self, name: str = "a.test") -> Any:
        """Return where a connect to the name would go."""
        return self.successResultOf(self.names.resolve(name))

    def test_interfaces(self) -> None:
        """Discovery and factory keep their contracts."""
        factory = LogicalDnsFactory()
        verifyObject(IDiscoveryFactory, factory)
        made = factory.build(self.config(*at("a:1")), self.context, None)
        verifyObject(IDiscovery, made)

    def test_newestAnswer(self) -> None:
        """The host stays the same; where the next connection goes is the newest answer."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:443")
        self.assertEqual(self.addresses(), ["a.test:443"])
        self.assertEqual(self.resolved(), ("10.0.0.1",))
        self.resolver.set("a.test", "10.0.0.2", "10.0.0.3")
        self.advance(1.3)
        self.assertEqual(len(self.sets), 1)
        self.assertEqual(self.resolved(), ("10.0.0.2", "10.0.0.3"))

    def test_lastGoodAnswerIsKept(self) -> None:
        """A failure changes nothing."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:443")
        self.resolver.broken = "server"
        self.advance(5)
        self.assertEqual(self.resolved(), ("10.0.0.1",))

    def test_noAnswerYet(self) -> None:
        """Without any answer there is no host, and nobody is asked instead."""
        self.resolver.broken = "timeout"
        self.make("a.test:443")
        self.assertEqual((self.sets, self.settled), ([], 1))

    def test_literal(self) -> None:
        """An IP address is used as it is."""
        self.make("10.0.0.1:1")
        self.assertEqual((self.addresses(), self.settled), (["10.0.0.1:1"], 1))

    def test_oneHost(self) -> None:
        """Two names, or none, cannot be one connection target."""
        for hosts in ((), ("a:1", "b:1")):
            with self.assertRaisesRegex(ValueError, "needs one host"):
                LogicalDns(self.config(*at(*hosts)), self.context)

    def test_replaced(self) -> None:
        """The discovery that replaces another goes on with its answer."""
        self.resolver.set("a.test", "10.0.0.1")
        before = self.make("a.test:443")
        before.stop()
        self.resolver.held = True
        self.make("a.test:444", before=before)
        self.assertEqual(self.addresses(), ["a.test:444"])
        self.assertEqual(self.resolved(), ("10.0.0.1",))

    def test_stop(self) -> None:
        """After the end nothing is asked, and the name is nobody's."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:443").stop()
        self.advance(10)
        self.assertEqual(len(self.resolver.asked), 1)
        self.assertEqual(self.wheel.active, 0)
        self.names.unpin("a.test", self)  # nothing is left to take back
        self.assertEqual(self.names._pinned, {})
