"""Tests of `mosntx.upstream.discovery.discoveries`."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
from twisted.internet.defer import CancelledError

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.testing.upstream import FakePool
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.clusters import Clusters, FoundHostsError
from mosntx.upstream.discovery.discoveries import Discoveries
from mosntx.upstream.discovery.file import HostsFileFactory
from mosntx.upstream.discovery.strict_dns import StrictDnsFactory
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK
from tests.upstream.discovery.build import DiscoveryCase, at


class DiscoveriesTests(DiscoveryCase):
    """A discovery lives as long as its cluster wants it."""

    def setUp(self) -> None:
        super().setUp()
        self.registered: list[Any] = []
        rows: Any = {row.name: row for row in (HostsFileFactory(), StrictDnsFactory())}
        self.discoveries = Discoveries(
            rows,
            lambda stats: attrs.evolve(self.context, stats=stats),
            self.registered.append,
            self.registered.remove,
        )
        self.pools: list[FakePool] = []
        self.clusters: Any = Clusters(
            balancers={"LB_ROUNDROBIN": RoundRobinFactory()},
            poolFactory=self.pool,
            random=Random(1),
            seconds=lambda: 0.0,
            watch=self.discoveries.changed,
            discovered={name: row.usesHosts for name, row in rows.items()},
        )
        self.resolver.set("a.test", "10.0.0.1")
        self.resolver.set("b.test", "10.0.0.2")
        self.cluster = ClusterConfig(
            name="c", type="STRICT_DNS", hosts=at("a.test:1"), dns_refresh_rate=1.0
        )

    def pool(self, host: Any, protocol: str) -> FakePool:
        self.pools.append(FakePool(host, protocol))
        return self.pools[-1]

    def hosts(self) -> list[str]:
        return [host.address for host in self.clusters.get("c").hosts]

    def test_start(self) -> None:
        """Clusters that are there get their hosts at the start, none before."""
        self.clusters.update(self.cluster)
        self.assertEqual((self.hosts(), self.resolver.asked), ([], []))
        self.discoveries.start()
        self.discoveries.start()
        self.assertEqual(self.hosts(), ["10.0.0.1:1"])
        self.assertEqual(len(self.resolver.asked), 1)

    def test_newCluster(self) -> None:
        """A cluster that comes at run time is looked up at once."""
        self.discoveries.start()
        self.clusters.update(self.cluster)
        self.assertEqual(self.hosts(), ["10.0.0.1:1"])
        self.assertEqual(len(self.registered), 1)

    def test_otherTypes(self) -> None:
        """Clusters whose hosts are given have no discovery."""
        self.discoveries.start()
        self.clusters.update(ClusterConfig(name="c", hosts=at("x:1")))
        self.assertEqual((self.hosts(), len(self.discoveries)), (["x:1"], 0))

    def test_removed(self) -> None:
        """With the cluster its questions, timers and stats are gone."""
        self.discoveries.start()
        self.clusters.update(self.cluster)
        self.clusters.remove("c")
        self.assertEqual((len(self.discoveries), self.registered), (0, []))
        self.assertEqual(self.wheel.active, 0)

    def test_settingsKeepHosts(self) -> None:
        """Other settings keep what is looked for, and the hosts, while the name is asked anew."""
        self.discoveries.start()
        cluster = self.clusters.update(self.cluster)
        cluster.limits.tryRequest()
        host = cluster.hosts[0]
        self.resolver.held = True
        other = attrs.evolve(self.cluster, hosts=(), connect_timeout=3.0)
        self.assertIs(self.clusters.update(other), cluster)
        self.assertIs(cluster.hosts[0], host)
        self.assertEqual(cluster.limits.requests, 1)
        self.assertEqual(cluster.config.hosts, self.cluster.hosts)
        self.assertEqual(len(self.discoveries), 1)

    def test_sameSettings(self) -> None:
        """The same settings again ask nothing."""
        self.discoveries.start()
        self.clusters.update(self.cluster)
        self.clusters.update(attrs.evolve(self.cluster))
        self.assertEqual(len(self.resolver.asked), 1)

    def test_namesAreChanged(self) -> None:
        """Hosts that are set, added or removed at run time are names to look up."""
        self.discoveries.start()
        self.clusters.update(self.cluster)
        self.clusters.appendHosts("c", at("b.test:1", "a.test:1"))
        self.assertEqual(self.hosts(), ["10.0.0.1:1", "10.0.0.2:1"])
        self.clusters.removeHosts("c", ["a.test:1", "unknown:1"])
        self.assertEqual(self.hosts(), ["10.0.0.2:1"])
        self.clusters.updateHosts("c", at("a.test:2"))
        self.assertEqual(self.hosts(), ["10.0.0.1:2"])
        self.clusters.update(self.cluster, at("b.test:9"))
        self.assertEqual(self.hosts(), ["10.0.0.2:9"])
        self.clusters.updateHosts("c", ())
        self.assertEqual(self.hosts(), [])

    def test_hostsOfFile(self) -> None:
        """Hosts of a file cannot be set by anything but the file."""
        self.clusters.update(ClusterConfig(name="c", type="FILE", hosts_file=self.mktemp()))
        with self.assertRaisesRegex(FoundHostsError, "FILE finds the hosts of cluster 'c'"):
            self.clusters.updateHosts("c", at("x:1"))

    def test_otherType(self) -> None:
        """A cluster that changes its type keeps its hosts until there are others."""
        self.discoveries.start()
        self.clusters.update(ClusterConfig(name="c", hosts=at("x:1")))
        self.resolver.held = True
        self.clusters.update(self.cluster)
        self.assertEqual(self.hosts(), ["x:1"])
        self.resolver.release()
        self.assertEqual(self.hosts(), ["10.0.0.1:1"])
        self.clusters.update(ClusterConfig(name="c"))
        self.assertEqual(self.hosts(), ["10.0.0.1:1"])
        self.assertEqual((len(self.discoveries), self.wheel.active), (0, 0))

    def test_otherTypeWithoutHosts(self) -> None:
        """Hosts of another type that are not said are those that were there."""
        self.discoveries.start()
        self.clusters.update(ClusterConfig(name="c", hosts=at("10.0.0.7:1", "a.test:1")))
        self.clusters.update(attrs.evolve(self.cluster, hosts=()))
        self.assertEqual(self.hosts(), ["10.0.0.1:1", "10.0.0.7:1"])

    def test_survivorsKeepHealthAndPools(self) -> None:
        """Of a changed answer, addresses that stay keep health and pools; others are drained."""
        self.discoveries.start()
        self.resolver.set("a.test", "10.0.0.1", "10.0.0.2")
        cluster = self.clusters.update(self.cluster)
        for host in cluster.hosts:
            host.pool("Http1")
        self.clusters.addresses.setFlag("10.0.0.1:1", FAILED_ACTIVE_CHECK)
        self.resolver.set("a.test", "10.0.0.1", "10.0.0.3")
        self.advance(1.3)
        self.assertEqual(self.hosts(), ["10.0.0.1:1", "10.0.0.3:1"])
        self.assertFalse(cluster.hosts[0].healthy)
        self.assertIs(cluster.hosts[0].pool("Http1"), self.pools[0])
        self.assertIsNone(self.pools[0].drained)
        self.assertIsNotNone(self.pools[1].drained)

    def test_settled(self) -> None:
        """One can wait until each cluster has its first answer or failure."""
        self.assertIsNone(self.successResultOf(self.discoveries.settled()))
        self.resolver.held = True
        self.clusters.update(self.cluster)
        self.discoveries.start()
        waiting, other = self.discoveries.settled(), self.discoveries.settled()
        self.assertNoResult(waiting)
        other.cancel()
        self.failureResultOf(other, CancelledError)
        self.resolver.release()
        self.successResultOf(waiting)

    def test_settledByRemoval(self) -> None:
        """Nobody waits for a cluster that has gone, nor for a stopped discovery."""
        self.resolver.held = True
        self.discoveries.start()
        self.clusters.update(self.cluster)
        waiting = self.discoveries.settled()
        self.clusters.remove("c")
        self.successResultOf(waiting)
        self.clusters.update(self.cluster)
        waiting = self.discoveries.settled()
        self.discoveries.stop()
        self.successResultOf(waiting)
        self.assertEqual(self.wheel.active, 0)

    def test_brokenDiscovery(self) -> None:
        """A discovery that cannot be made is logged, and nobody waits for it."""
        self.discoveries.start()
        self.clusters.update(ClusterConfig(name="c", type="FILE"))
        (failure,) = self.flushLoggedErrors(ValueError)
        self.assertIn("hosts_file", failure.getErrorMessage())
        self.successResultOf(self.discoveries.settled())

    def test_thousandUpdatesPerSecond(self) -> None:
        """Neither hosts, timers, pools, stats nor flags pile up when answers and names change."""
        self.discoveries.start()
        cluster = self.clusters.update(self.cluster)
        for number in range(1000):
            self.resolver.set("a.test", f"10.1.{number // 250}.{number % 250}")
            self.clusters.updateHosts(
                "c", at("a.test:1", "b.test:1" if number % 2 else "9.9.9.9:1")
            )
            for host in cluster.hosts:
                host.pool("Http1")
            for pool in self.pools:
                if pool.drained is not None and not pool.drained.called:
                    pool.drained.callback(None)
            self.pools = [pool for pool in self.pools if pool.drained is None]
        self.assertEqual(len(cluster.hosts), 2)
        self.assertEqual(len(self.clusters.addresses), 2)
        self.assertEqual((len(self.pools), len(cluster._leaving)), (2, 0))
        self.assertLessEqual(self.wheel.active, 2)
        self.assertEqual((len(self.registered), len(self.discoveries)), (1, 1))
