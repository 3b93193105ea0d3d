"""Tests of `mosntx.service.updates`: what holds for requests while clusters change.

The guarantees are those of spec/upstream.md 1 and 14.
"""

from __future__ import annotations

from typing import Any

from mosntx.config.problems import ConfigError
from mosntx.service.observe import effectiveConfig
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.names import MemoryResolver
from mosntx.upstream.clusters import FoundHostsError, UnknownClusterError
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK
from tests.service.build import ANSWER, REQUEST, TEXT, ServiceCase, inFlight

CHECK = {
    "service_name": "s",
    "protocol": "tcp",
    "interval": "60s",
    "initial_delay_seconds": "60s",
}


def hosts(*ports: int) -> list[dict[str, Any]]:
    return [{"address": f"127.0.0.1:{port}"} for port in ports]


class ClusterUpdateTests(ServiceCase):
    """A Sidecar whose cluster `c` changes."""

    def setUp(self) -> None:
        super().setUp()
        self.mesh = MemoryMesh(TEXT)
        self.updates = self.mesh.sidecar.clusterUpdates

    def cluster(self, name: str = "c") -> Any:
        return self.mesh.sidecar.clusters.get(name)

    def addresses(self, name: str = "c") -> list[str]:
        return [host.address for host in self.cluster(name).hosts]

    def test_newClusterIsThereAtOnce(self) -> None:
        """The next request to a cluster that was just added reaches it."""
        client = self.mesh.client("in")
        self.mesh.sidecar.clusters.remove("c")
        client.send(REQUEST)
        self.assertIn(b" 404 ", client.take())
        self.updates.update({"name": "c", "hosts": hosts(5)})
        client.send(REQUEST)
        self.assertEqual(self.mesh.dialled, [("127.0.0.1", 5)])

    def test_textAndObject(self) -> None:
        """Updates come as mappings, and as JSON or YAML."""
        self.updates.update('{"name": "j", "hosts": [{"address": "a:1"}]}')
        self.updates.update("name: y\nhosts: [{address: 'b:1'}]\n")
        self.assertEqual((self.addresses("j"), self.addresses("y")), (["a:1"], ["b:1"]))

    def test_inheritedHosts(self) -> None:
        """An update that does not speak of hosts never leaves the cluster without them."""
        seen: list[int] = []
        cluster = self.cluster()
        self.updates.update({"name": "c", "connect_timeout": "3s"})
        seen.append(len(cluster.hosts))
        self.assertIs(self.cluster(), cluster)
        self.assertEqual((seen, self.addresses()), ([1], ["127.0.0.1:2047"]))
        self.updates.update({"name": "c", "hosts": []})
        self.assertEqual(self.addresses(), [])

    def test_limitsKeepCounts(self) -> None:
        """New limits count what was under way before."""
        client, upstream = inFlight(self.mesh)
        self.updates.update({"name": "c", "circuit_breakers": [{"max_requests": 1}]})
        self.assertEqual(self.cluster().limits.requests, 1)
        other = self.mesh.client("in")
        other.send(REQUEST)
        self.assertIn(b" 503 ", other.take())
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        other.send(REQUEST)
        self.assertEqual(self.cluster().limits.requests, 1)

    def test_moreConnections(self) -> None:
        """A higher `max_connections` counts for hosts that are there (scenario 53: 8, then 9)."""
        limits = [{"max_connections": 8}]
        self.updates.update({"name": "c", "circuit_breakers": limits})
        for _ in range(9):
            self.mesh.client("in").send(REQUEST)
        for _ in range(8):
            self.mesh.upstream()
        self.assertEqual(self.mesh.dialled, [])
        self.updates.update({"name": "c", "circuit_breakers": [{"max_connections": 9}]})
        self.mesh.advance(0.05)
        self.assertEqual(len(self.mesh.dialled), 1)
        for _ in range(20):
            self.mesh.client("in").send(REQUEST)
        self.assertEqual(len(self.mesh.dialled), 9)

    def test_removedHost(self) -> None:
        """Requests on a host that is removed end in peace; no new one goes there."""
        client, upstream = inFlight(self.mesh)
        self.updates.appendHosts("c", hosts(5))
        self.updates.removeHosts("c", ["127.0.0.1:2047", "unknown:1"])
        other = self.mesh.client("in")
        for _ in range(3):
            other.send(REQUEST)
            self.assertEqual(self.mesh.dialled, [("127.0.0.1", 5)])
            other, _ = self.mesh.client("in"), self.mesh.upstream()
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        self.assertTrue(upstream.closed)

    def test_removedCluster(self) -> None:
        """A request to a cluster that is removed ends in peace, the next one finds none."""
        client, upstream = inFlight(self.mesh)
        self.updates.remove(["c"])
        upstream.send(ANSWER)
        self.assertTrue(client.take().endswith(b"ok"))
        client.send(REQUEST)
        self.assertIn(b" 404 ", client.take())

    def test_removeAllOrNone(self) -> None:
        """When one of several clusters is not there, none is removed."""
        with self.assertRaisesRegex(UnknownClusterError, "'x'"):
            self.updates.remove(["c", "x"])
        self.assertIsNotNone(self.cluster())

    def test_healthSurvives(self) -> None:
        """Addresses that stay keep what checks have found; those that come back start anew."""
        clusters = self.mesh.sidecar.clusters
        self.updates.updateHosts("c", hosts(1, 2))
        clusters.addresses.setFlag("127.0.0.1:1", FAILED_ACTIVE_CHECK)
        self.updates.updateHosts("c", [*hosts(1), "127.0.0.1:3"])
        self.assertEqual([host.healthy for host in self.cluster().hosts], [False, True])
        self.updates.updateHosts("c", hosts(3))
        self.updates.updateHosts("c", hosts(1))
        self.assertTrue(self.cluster().hosts[0].healthy)

    def test_balancerChangesAtOnce(self) -> None:
        """Another `lb_type` acts on the next request."""
        self.updates.update({"name": "c", "lb_type": "LB_ROUNDROBIN", "hosts": hosts(1, 2)})
        for _ in range(2):
            self.mesh.client("in").send(REQUEST)
        self.assertEqual(sorted(self.mesh.dialled), [("127.0.0.1", 1), ("127.0.0.1", 2)])

    def test_wrongUpdatesChangeNothing(self) -> None:
        """What is refused is refused whole."""
        before = self.cluster().config
        for wrong in (
            {"name": "c", "hosts": [{"address": "nowhere"}]},
            {"name": "c", "conect_timeout": "1s"},
            {"name": "c", "type": "SIMPEL"},
            {"hosts": hosts(1)},
        ):
            self.assertRaises(ConfigError, self.updates.update, wrong)
        for method in (self.updates.updateHosts, self.updates.appendHosts):
            self.assertRaises(ConfigError, method, "c", ["127.0.0.1:1", "nowhere"])
            self.assertRaises(UnknownClusterError, method, "x", hosts(1))
        self.assertRaises(UnknownClusterError, self.updates.removeHosts, "x", [])
        self.assertIs(self.cluster().config, before)
        self.assertEqual(self.addresses(), ["127.0.0.1:2047"])

    def test_hostsThatAreFound(self) -> None:
        """The hosts of a file are the file's."""
        self.updates.update({"name": "f", "type": "FILE", "hosts_file": self.mktemp()})
        self.assertRaises(FoundHostsError, self.updates.updateHosts, "f", hosts(1))

    def test_servicesAtRunTime(self) -> None:
        """Names without a port, and of SRV records, can be added to a cluster of names."""
        resolver = MemoryResolver()
        resolver.set("a.test", "10.0.0.1")
        resolver.setServices("_s._tcp.t", (0, 1, 9, "a.test"))
        mesh = MemoryMesh(TEXT, nameservers=resolver.nameservers)
        updates = mesh.sidecar.clusterUpdates
        updates.update({"name": "n", "type": "STRICT_DNS"})
        updates.appendHosts("n", ["a.test", {"address": "_s._tcp.t", "srv": True}])
        found: Any = mesh.sidecar.clusters.get("n")
        self.assertEqual([host.address for host in found.hosts], ["10.0.0.1:80", "10.0.0.1:9"])
        for wrong in ("http://a", {"address": "_s._tcp.t:1", "srv": True}):
            self.assertRaises(ConfigError, updates.appendHosts, "n", [wrong])
        srv = [{"address": "_s._tcp.t", "srv": True}]
        self.assertRaises(ConfigError, updates.appendHosts, "c", srv)

    def test_oneLogicalHost(self) -> None:
        """The name of a LOGICAL_DNS cluster can be replaced, and stays one."""
        resolver = MemoryResolver()
        resolver.set("a.test", "10.0.0.1")
        resolver.set("b.test", "10.0.0.2")
        mesh = MemoryMesh(TEXT, nameservers=resolver.nameservers)
        updates = mesh.sidecar.clusterUpdates
        updates.update({"name": "n", "type": "LOGICAL_DNS", "hosts": [{"address": "a.test:1"}]})
        updates.updateHosts("n", ["b.test:1"])
        found: Any = mesh.sidecar.clusters.get("n")
        self.assertEqual([host.address for host in found.hosts], ["b.test:1"])
        self.assertRaises(FoundHostsError, updates.updateHosts, "n", [])
        self.assertRaises(FoundHostsError, updates.appendHosts, "n", ["a.test:1"])
        self.assertRaises(FoundHostsError, updates.removeHosts, "n", ["b.test:1"])
        self.assertEqual([host.address for host in found.hosts], ["b.test:1"])

    def test_list(self) -> None:
        """One sees clusters and hosts as they are now."""
        inFlight(self.mesh)
        self.updates.appendHosts("c", [{"address": "b:1", "weight": 9, "hostname": "h"}])
        (found,) = self.updates.list()
        self.assertEqual((found["name"], found["type"], found["requests"]), ("c", "SIMPLE", 1))
        first, second = found["hosts"]
        self.assertEqual((first["address"], first["weight"], first["hostname"]), ("b:1", 9, "h"))
        self.assertEqual((first["connections"], second["connections"]), (0, 1))
        self.assertTrue(second["healthy"])

    def test_namesAtRunTime(self) -> None:
        """A cluster of names is looked up at once, and its names are not lost in the dump."""
        resolver = MemoryResolver()
        resolver.set("a.test", "10.0.0.1")
        mesh = MemoryMesh(TEXT, nameservers=resolver.nameservers)
        updates = mesh.sidecar.clusterUpdates
        updates.update({"name": "c", "type": "STRICT_DNS", "hosts": [{"address": "a.test:7"}]})
        mesh.client("in").send(REQUEST)
        self.assertEqual(mesh.dialled, [("10.0.0.1", 7)])
        dumped = effectiveConfig(mesh.sidecar)["cluster"]["c"]["hosts"]
        self.assertEqual([host["address"] for host in dumped], ["a.test:7"])
        self.assertEqual(updates.list()[0]["hosts"][0]["address"], "10.0.0.1:7")

    def test_thousandUpdatesInASecond(self) -> None:
        """Neither checkers nor timers, pools, flags or stats pile up with updates."""
        self.updates.update({"name": "c", "health_check": CHECK, "hosts": hosts(1, 2, 3)})
        self.mesh.advance(0.5)
        clusters, cluster = self.mesh.sidecar.clusters, self.cluster()
        wheel = self.mesh.sidecar._context.wheel
        timers, samples = wheel.active, len(list(self.mesh.sidecar.stats.samples()))
        for number in range(1000):
            last = 1000 + number % 7
            self.updates.updateHosts("c", hosts(1, 2, last))
            for host in cluster.hosts:
                host.pool("Http1")
            self.mesh.advance(0.001)
        self.updates.updateHosts("c", hosts(1, 2, 3))
        self.mesh.advance(0.1)
        self.assertEqual(len(clusters.addresses), 3)
        self.assertEqual(wheel.active, timers)
        self.assertEqual(len(cluster._leaving), 0)
        self.assertEqual(sum(len(host.pools()) for host in cluster.hosts), 2)
        self.assertEqual(len(list(self.mesh.sidecar.stats.samples())), samples)
