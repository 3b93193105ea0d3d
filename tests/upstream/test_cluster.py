"""Tests of `mosntx.upstream.cluster`."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import CircuitBreaker, OriginalDstLbConfig, TlsContext
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import ICluster
from mosntx.testing.upstream import FakeExchange, FakePool
from mosntx.upstream.balancers.originaldst import OriginalDstFactory
from mosntx.upstream.balancers.peakewma import PeakEwmaFactory
from mosntx.upstream.balancers.random import RandomChoice, RandomFactory
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.hosts import FAILED_OUTLIER, AddressTable


def at(*addresses: str, **more) -> list[HostConfig]:
    return [HostConfig(address=address, **more) for address in addresses]


def addresses(cluster: Cluster) -> list[str]:
    return [host.address for host in cluster.hosts]


class ClusterTests(SynchronousTestCase):
    """A cluster and its changes."""

    def setUp(self):
        self.clock = Clock()
        self.addresses = AddressTable()
        self.config = ClusterConfig(
            name="c",
            hosts=tuple(at("a:1", "b:1")),
            circuit_breakers=(CircuitBreaker(max_connections=8, max_requests=2, max_retries=3),),
        )
        self.cluster: Any = Cluster(
            self.config,
            balancer=RoundRobinFactory(),
            poolFactory=FakePool,
            random=Random(1),
            seconds=self.clock.seconds,
            addresses=self.addresses,
        )

    def chosen(self) -> set[str]:
        balancer = self.cluster.loadBalancer
        return {balancer.chooseHost(None).address for _ in range(50)}

    def test_interface(self):
        """It provides its contract."""
        verifyObject(ICluster, self.cluster)

    def test_new(self):
        """It has what is configured."""
        cluster = self.cluster
        self.assertEqual(
            (cluster.name, cluster.type, addresses(cluster)), ("c", "SIMPLE", ["a:1", "b:1"])
        )
        limits = cluster.limits
        self.assertEqual(
            (limits.maxConnections, limits.maxPending, limits.maxRequests, limits.maxRetries),
            (8, 1024, 2, 3),
        )
        self.assertIs(cluster.hosts[0].cluster, cluster)
        self.assertEqual(
            {stats.labels for stats in cluster.stats.hosts()},
            {(("cluster", "c"), ("host", "a:1")), (("cluster", "c"), ("host", "b:1"))},
        )
        self.assertEqual(self.chosen(), {"a:1", "b:1"})

    def test_duplicates(self):
        """Of hosts with one address the first counts (scenario 87)."""
        self.cluster.update([*at("x:1", weight=3), *at("y:1"), *at(*["x:1"] * 4)])
        self.assertEqual(addresses(self.cluster), ["x:1", "y:1"])
        self.assertEqual(self.cluster.hosts[0].weight, 3)

    def test_update(self):
        """Hosts that stay are the same; others drain; old snapshots stay (scenario 51)."""
        before = self.cluster.hosts
        kept, gone = before
        pool, leaving = kept.pool("Http1"), gone.pool("Http1")
        self.cluster.update(at("c:1", "a:1"))
        self.assertEqual(addresses(self.cluster), ["c:1", "a:1"])
        self.assertIs(self.cluster.hosts[1], kept)
        self.assertIs(kept.pool("Http1"), pool)
        self.assertIsNone(pool.drained)
        self.assertIsNotNone(leaving.drained)
        self.assertEqual([host.address for host in before], ["a:1", "b:1"])
        self.assertEqual(self.chosen(), {"c:1", "a:1"})
        self.assertIsNotNone(gone.pool("bolt").drained)

    def test_healthySince(self):
        """Hosts count as old at the start, and as new when they join others or come back."""
        self.clock.advance(100.0)
        self.cluster.update(at("a:1", "b:1", "n:1"))
        old, _, new = self.cluster.hosts
        self.assertEqual((old.healthySince, new.healthySince), (float("-inf"), 100.0))
        self.addresses.setFlag("a:1", FAILED_OUTLIER)
        self.clock.advance(50.0)
        self.addresses.clearFlag("a:1", FAILED_OUTLIER)
        self.assertEqual(old.healthySince, 150.0)
        self.cluster.update(at("a:1", weight=9))
        self.assertEqual(self.cluster.hosts[0].healthySince, 150.0)

    def test_failover(self):
        """A flag on an address moves requests to the next priority, and back."""
        self.cluster.update([*at("a:1"), *at("b:1", priority=1)])
        self.assertEqual(self.chosen(), {"a:1"})
        self.addresses.setFlag("a:1", FAILED_OUTLIER)
        self.assertEqual(self.chosen(), {"b:1"})
        self.cluster.update([*at("a:1"), *at("b:1", "c:1", priority=1)])
        self.assertEqual(self.chosen(), {"b:1", "c:1"})
        self.addresses.clearFlag("a:1", FAILED_OUTLIER)
        self.assertEqual(self.chosen(), {"a:1"})

    def test_members(self):
        """How many hosts there are, and how many are healthy, is published."""
        self.addresses.setFlag("a:1", FAILED_OUTLIER)
        found = {key: value for _, _, key, _, value in self.cluster.stats.samples()}
        self.assertEqual((found["membership_total"], found["membership_healthy"]), (2, 1))

    def test_elsewhere(self):
        """A balancer that knows addresses from requests gets hosts for them, until the end."""
        lb = OriginalDstLbConfig(use_header=True)
        config = attrs.evolve(self.config, original_dst_lb_config=lb)
        self.cluster.configure(config, OriginalDstFactory())
        exchange = FakeExchange()
        exchange.wanted[b"host"] = "far:81"
        host = self.cluster.loadBalancer.chooseHost(exchange)
        self.assertEqual((host.address, host.cluster), ("far:81", self.cluster))
        self.assertIs(self.cluster.loadBalancer.chooseHost(exchange), host)
        pool = host.pool("Http1")
        self.cluster.drain()
        self.assertIsNotNone(pool.drained)

    def test_latency(self):
        """How hosts answer is noted as long as the balancer wants to know."""
        host = self.cluster.hosts[0]
        self.assertIsNone(host.stats.latency)
        config = attrs.evolve(self.config, lb_type="LB_PEAK_EWMA")
        self.cluster.configure(config, PeakEwmaFactory())
        noted = host.stats.latency
        self.cluster.configure(config, PeakEwmaFactory())
        self.assertIsNotNone(noted)
        self.assertIs(host.stats.latency, noted)
        self.cluster.configure(self.config, RoundRobinFactory())
        self.assertEqual((host.stats.latency, self.cluster.stats.latency), (None, None))

    def test_sameHosts(self):
        """An update that changes nothing keeps the balancer; another order makes a new one."""
        before = self.cluster.loadBalancer
        self.cluster.update(at("a:1", "b:1"))
        self.assertIs(self.cluster.loadBalancer, before)
        self.cluster.update(at("b:1", "a:1"))
        self.assertIsNot(self.cluster.loadBalancer, before)

    def test_empty(self):
        """Without hosts nothing is chosen."""
        self.cluster.update([])
        self.assertIsNone(self.cluster.loadBalancer.chooseHost(None))
        self.assertEqual(len(self.addresses), 0)

    def test_health(self):
        """Health outlives updates of those that stay, not of those that leave."""
        self.addresses.setFlag("a:1", FAILED_OUTLIER)
        self.addresses.setFlag("b:1", FAILED_OUTLIER)
        self.cluster.update(at("a:1", weight=5))
        self.assertFalse(self.cluster.hosts[0].healthy)
        self.cluster.update(at("a:1", "b:1"))
        self.assertEqual([host.healthy for host in self.cluster.hosts], [False, True])
        self.addresses.clearFlag("a:1", FAILED_OUTLIER)
        self.assertTrue(self.cluster.hosts[0].healthy)
        self.assertEqual(len(self.addresses), 2)

    def test_changedHost(self):
        """A host with other settings is another object with the same stats and pools."""
        before = self.cluster.hosts[0]
        pool = before.pool("Http1")
        before.stats.request_total = 7
        self.cluster.update(at("a:1", metadata={"v": "2"}))
        after = self.cluster.hosts[0]
        self.assertEqual((before.metadata, after.metadata), ({}, {"v": "2"}))
        self.assertEqual(after.stats.request_total, 7)
        self.assertIs(after.pool("Http1"), pool)
        self.assertIsNone(pool.drained)

    def test_changedTls(self):
        """Without TLS a host gets pools of its own, and the others drain (scenario 54)."""
        pool = self.cluster.hosts[0].pool("Http1")
        self.cluster.update(at("a:1", tls_disable=True))
        self.assertIsNotNone(pool.drained)
        self.assertIsNone(self.cluster.hosts[0].pool("Http1").drained)

    def test_stats(self):
        """What a host that left has counted stays in the sums."""
        self.cluster.hosts[1].stats.request_total = 3
        self.cluster.update(at("a:1"))
        self.assertEqual(self.cluster.stats.totals().request_total, 3)
        self.assertEqual(len(list(self.cluster.stats.hosts())), 1)

    def test_configureLimits(self):
        """New limits meet the present counts (scenario 53)."""
        self.assertTrue(self.cluster.limits.tryRequest())
        limits = self.cluster.limits
        config = attrs.evolve(self.config, circuit_breakers=(CircuitBreaker(max_requests=1),))
        self.cluster.configure(config, RoundRobinFactory())
        self.assertIs(self.cluster.limits, limits)
        self.assertFalse(limits.tryRequest())
        self.assertEqual((limits.maxRequests, limits.maxConnections), (1, 0))

    def test_configureBalancer(self):
        """Another balancer acts at once, over the hosts there are."""
        hosts = self.cluster.hosts
        config = attrs.evolve(self.config, hosts=tuple(at("x:1")), type="EDS")
        self.cluster.configure(config, RandomFactory())
        self.assertIsInstance(self.cluster.loadBalancer, RandomChoice)
        self.assertIs(self.cluster.hosts, hosts)
        self.assertEqual(self.cluster.type, "EDS")
        self.cluster.update(at("y:1"))
        self.assertIsInstance(self.cluster.loadBalancer, RandomChoice)

    def test_configurePools(self):
        """Pools are renewed when what they are made from changes, and only then (scenario 54)."""
        host = self.cluster.hosts[0]
        changes = (
            ({"lb_type": "LB_RANDOM"}, False),
            ({"circuit_breakers": (CircuitBreaker(max_connections=9, max_requests=2),)}, True),
            ({"connect_timeout": 1.0}, True),
            ({"tls_context": TlsContext(status=True)}, True),
        )
        config = self.config
        for change, renewed in changes:
            pool = host.pool("Http1")
            config = attrs.evolve(config, **change)
            self.cluster.configure(config, RoundRobinFactory())
            self.assertEqual(pool.drained is not None, renewed, change)
            self.assertEqual(host.pool("Http1") is pool, not renewed)

    def test_drain(self):
        """Draining waits for all pools, also for those that were closing before."""
        first, second = (host.pool("Http1") for host in self.cluster.hosts)
        self.cluster.update(at("b:1"))
        done = self.cluster.drain()
        self.assertNoResult(done)
        second.drained.callback(None)
        self.assertNoResult(done)
        first.drained.callback(None)
        self.assertIsNone(self.successResultOf(done))

    def test_drainNothing(self):
        """Draining a cluster without connections is over at once."""
        self.assertIsNone(self.successResultOf(self.cluster.drain()))
        self.assertIn("0 hosts", repr(self.cluster))

    def test_many(self):
        """Updates with many hosts leave nothing behind."""
        for step in range(20):
            self.cluster.update(at(*(f"10.0.{step}.{n}:80" for n in range(100))))
        self.assertEqual(len(self.addresses), 100)
