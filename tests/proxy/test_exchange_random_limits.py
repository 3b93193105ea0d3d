"""Tests of `mosntx.proxy.exchange`: random histories with every limit of a cluster in use."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.build import MeshTestCase
from tests.proxy.test_exchange_random import STEPS, History

#: Limits so small that histories reach them, and detection that ejects at once.
CLUSTER: dict[str, Any] = {
    "circuit_breakers": [
        {
            "max_connections": 2,
            "max_pending_requests": 1,
            "max_requests": 3,
            "max_retries": 1,
            "retry_budget": {"percent": 0, "min_per_second": 2},
        }
    ],
    "adaptive_concurrency": {"min_limit": 1, "max_limit": 2, "window": "10ms"},
    "outlier_detection": {
        "consecutive_5xx": 1,
        "base_ejection_time": "1s",
        "max_ejection_time": "2s",
        "max_ejection_percent": 100,
    },
}

#: Seconds until every ejection and every window of the budget is over.
LONG = 10.0


class Watch:
    """Looks after every step whether counts are within their limits."""

    def __init__(self, case: MeshTestCase, history: History) -> None:
        cluster = history.mesh.sidecar.clusters.get("app")
        assert cluster is not None
        self.case, self.mesh, self.cluster = case, history.mesh, cluster

    def check(self) -> None:
        """Compare."""
        limits, stats = self.cluster.limits, self.cluster.stats
        for count, most in (
            (limits.requests, 2),
            (limits.pending, 2),  # the queue of each host has its own place
            (limits.retries, 1),
            (stats.outlier_ejections_active, 1),
        ):
            self.case.assertTrue(0 <= count <= most, (count, most))
        self.case.assertTrue(1 <= stats.adaptive_limit <= 2)
        out = sum(not host.healthy for host in self.cluster.hosts)
        self.case.assertEqual(out, stats.outlier_ejections_active)

    def over(self) -> None:
        """After a while every host is back, and the budget allows repetitions again."""
        self.mesh.advance(LONG)
        self.case.assertEqual(self.cluster.stats.outlier_ejections_active, 0)
        self.case.assertTrue(all(host.healthy for host in self.cluster.hosts))
        limits = self.cluster.limits
        self.case.assertTrue(limits.mayRepeat(self.mesh.reactor.seconds()))
        self.case.assertTrue(limits.mayRepeat(self.mesh.reactor.seconds()))
        self.case.assertFalse(limits.mayRepeat(self.mesh.reactor.seconds()))


class LimitsTests(SynchronousTestCase):
    """Circuit breakers, retry budget, adaptive limit and outlier detection at the same time."""

    @settings(max_examples=120)
    @given(
        st.lists(
            st.tuples(st.sampled_from(STEPS), st.integers(0, 5), st.integers(1, 120)),
            max_size=60,
        ),
        st.booleans(),
    )
    def test_anyHistory(self, steps: list[tuple[str, int, int]], filters: bool) -> None:
        """No count is ever negative or over its limit; afterwards all are as in the beginning."""
        case = MeshTestCase()
        history = History(case, filters, **CLUSTER)
        watch = Watch(case, history)
        history.arrive(0, 0)
        history.ask(0, steps[0][2] if steps else 0)
        for name, which, size in steps:
            step: Any = getattr(history, name)
            step(which, size)
            watch.check()
        history.check()
        watch.check()
        watch.over()
        case.tearDown()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_reached(self) -> None:
        """A history in which each limit is reached at least once, so the test above is not idle."""
        case = MeshTestCase()
        history = History(case, False, **CLUSTER)
        watch = Watch(case, history)
        for client in range(3):
            history.arrive(0, 0)
            history.ask(client, 0)
            history.send(client, 1000)
            watch.check()
        self.assertEqual(history.mesh.value("request_adaptive_overflow", cluster="app"), 1)
        for upstream in range(2):
            history.connect(0, 0)
            history.answer(upstream, 3)  # 503
            history.speak(upstream, 1000)
            watch.check()
        stats = watch.cluster.stats
        self.assertEqual((stats.outlier_ejections_total, stats.request_retry), (1, 1))
        self.assertEqual((stats.outlier_ejections_overflow, stats.request_retry_overflow), (1, 1))
        history.check()
        watch.over()
        case.tearDown()
