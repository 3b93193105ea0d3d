"""Tests of `mosntx.filters.healthcheck`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Route, RouteAction, RouterConfig, VirtualHost
from mosntx.contracts.stream import IHeartbeatAnswer
from mosntx.filters.healthcheck import (
    EndpointFilter,
    HealthcheckConfig,
    HealthcheckFactory,
    HealthcheckFilter,
    PassingEndpointFilter,
)
from mosntx.filters.heartbeats import PROBE_TIMEOUT, SHARE_TIMEOUT
from mosntx.net.timers import TICK
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from mosntx.testing.upstream import FakeCluster
from tests.filters.test_heartbeats import FakeHeartbeats, NamedClusters, clusterOf


class Listening:
    """The server's end of a connection, as heartbeats see it.

    :ivar answers: ``(frame, status)`` in order.
    """

    def __init__(self, protocol: str = "bolt") -> None:
        self.protocol = self
        self.name = protocol
        self.answers: list[tuple[Any, int]] = []

    def answerHeartbeat(self, frame: Any, status: int) -> None:
        """See `ServerConnection.answerHeartbeat`."""
        self.answers.append((frame, status))

    @property
    def statuses(self) -> list[int]:
        """What was answered."""
        return [status for _, status in self.answers]


class HealthcheckFilterTests(FilterSuite, SynchronousTestCase):
    """What every filter keeps to."""

    def factory(self) -> HealthcheckFactory:
        """See `FilterSuite.factory`."""
        return HealthcheckFactory()

    def configs(self) -> Sequence[HealthcheckConfig]:
        """See `FilterSuite.configs`: heartbeats only, and the path that the suite asks for."""
        return (
            HealthcheckConfig(),
            HealthcheckConfig(passthrough=True, endpoint="app"),
            HealthcheckConfig(endpoint="/"),
            HealthcheckConfig(endpoint="/", passthrough=True),
            HealthcheckConfig(endpoint="/", passthrough=True, cache_time=5.0),
            HealthcheckConfig(endpoint="/health"),
        )

    def test_kinds(self) -> None:
        """Requests are looked at only where a path is configured."""
        kinds = [type(one) for one in self.filters()]
        passing = PassingEndpointFilter
        self.assertEqual(
            kinds,
            [
                HealthcheckFilter,
                HealthcheckFilter,
                EndpointFilter,
                passing,
                passing,
                EndpointFilter,
            ],
        )
        self.assertNotIn("requestHead", vars(HealthcheckFilter))

    def test_answers(self) -> None:
        """All of them answer heartbeats."""
        for one in self.filters():
            verifyObject(IHeartbeatAnswer, one)

    def test_badConfiguration(self) -> None:
        """Percentages that are none and times below 0 are refused, with the place."""
        for least in (-0.1, 100.1, float("nan")):
            config = HealthcheckConfig(cluster_min_healthy_percentages={"app": least})
            with self.assertRaisesRegex(ValueError, "cluster_min_healthy_percentages.app"):
                self.factory().build(config, self.context)
        with self.assertRaisesRegex(ValueError, "cache_time"):
            self.factory().build(HealthcheckConfig(cache_time=-1.0), self.context)


class HeartbeatTestCase(SynchronousTestCase):
    """A filter among clusters."""

    def begin(self, *clusters: FakeCluster, **config: Any) -> HealthcheckFilter:
        """Make a filter."""
        self.context = FakeFilterContext(clusters=NamedClusters(*clusters))
        self.streams = Listening()
        self.filter = HealthcheckFactory().build(HealthcheckConfig(**config), self.context)
        return self.filter

    def ask(self, frame: Any = "hb") -> None:
        """Let a heartbeat come."""
        self.filter.heartbeat(self.streams, frame)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.context.clock.advance(seconds + TICK)


class PercentageTests(HeartbeatTestCase):
    """Leg i: answers by the health of clusters."""

    def test_outage(self) -> None:
        """Well, then ill while too few hosts are healthy, then well again."""
        cluster = clusterOf(3, 0, "app")
        self.begin(cluster, cluster_min_healthy_percentages={"app": 60})
        hosts: Any = cluster.hosts
        for ill in ((), (0,), (0, 1), (0, 1, 2), ()):
            for number, host in enumerate(hosts):
                host.healthy = number not in ill
            self.ask()
        self.assertEqual(self.streams.statuses, [0, 0, 1, 1, 0])

    def test_nothingConfigured(self) -> None:
        """Without percentages all is well."""
        self.begin(clusterOf(0, 2, "app"))
        self.ask("frame")
        self.assertEqual(self.streams.answers, [("frame", 0)])

    def test_missing(self) -> None:
        """A cluster that is not there is not well."""
        self.begin(cluster_min_healthy_percentages={"app": 0})
        self.ask()
        self.assertEqual(self.streams.statuses, [1])


class PassThroughTests(HeartbeatTestCase):
    """Leg iii: one probe for all, and its result for a while."""

    def start(self, **config: Any) -> FakeHeartbeats:
        """Make a filter that passes to a cluster with a connection; return that."""
        self.cluster = clusterOf(1, 0, "app")
        upstream = FakeHeartbeats()
        self.pool().ready.extend([upstream] * 10)
        self.begin(self.cluster, **{"passthrough": True, "endpoint": "app", **config})
        return upstream

    def pool(self, protocol: str = "bolt") -> Any:
        """The pool of the one host."""
        return self.cluster.hosts[0].pool(protocol)

    def test_cache(self) -> None:
        """Within the time the result is given out; after it the application is asked again."""
        upstream = self.start(cache_time=10.0)
        self.ask("a")
        self.assertEqual(self.streams.answers, [])
        upstream.answer(0)
        self.wait(9.9)
        self.ask("b")
        self.assertEqual(self.streams.answers, [("a", 0), ("b", 0)])
        self.wait(0.1)
        self.ask("c")
        self.assertEqual(upstream.sent, 2)
        upstream.answer(1)
        self.ask("d")
        self.assertEqual(self.streams.answers[2:], [("c", 1), ("d", 1)])
        self.assertEqual(self.context.wheel.active, 0)

    def test_oneProbe(self) -> None:
        """A hundred callers cause one heartbeat, and all get its answer."""
        for status in (0, 1):
            upstream = self.start()
            for number in range(100):
                self.ask(number)
            self.assertEqual((upstream.sent, self.streams.answers), (1, []))
            upstream.answer(status)
            self.assertEqual(self.streams.answers, [(number, status) for number in range(100)])
            self.assertEqual(self.context.wheel.active, 0)

    def test_noCache(self) -> None:
        """Without a cache each heartbeat that comes alone is passed."""
        upstream = self.start()
        for _ in range(3):
            self.ask()
            upstream.answer()
        self.assertEqual((upstream.sent, self.streams.statuses), (3, [0, 0, 0]))

    def test_late(self) -> None:
        """Who waits longer than a second gets the result before."""
        upstream = self.start()
        self.ask("first")
        upstream.answer(0)
        self.ask("second")
        self.ask("third")
        self.wait(SHARE_TIMEOUT)
        self.assertEqual(self.streams.answers, [("first", 0), ("third", 0)])
        upstream.answer(1)
        self.assertEqual(self.streams.answers[2:], [("second", 1)])

    def test_lateWithoutResult(self) -> None:
        """Before there was any result they are told that it is not well."""
        upstream = self.start()
        self.ask("first")
        self.ask("second")
        self.wait(SHARE_TIMEOUT)
        self.assertEqual(self.streams.answers, [("second", 1)])
        upstream.answer(0)
        self.assertEqual(self.streams.answers[1:], [("first", 0)])

    def test_timeout(self) -> None:
        """An application that does not answer is not well, and that is cached."""
        upstream = self.start(cache_time=10.0)
        self.ask("a")
        self.wait(PROBE_TIMEOUT)
        self.ask("b")
        self.assertEqual(self.streams.answers, [("a", 1), ("b", 1)])
        self.assertEqual((upstream.sent, upstream.open), (1, {}))

    def test_noHost(self) -> None:
        """A cluster without a healthy host is not well, and that is cached."""
        self.start(cache_time=10.0)
        self.cluster.hosts[0].healthy = False
        self.ask()
        self.cluster.hosts[0].healthy = True
        self.ask()
        self.assertEqual(self.streams.statuses, [1, 1])

    def test_refused(self) -> None:
        """So is one whose host refuses."""
        self.start(cache_time=10.0)
        self.pool().ready.clear()
        self.ask()
        self.pool().waiters.pop().errback(ConnectionError("refused"))
        self.ask()
        self.assertEqual(self.streams.statuses, [1, 1])

    def test_protocol(self) -> None:
        """The application is asked in the protocol of the heartbeat."""
        self.start()
        self.streams.name = "tr"
        self.ask()
        self.assertEqual(len(self.pool("tr").waiters), 1)


class WhichClusterTests(HeartbeatTestCase):
    """Whom a heartbeat, which names no service, is passed to."""

    def names(self, *routed: str, **config: Any) -> tuple[str, ...]:
        """Return the clusters for these routes."""
        self.begin(passthrough=True, **config)
        routes = tuple(Route(route=RouteAction(cluster_name=name)) for name in routed)
        router = RouterConfig(virtual_hosts=(VirtualHost(domains=("*",), routers=routes),))
        self.filter.followRouter(lambda: router)
        return tuple(self.filter.clusterNames())

    def test_order(self) -> None:
        """`endpoint`, else the only cluster of the routes, else those with a percentage."""
        percentages = {"x": 1.0, "y": 2.0}
        both = {"cluster_min_healthy_percentages": percentages}
        self.assertEqual(self.names("a", endpoint="e", **both), ("e",))
        self.assertEqual(self.names("a", "a", **both), ("a",))
        self.assertEqual(self.names("a", endpoint="/path", **both), ("a",))
        self.assertEqual(self.names("a", "b", **both), ("x", "y"))
        self.assertEqual(self.names("a", "b"), ())

    def test_routesChange(self) -> None:
        """Routes that come later count."""
        self.begin(passthrough=True)
        self.assertEqual(self.filter.clusterNames(), ())
        current: list[Any] = [None]
        self.filter.followRouter(lambda: current[0])
        for name in "ab":
            route = Route(route=RouteAction(cluster_name=name))
            current[0] = RouterConfig(
                virtual_hosts=(VirtualHost(domains=("*",), routers=(route,)),)
            )
            self.assertEqual(self.filter.clusterNames(), (name,))

    def test_nobody(self) -> None:
        """Where nothing says whom to ask, it is not well, and the log says why, once."""
        self.begin(passthrough=True)
        self.ask()
        self.ask()
        self.assertEqual(self.streams.statuses, [1, 1])
