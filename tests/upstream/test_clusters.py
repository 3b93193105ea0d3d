"""Tests of `mosntx.upstream.clusters`."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IClusters
from mosntx.testing.upstream import FakePool
from mosntx.upstream.balancers.random import RandomChoice, RandomFactory
from mosntx.upstream.balancers.roundrobin import RoundRobin, RoundRobinFactory
from mosntx.upstream.clusters import Clusters, UnknownClusterError
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK


def at(*addresses: str, **more) -> tuple[HostConfig, ...]:
    return tuple(HostConfig(address=address, **more) for address in addresses)


class ClustersTests(SynchronousTestCase):
    """Clusters by name (spec/upstream.md 1)."""

    def setUp(self):
        self.clock = Clock()
        factories = [RoundRobinFactory(), RandomFactory()]
        self.clusters: Any = Clusters(
            balancers={factory.name: factory for factory in factories},
            poolFactory=FakePool,
            random=Random(1),
            seconds=self.clock.seconds,
        )
        self.config = ClusterConfig(name="c", hosts=at("b:1", "a:1"))
        self.cluster: Any = self.clusters.update(self.config)

    def hosts(self, name: str = "c") -> list[str]:
        cluster: Any = self.clusters.get(name)
        return [host.address for host in cluster.hosts]

    def test_interface(self):
        """It provides its contract."""
        verifyObject(IClusters, self.clusters)

    def test_get(self):
        """Clusters are found by name."""
        self.assertIs(self.clusters.get("c"), self.cluster)
        self.assertIsNone(self.clusters.get("x"))
        self.clusters.update(ClusterConfig(name="a"))
        self.assertEqual(self.clusters.names(), ["a", "c"])

    def test_updateKeepsHosts(self):
        """A cluster that is configured again keeps its hosts, whatever the configuration says."""
        config = attrs.evolve(self.config, hosts=at("x:1"), lb_type="LB_RANDOM")
        self.assertIs(self.clusters.update(config), self.cluster)
        self.assertEqual(self.hosts(), ["b:1", "a:1"])
        self.assertIsInstance(self.cluster.loadBalancer, RandomChoice)

    def test_updateWithHosts(self):
        """Hosts that are given replace those there are, of new clusters and known ones."""
        self.clusters.update(self.config, at("x:1"))
        self.assertEqual(self.hosts(), ["x:1"])
        self.clusters.update(ClusterConfig(name="n", hosts=at("y:1")), at("z:1"))
        self.assertEqual(self.hosts("n"), ["z:1"])

    def test_unknownBalancer(self):
        """A balancer that nobody has is round robin, as in MOSN."""
        cluster = self.clusters.update(ClusterConfig(name="n", lb_type="LB_OTHER"))
        self.assertIsInstance(cluster.loadBalancer, RoundRobin)

    def test_updateHosts(self):
        """All hosts are replaced."""
        self.clusters.updateHosts("c", at("x:1"))
        self.assertEqual(self.hosts(), ["x:1"])

    def test_appendHosts(self):
        """New hosts stand first and win over those of the same address."""
        self.clusters.appendHosts("c", at("n:1", "a:1", weight=9))
        self.assertEqual(self.hosts(), ["n:1", "a:1", "b:1"])
        self.assertEqual([host.weight for host in self.cluster.hosts], [9, 9, 1])

    def test_removeHosts(self):
        """Hosts are removed by address; the rest is sorted, unknown ones do not matter."""
        self.clusters.appendHosts("c", at("d:1"))
        self.clusters.removeHosts("c", ["b:1", "nobody:1"])
        self.assertEqual(self.hosts(), ["a:1", "d:1"])

    def test_unknown(self):
        """Changing hosts of an unknown cluster is an error."""
        for call in (
            lambda: self.clusters.updateHosts("x", []),
            lambda: self.clusters.appendHosts("x", []),
            lambda: self.clusters.removeHosts("x", []),
        ):
            self.assertRaises(UnknownClusterError, call)

    def test_remove(self):
        """Removed clusters are gone and their pools drain."""
        pool = self.cluster.hosts[0].pool("Http1")
        self.clusters.remove("c", "c")
        self.assertIsNone(self.clusters.get("c"))
        self.assertIsNotNone(pool.drained)

    def test_removeUnknown(self):
        """One unknown name, and none is removed (scenario 52)."""
        error = self.assertRaises(UnknownClusterError, self.clusters.remove, "c", "x")
        self.assertIn("'x'", str(error))
        self.assertIs(self.clusters.get("c"), self.cluster)

    def test_health(self):
        """An address that fails in one cluster fails in all (scenario 98)."""
        other = self.clusters.update(ClusterConfig(name="o", hosts=at("a:1")))
        self.clusters.addresses.setFlag("a:1", FAILED_ACTIVE_CHECK)
        self.assertEqual([host.healthy for host in self.cluster.hosts], [True, False])
        self.assertFalse(other.hosts[0].healthy)
        self.clusters.remove("o", "c")
        self.assertEqual(len(self.clusters.addresses), 0)

    def test_drain(self):
        """Draining removes all and waits for every pool, also of clusters removed before."""
        self.clusters.update(ClusterConfig(name="o", hosts=at("x:1")))
        pools = [self.clusters.get(name).hosts[0].pool("Http1") for name in ("c", "o")]
        self.clusters.remove("o")
        done = self.clusters.drain()
        self.assertEqual(self.clusters.names(), [])
        for pool in pools:
            self.assertNoResult(done)
            pool.drained.callback(None)
        self.assertIsNone(self.successResultOf(done))
