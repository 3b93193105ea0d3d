"""Tests of `mosntx.upstream.discovery.strict_dns`."""

from __future__ import annotations

from typing import Any

from twisted.names import dns
from zope.interface.verify import verifyObject

from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.discovery.strict_dns import StrictDns, StrictDnsFactory
from tests.upstream.discovery.build import DiscoveryCase, at


class StrictDnsTests(DiscoveryCase):
    """Names become hosts, one for each record."""

    def make(self, *addresses: str, srv: bool = False, before: Any = None, **more: Any) -> Any:
        config = self.config(*at(*addresses, srv=srv), type="STRICT_DNS", **more)
        return self.begin(StrictDns(config, self.context, before))

    def test_interfaces(self) -> None:
        """Discovery and factory keep their contracts, and the factory makes the discovery."""
        factory = StrictDnsFactory()
        verifyObject(IDiscoveryFactory, factory)
        made = factory.build(self.config(*at("a:1")), self.context, None)
        verifyObject(IDiscovery, made)

    def test_oneHostPerRecord(self) -> None:
        """Each A record is a host, sorted by address; the name is its label."""
        self.resolver.set("a.test", "10.0.0.2", "10.0.0.1")
        self.make("a.test:8080")
        self.assertEqual(self.addresses(), ["10.0.0.1:8080", "10.0.0.2:8080"])
        self.assertEqual({host.hostname for host in self.sets[-1]}, {"a.test"})
        self.assertEqual(self.resolver.asked, [("a.test", dns.A)])
        self.assertEqual(self.settled, 1)

    def test_hostsKeepWhatTheirNameHas(self) -> None:
        """Weight, metadata and label of the name are those of each of its hosts."""
        self.resolver.set("a.test", "10.0.0.1")
        name = at("a.test:1", weight=7, metadata={"zone": "x"}, hostname="label", tls_disable=True)
        self.begin(StrictDns(self.config(*name), self.context))
        (host,) = self.sets[-1]
        self.assertEqual(
            (host.weight, host.metadata, host.hostname, host.tls_disable),
            (7, {"zone": "x"}, "label", True),
        )

    def test_families(self) -> None:
        """A is asked for by default, AAAA or both on demand; IPv6 addresses get brackets."""
        self.resolver.set("a.test", "10.0.0.1", "2001:db8::1")
        for family, expected in (
            ("", ["10.0.0.1:1"]),
            ("V4_ONLY", ["10.0.0.1:1"]),
            ("V6_ONLY", ["[2001:db8::1]:1"]),
            ("ALL", ["10.0.0.1:1", "[2001:db8::1]:1"]),
        ):
            self.make("a.test:1", dns_lookup_family=family)
            self.assertEqual(self.addresses(), expected, family)

    def test_literalsAndDefaultPort(self) -> None:
        """IP addresses are used as they are, at once; a name without a port has 80."""
        self.resolver.held = True
        self.resolver.set("a.test", "10.0.0.9")
        self.make("10.0.0.1:1", "[2001:db8::1]:2", "a.test")
        self.assertEqual(self.addresses(), ["10.0.0.1:1", "[2001:db8::1]:2"])
        self.assertEqual(self.settled, 0)
        self.resolver.release()
        self.assertEqual(self.addresses(), ["10.0.0.1:1", "10.0.0.9:80", "[2001:db8::1]:2"])
        self.assertEqual(self.settled, 1)

    def test_changedAnswer(self) -> None:
        """Another answer is another set; the same answer in another order is none."""
        self.resolver.set("a.test", "10.0.0.1", "10.0.0.2")
        self.make("a.test:1", dns_refresh_rate=1.0)
        self.resolver.set("a.test", "10.0.0.2", "10.0.0.1")
        self.advance(1.3)
        self.assertEqual(len(self.sets), 1)
        self.resolver.set("a.test", "10.0.0.3")
        self.advance(1.3)
        self.assertEqual(self.addresses(), ["10.0.0.3:1"])
        self.assertEqual(len(self.sets), 2)

    def test_lastGoodAnswerIsKept(self) -> None:
        """Hosts stay when the name servers fail in any way, or know the name no longer."""
        self.resolver.set("a.test", "10.0.0.1")
        self.make("a.test:1", dns_refresh_rate=1.0)
        for broken in ("timeout", "server"):
            self.resolver.broken = broken
            self.advance(2.5)
        self.resolver.broken = ""
        self.resolver.forget("a.test")
        self.advance(2.5)
        self.resolver.set("a.test")
        self.advance(2.5)
        self.assertEqual(len(self.sets), 1)
        self.assertGreaterEqual(self.stats.update_failure, 4)
        self.assertGreaterEqual(self.stats.update_empty, 4)
        self.assertEqual(self.stats.update_success, 1)

    def test_oneFamilyFails(self) -> None:
        """A server that knows only A records does not keep a name with both families from use."""
        self.resolver.set("a.test", "10.0.0.1", "2001:db8::1")
        self.make("a.test:1", dns_lookup_family="ALL", dns_refresh_rate=1.0)
        self.resolver.set("a.test", "10.0.0.2")
        self.advance(1.3)
        self.assertEqual(self.addresses(), ["10.0.0.2:1"])

    def test_oneFamilyIsInTrouble(self) -> None:
        """A server that fails for one kind of address takes neither kind away."""
        self.resolver.set("a.test", "10.0.0.1", "2001:db8::1")
        self.make("a.test:1", dns_lookup_family="ALL", dns_refresh_rate=1.0)
        self.resolver.failing.add(("a.test", dns.AAAA))
        self.resolver.set("a.test", "10.0.0.2", "2001:db8::2")
        self.advance(1.3)
        self.assertEqual(self.addresses(), ["10.0.0.2:1", "[2001:db8::1]:1"])
        self.resolver.failing.add(("a.test", dns.A))
        self.advance(1.3)
        self.assertEqual(len(self.sets), 2)
        self.assertEqual(self.stats.update_failure, 1)

    def test_serviceWithNameInTrouble(self) -> None:
        """A name of a service that cannot be asked for just now keeps all hosts as they are."""
        self.resolver.setServices("_s._tcp.t", (0, 1, 1, "a.t"), (0, 1, 2, "b.t"))
        self.resolver.set("a.t", "10.0.0.1")
        self.resolver.set("b.t", "10.0.0.2")
        self.make("_s._tcp.t", srv=True, dns_refresh_rate=1.0)
        self.resolver.failing.add(("b.t", dns.A))
        self.resolver.set("a.t", "10.0.0.9")
        self.advance(1.3)
        self.assertEqual(self.addresses(), ["10.0.0.1:1", "10.0.0.2:2"])
        self.assertEqual(self.stats.update_failure, 1)

    def test_severalNames(self) -> None:
        """The hosts of all names are merged; one that fails does not take those of others away."""
        self.resolver.set("a.test", "10.0.0.1", "10.0.0.2")
        self.resolver.set("b.test", "10.0.0.2", "10.0.0.3")
        self.make("a.test:1", "b.test:1", dns_refresh_rate=1.0)
        self.assertEqual(self.addresses(), ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])
        self.resolver.forget("b.test")
        self.resolver.set("a.test", "10.0.0.1")
        self.advance(1.3)
        self.assertEqual(self.addresses(), ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"])
        self.assertEqual({h.hostname for h in self.sets[-1]}, {"a.test", "b.test"})

    def test_services(self) -> None:
        """SRV records say ports and weights; of the priorities the best one counts."""
        name = "_grpc._tcp.s.test"
        self.resolver.setServices(
            name,
            (10, 60, 5001, "a.test"),
            (10, 20, 5002, "b.test"),
            (20, 50, 5003, "c.test"),
        )
        for number, host in enumerate(("a.test", "b.test", "c.test")):
            self.resolver.set(host, f"10.0.0.{number}")
        self.make(name, srv=True)
        self.assertEqual(
            [(host.address, host.weight, host.srv) for host in self.sets[-1]],
            [("10.0.0.0:5001", 60, False), ("10.0.0.1:5002", 20, False)],
        )
        self.assertNotIn(("c.test", dns.A), self.resolver.asked)

    def test_largeServiceWeights(self) -> None:
        """Weights above 128 keep their proportion, and the smallest is not rounded to nothing."""
        self.resolver.setServices(
            "_s._tcp.t", (0, 60000, 1, "a.t"), (0, 30000, 2, "a.t"), (0, 1, 3, "a.t")
        )
        self.resolver.set("a.t", "10.0.0.1")
        self.make("_s._tcp.t", srv=True)
        self.assertEqual([host.weight for host in self.sets[-1]], [128, 64, 1])

    def test_serviceNotOffered(self) -> None:
        """A single SRV record with the name . says that there is no such service (RFC 2782)."""
        self.resolver.setServices("_s._tcp.t", (0, 0, 1, ""))
        self.make("_s._tcp.t", srv=True)
        self.assertEqual(self.sets, [()])
        self.assertEqual(self.stats.update_empty, 1)

    def test_serviceWithMissingName(self) -> None:
        """A name of a service that does not exist does not hide the others."""
        self.resolver.setServices("_s._tcp.t", (0, 1, 1, "gone.t"), (0, 1, 2, "a.t"))
        self.resolver.set("a.t", "10.0.0.1")
        self.make("_s._tcp.t", srv=True)
        self.assertEqual(self.addresses(), ["10.0.0.1:2"])

    def test_replaced(self) -> None:
        """The discovery that replaces another begins with its answers, for names that stay."""
        self.resolver.set("a.test", "10.0.0.1")
        self.resolver.set("b.test", "10.0.0.2")
        before = self.make("a.test:1", "b.test:1")
        before.stop()
        self.resolver.held = True
        self.make("a.test:2", "c.test:1", before=before)
        self.assertEqual(self.addresses(), ["10.0.0.1:2"])

    def test_stop(self) -> None:
        """After the end nothing is asked, said or left to be done."""
        self.resolver.held = True
        self.resolver.set("a.test", "10.0.0.1")
        discovery = self.make("a.test:1")
        discovery.stop()
        self.assertEqual(self.resolver.cancelled, 1)
        self.resolver.release()
        self.advance(60)
        self.assertEqual((self.sets, len(self.resolver.asked)), ([], 1))
        self.assertEqual(self.wheel.active, 0)
