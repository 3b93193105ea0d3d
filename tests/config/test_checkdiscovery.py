"""Tests of `mosntx.config.checkdiscovery`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import Problem
from tests.config.samples import minimal, problemsOf

CLUSTER = "cluster_manager.clusters[0]"


def problems(**more: Any) -> list[Problem]:
    """What is wrong with a cluster that has these keys."""
    obj = minimal()
    obj["cluster_manager"]["clusters"][0].update(more)
    return list(problemsOf(obj))


def found(**more: Any) -> list[tuple[str, str]]:
    """Severity and key of each problem."""
    return [(one.severity, one.path.removeprefix(f"{CLUSTER}.")) for one in problems(**more)]


def hosts(*addresses: str, **more: Any) -> list[dict[str, Any]]:
    return [{"address": address, **more} for address in addresses]


class DiscoveryCheckTests(SynchronousTestCase):
    """Clusters whose hosts are found."""

    def test_names(self) -> None:
        """Names with and without a port and IP addresses can be looked up; URLs cannot."""
        good = hosts("a.test:1", "a.test", "10.0.0.1:1", "[::1]:1")
        self.assertEqual(found(type="STRICT_DNS", hosts=good), [])
        for bad in ("", "a:0", ":80", "http://a", "a..b", "unix:/x", "1.2.3", "::1"):
            wrong = found(type="STRICT_DNS", hosts=hosts(bad))
            self.assertEqual(wrong, [("error", "hosts[0].address")], bad)

    def test_services(self) -> None:
        """SRV records have names without a port, and only STRICT_DNS asks for them."""
        name = hosts("_grpc._tcp.a.test", srv=True)
        self.assertEqual(found(type="STRICT_DNS", hosts=name), [])
        (problem,) = problems(type="STRICT_DNS", hosts=hosts("_grpc._tcp.a.test:1", srv=True))
        self.assertIn("SRV records say the port", problem.message)
        self.assertEqual(problem.fix, "write '_service._tcp.name'")
        for other in ("SIMPLE", "LOGICAL_DNS"):
            wrong = found(type=other, hosts=hosts("a.test:1", srv=True))
            self.assertEqual(wrong, [("error", "hosts[0].srv")])

    def test_oneLogicalHost(self) -> None:
        """LOGICAL_DNS has one connection target."""
        self.assertEqual(found(type="LOGICAL_DNS", hosts=hosts("a.test:1")), [])
        wrong = found(type="LOGICAL_DNS", hosts=hosts("a.test:1", "b.test:1"))
        self.assertEqual(wrong, [("error", "hosts")])
        self.assertEqual(found(type="LOGICAL_DNS", hosts=[]), [("error", "hosts")])

    def test_file(self) -> None:
        """FILE needs a file and no hosts; other types have no use for a file."""
        self.assertEqual(found(type="FILE", hosts=[], hosts_file="x"), [])
        self.assertEqual(found(type="FILE", hosts=[]), [("error", "type")])
        self.assertEqual(found(type="FILE", hosts_file="x"), [("warning", "hosts")])
        self.assertEqual(found(hosts_file="x"), [("warning", "hosts_file")])

    def test_intervals(self) -> None:
        """Questions without a pause are a mistake of the unit."""
        self.assertEqual(found(dns_refresh_rate="5ms"), [("error", "dns_refresh_rate")])
        self.assertEqual(found(hosts_file_interval="1ms"), [("error", "hosts_file_interval")])
        self.assertEqual(found(dns_refresh_rate="100ms", hosts_file_interval="100ms"), [])

    def test_servers(self) -> None:
        """Name servers are IP addresses: nobody could look up their names."""
        names = hosts("a.test:1")
        good = {"servers": ["10.0.0.1", "10.0.0.1:54", "::1", "[::1]:54"], "port": 53}
        self.assertEqual(found(type="STRICT_DNS", hosts=names, dns_resolvers=good), [])
        for bad in ("ns.test", "10.0.0.1:x", "10.0.0.1:0", "", "10.0.0"):
            wrong = found(type="STRICT_DNS", hosts=names, dns_resolvers={"servers": [bad]})
            self.assertEqual(wrong, [("error", "dns_resolvers.servers[0]")], bad)

    def test_numbers(self) -> None:
        """Ports, timeouts and repetitions that cannot be."""
        for key, bad in (
            ("port", "x"),
            ("port", 0),
            ("timeout", 0),
            ("attempts", 0),
            ("ndots", -1),
        ):
            wrong = found(dns_resolvers={key: bad})
            self.assertEqual(wrong, [("error", f"dns_resolvers.{key}")])
        self.assertEqual(found(dns_resolver_port=70000), [("error", "dns_resolver_port")])

    def test_missingResolverFile(self) -> None:
        """A file of name servers that is not there is a warning: it may come later."""
        more: dict[str, Any] = {"type": "STRICT_DNS", "hosts": hosts("a.test:1")}
        wrong = found(**more, dns_resolver_file=self.mktemp())
        self.assertEqual(wrong, [("warning", "dns_resolver_file")])
