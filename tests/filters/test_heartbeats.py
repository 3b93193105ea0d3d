"""Tests of `mosntx.filters.heartbeats`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import (
    Route,
    RouteAction,
    RouterConfig,
    VirtualHost,
    WeightedCluster,
)
from mosntx.config.schema.router import ClusterWeight
from mosntx.filters.heartbeats import (
    PROBE_TIMEOUT,
    SHARE_TIMEOUT,
    HostsProbe,
    SharedResult,
    healthyEnough,
    routedClusters,
)
from mosntx.net.timers import TICK, TimerWheel
from mosntx.testing.upstream import FakeCluster, FakeHost, hosts


class FakeHeartbeats:
    """The client's end of a connection: a test answers its heartbeats.

    :ivar open: number -> who waits.
    """

    def __init__(self) -> None:
        self.open: dict[int, Callable[[int | None], object]] = {}
        self.sent = 0

    def heartbeat(self, answered: Callable[[int | None], object]) -> int:
        """See `ClientConnection.heartbeat`."""
        self.sent += 1
        self.open[self.sent] = answered
        return self.sent

    def forgetHeartbeat(self, number: int) -> None:
        """See `ClientConnection.forgetHeartbeat`."""
        self.open.pop(number, None)

    def answer(self, status: int | None = 0) -> None:
        """Answer the oldest heartbeat."""
        self.open.pop(min(self.open))(status)


class NamedClusters:
    """Clusters by name."""

    def __init__(self, *clusters: FakeCluster) -> None:
        self.clusters = {cluster.name: cluster for cluster in clusters}

    def get(self, name: str) -> Any:
        """See `IClusters.get`."""
        return self.clusters.get(name)

    def names(self) -> list[str]:
        """See `IClusters.names`."""
        return sorted(self.clusters)


def clusterOf(healthy: int, ill: int, name: str = "c") -> FakeCluster:
    """Return a cluster with so many hosts."""
    count = healthy + ill
    return FakeCluster(name, hosts(*[1] * count, unhealthy=range(healthy, count)))


class HealthyEnoughTests(SynchronousTestCase):
    """Percentages of healthy hosts."""

    def test_edges(self) -> None:
        """Exactly the percentage is enough; less is not."""
        for healthy, ill, least, enough in (
            (7, 3, 70, True),
            (7, 3, 70.1, False),
            (6, 4, 70, False),
            (2, 1, 66.6, True),
            (2, 1, 66.7, False),
            (3, 0, 100, True),
            (2, 1, 100, False),
            (0, 3, 0, True),
            (0, 3, 0.1, False),
            (1, 2, 33, True),
            (0, 0, 0, True),
            (0, 0, 0.1, False),
            (0, 0, 100, False),
        ):
            clusters: Any = NamedClusters(clusterOf(healthy, ill))
            found = healthyEnough(clusters, {"c": least})
            self.assertEqual(found, enough, (healthy, ill, least))

    def test_missing(self) -> None:
        """A cluster that does not exist fails, even for 0."""
        self.assertFalse(healthyEnough(NamedClusters(), {"c": 0}))  # type: ignore[arg-type]

    def test_nothing(self) -> None:
        """Nothing configured is well."""
        self.assertTrue(healthyEnough(NamedClusters(), {}))  # type: ignore[arg-type]

    def test_all(self) -> None:
        """Every cluster must have enough."""
        clusters: Any = NamedClusters(clusterOf(1, 0, "a"), clusterOf(1, 1, "b"))
        self.assertTrue(healthyEnough(clusters, {"a": 100, "b": 50}))
        self.assertFalse(healthyEnough(clusters, {"a": 100, "b": 51}))
        self.assertTrue(healthyEnough(clusters, {"a": 100}))


class RoutedClustersTests(SynchronousTestCase):
    """The clusters of a router."""

    def test_names(self) -> None:
        """Plain and weighted routes are looked at; routes that answer themselves name none."""
        weighted = tuple(WeightedCluster(cluster=ClusterWeight(name=name)) for name in "bc")
        config = RouterConfig(
            virtual_hosts=(
                VirtualHost(
                    domains=("*",),
                    routers=(
                        Route(route=RouteAction(cluster_name="a")),
                        Route(route=RouteAction(cluster_name="x", weighted_clusters=weighted)),
                        Route(),
                        Route(route=RouteAction(cluster_name="a")),
                    ),
                ),
                VirtualHost(domains=("d",)),
            )
        )
        self.assertEqual(routedClusters(config), {"a", "b", "c"})

    def test_none(self) -> None:
        """There may be no router yet."""
        self.assertEqual(routedClusters(None), frozenset())


class SharedResultTests(SynchronousTestCase):
    """One result for many."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.result = SharedResult(self.wheel, 10.0)
        self.heard: list[tuple[str, bool | None]] = []

    def wait(self, name: str) -> Any:
        return self.result.wait(lambda healthy: self.heard.append((name, healthy)))

    def test_fresh(self) -> None:
        """A result is good for its life, and not at its end."""
        self.assertFalse(self.result.fresh)
        self.result.settle(True)
        self.clock.advance(9.9)
        self.assertTrue(self.result.fresh)
        self.clock.advance(0.1)
        self.assertFalse(self.result.fresh)

    def test_noLife(self) -> None:
        """Without a life it is never given out later."""
        result = SharedResult(self.wheel, 0.0)
        result.settle(True)
        self.assertFalse(result.fresh)

    def test_settle(self) -> None:
        """All who wait hear it, in order."""
        for name in "abc":
            self.wait(name)
        self.result.settle(True)
        self.assertEqual(self.heard, [("a", True), ("b", True), ("c", True)])
        self.assertEqual(self.wheel.active, 0)

    def test_late(self) -> None:
        """After a second they get the result before; without one it is a failure."""
        self.result.probing = True
        self.wait("a")
        self.clock.advance(SHARE_TIMEOUT + TICK)
        self.result.settle(True)
        self.result.probing = True
        self.wait("b")
        self.clock.advance(SHARE_TIMEOUT + TICK)
        self.result.settle(False)
        self.assertEqual(self.heard, [("a", False), ("b", True)])

    def test_leave(self) -> None:
        """Who has left hears nothing."""
        waiter = self.wait("a")
        self.result.leave(waiter)
        self.result.leave(waiter)
        self.result.settle(True)
        self.assertEqual((self.heard, self.wheel.active), ([], 0))

    def test_abandon(self) -> None:
        """Who waits longest takes over; the others go on waiting."""
        self.result.probing = True
        self.wait("a")
        self.wait("b")
        self.result.abandon()
        self.assertEqual((self.heard, self.result.probing), ([("a", None)], False))
        self.result.settle(True)
        self.assertEqual(self.heard, [("a", None), ("b", True)])
        self.result.abandon()
        self.assertEqual(self.wheel.active, 0)

    def test_raising(self) -> None:
        """One that breaks does not keep the others from hearing."""
        self.result.wait(lambda _: 1 // 0)
        self.wait("b")
        self.result.settle(True)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.heard, [("b", True)])

    @given(st.lists(st.sampled_from(("wait", "settle", "leave", "abandon", "second")), max_size=30))
    def test_anyOrder(self, steps: list[str]) -> None:
        """Everybody hears at most once; nobody waits longer than a second; nothing is left."""
        clock = Clock()
        wheel = TimerWheel(clock, clock.seconds)
        result = SharedResult(wheel, 1.5)
        waiting: list[tuple[Any, list[bool | None], float]] = []
        for step in steps:
            if step == "wait":
                heard: list[bool | None] = []
                waiting.append((result.wait(heard.append), heard, clock.seconds()))
            elif step == "settle":
                result.settle(bool(len(waiting) % 2))
            elif step == "leave" and waiting:
                result.leave(waiting[0][0])
            elif step == "abandon":
                result.abandon()
            else:
                clock.advance(SHARE_TIMEOUT + TICK)
            for _, heard, _ in waiting:
                self.assertLessEqual(len(heard), 1)
        clock.advance(SHARE_TIMEOUT + TICK)
        self.assertEqual(wheel.active, 0)


class HostsProbeTests(SynchronousTestCase):
    """Heartbeats to the application."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.found: list[bool] = []

    def probe(self, *clusters: FakeCluster | None) -> None:
        """Ask."""
        HostsProbe(clusters, "bolt", self.wheel, self.found.append)

    def ready(self, name: str = "c") -> tuple[FakeCluster, FakeHeartbeats]:
        """Return a cluster whose one host has a connection, and that connection."""
        cluster = clusterOf(1, 0, name)
        streams = FakeHeartbeats()
        cluster.hosts[0].pool("bolt").ready.append(streams)  # type: ignore[attr-defined]
        return cluster, streams

    def assertOver(self, *found: bool) -> None:
        """Check the result, and that nothing is left."""
        self.assertEqual(self.found, list(found))
        self.assertEqual(self.wheel.active, 0)

    def test_statuses(self) -> None:
        """Status 0 is well, another is not, and neither is a connection that ends."""
        for status, good in ((0, True), (1, False), (8, False), (None, False)):
            self.found.clear()
            cluster, streams = self.ready()
            self.probe(cluster)
            self.assertEqual(self.found, [])
            streams.answer(status)
            self.assertOver(good)

    def test_connecting(self) -> None:
        """Without a connection one is made."""
        cluster = clusterOf(1, 0)
        self.probe(cluster)
        streams = FakeHeartbeats()
        cluster.hosts[0].pool("bolt").waiters.pop().callback(streams)  # type: ignore[attr-defined]
        streams.answer()
        self.assertOver(True)

    def test_connectFails(self) -> None:
        """A connection that cannot be had is a failure."""
        cluster = clusterOf(1, 0)
        self.probe(cluster)
        waiter = cluster.hosts[0].pool("bolt").waiters.pop()  # type: ignore[attr-defined]
        waiter.errback(ConnectionError("refused"))
        self.assertOver(False)

    def test_noHost(self) -> None:
        """No cluster, no host and no healthy host are failures."""
        for clusters in ((), (None,), (FakeCluster("c"),), (clusterOf(0, 2),)):
            self.found.clear()
            self.probe(*clusters)
            self.assertOver(False)

    def test_timeoutOfAnswer(self) -> None:
        """No answer in time is a failure; a late one is forgotten."""
        cluster, streams = self.ready()
        self.probe(cluster)
        late = streams.open[1]
        self.clock.advance(PROBE_TIMEOUT + TICK)
        self.assertOver(False)
        self.assertEqual(streams.open, {})
        late(0)
        self.assertOver(False)

    def test_timeoutOfConnect(self) -> None:
        """No connection in time is one, too; the pool is told that nobody waits."""
        cluster = clusterOf(1, 0)
        self.probe(cluster)
        self.clock.advance(PROBE_TIMEOUT + TICK)
        self.assertOver(False)
        host: FakeHost = cluster.hosts[0]  # type: ignore[assignment]
        self.assertEqual(host.pool("bolt").waiters, [])

    def test_allMustBeWell(self) -> None:
        """Of several clusters each is asked; the first failure decides."""
        (a, first), (b, second) = self.ready("a"), self.ready("b")
        self.probe(a, b)
        first.answer()
        self.assertEqual(self.found, [])
        second.answer()
        self.assertOver(True)
        self.found.clear()
        (a, first), (b, second) = self.ready("a"), self.ready("b")
        self.probe(a, b)
        second.answer(1)
        self.assertOver(False)
        self.assertEqual(first.open, {})
        self.probe(a, None)
        self.assertEqual(self.found, [False, False])
