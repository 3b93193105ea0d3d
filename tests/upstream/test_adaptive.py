"""Tests of `mosntx.upstream.adaptive`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import AdaptiveConcurrency
from mosntx.stats.structs import ClusterStats
from mosntx.upstream.adaptive import CLIP, FIRST_LIMIT, MIN_SAMPLES, AdaptiveLimit, grown
from mosntx.upstream.limits import Limits


class AdaptiveCase(SynchronousTestCase):
    """A limit, and a cluster that keeps it busy."""

    def begin(self, ceiling: int = 0, **config: float) -> AdaptiveLimit:
        """Make the limit."""
        self.limits = Limits(maxRequests=ceiling)
        self.stats = ClusterStats("c")
        self.now = 0.0
        self.limits.adapt(AdaptiveConcurrency(**config), self.stats)  # type: ignore[arg-type]
        assert self.limits.adaptive is not None
        return self.limits.adaptive

    def window(self, latency: float, used: int | None = None, times: int = 1) -> None:
        """Let windows pass with answers after ``latency`` seconds, with the limit in full use."""
        adaptive = self.limits.adaptive
        assert adaptive is not None
        for _ in range(times):
            for _ in range(MIN_SAMPLES):
                self.limits.requests = adaptive.limit if used is None else used
                self.now += 0.11 / MIN_SAMPLES
                adaptive.sample(self.now, self.now - latency)


class GradientTests(AdaptiveCase):
    """How the limit follows latency."""

    def test_grows(self) -> None:
        """While answers are as fast as ever, a limit in use grows to its maximum."""
        adaptive = self.begin(max_limit=200)
        self.window(0.01, times=60)
        self.assertEqual((adaptive.limit, self.limits.maxRequests), (200, 200))
        self.assertEqual(self.stats.adaptive_limit, 200)

    def test_falls(self) -> None:
        """When answers take three times as long, it halves at most, and goes on falling."""
        adaptive = self.begin()
        self.window(0.01, times=20)
        before = adaptive.limit
        self.window(0.03)
        self.assertTrue(before // 2 <= adaptive.limit < before * 0.6)
        self.window(0.03, times=10)
        self.assertLess(adaptive.limit, 10)

    def test_minimum(self) -> None:
        """It never falls below its minimum."""
        adaptive = self.begin(min_limit=15)
        self.window(0.01)
        self.window(1.0, times=30)
        self.assertEqual(adaptive.limit, 15)

    def test_tolerance(self) -> None:
        """A quarter more latency is chance, not a queue."""
        adaptive = self.begin()
        self.window(0.010, times=3)
        before = adaptive.limit
        self.window(0.0124)
        self.assertGreater(adaptive.limit, before)

    def test_unused(self) -> None:
        """A limit of which less than half is in use stays as it is, whatever the latency."""
        adaptive = self.begin()
        self.window(0.01, used=5, times=5)
        self.window(0.5, used=5, times=5)
        self.assertEqual(adaptive.limit, FIRST_LIMIT)

    def test_slowerForGood(self) -> None:
        """An upstream that got slower without a load is no reason to refuse requests later."""
        adaptive = self.begin()
        self.window(0.01, used=5, times=10)
        self.window(0.03, used=5, times=40)
        self.window(0.03)
        self.assertGreater(adaptive.limit, FIRST_LIMIT)

    def test_fewAnswers(self) -> None:
        """A window lasts until it has enough answers."""
        adaptive = self.begin()
        self.limits.requests = FIRST_LIMIT
        for second in range(1, MIN_SAMPLES):
            adaptive.sample(float(second), second - 0.01)
        self.assertEqual(adaptive.limit, FIRST_LIMIT)
        adaptive.sample(100.0, 99.99)
        self.assertGreater(adaptive.limit, FIRST_LIMIT)

    def test_clip(self) -> None:
        """One answer in twenty that takes a minute does not make the limit fall."""
        adaptive = self.begin()
        self.window(0.01, times=3)
        before = adaptive.limit
        self.limits.requests = before
        self.now += 0.1
        adaptive.sample(self.now, self.now - 60)
        for _ in range(MIN_SAMPLES - 1):
            adaptive.sample(self.now, self.now - 0.01)
        self.assertGreater(CLIP, 1)
        self.assertGreater(adaptive.limit, before)

    @given(st.integers(1, 10**6), st.integers(1, 10**7), st.integers(1, 10**10))
    def test_grown(self, limit: int, base: int, mean: int) -> None:
        """One window never more than halves the limit, nor adds more than its root."""
        after = grown(limit, base, mean)
        self.assertTrue(limit // 2 < after <= limit + limit**0.5)


class ProbeTests(AdaptiveCase):
    """Measuring without a load."""

    def test_probe(self) -> None:
        """When full load has lasted too long, what is measured without a queue counts from then."""
        adaptive = self.begin()
        self.window(0.01, times=10)
        self.window(0.05, times=80)
        self.assertEqual(adaptive.limit, 4)
        self.window(0.04, times=40)
        self.assertGreater(adaptive.limit, 60)

    def test_notFull(self) -> None:
        """A cluster whose answers are as fast as ever is never disturbed."""
        adaptive = self.begin(max_limit=100)
        self.window(0.01, times=60)
        for _ in range(1000):
            self.window(0.01)
            self.assertEqual(adaptive.limit, 100)

    def test_waitsForRoom(self) -> None:
        """Nothing is measured before the requests of before have ended."""
        adaptive = self.begin(max_limit=40)
        self.window(0.01, times=20)
        limits = []
        for _ in range(110):
            self.window(0.013, used=40)
            limits.append(adaptive.limit)
        self.assertEqual((max(limits), limits[-1]), (40, 10))
        self.window(0.5, used=30, times=10)
        self.assertEqual(adaptive.limit, 10)
        self.window(0.013, used=9, times=3)
        self.assertEqual(adaptive.limit, 40)


class LimitsTests(AdaptiveCase):
    """Together with the circuit breaker."""

    def test_smallerCounts(self) -> None:
        """Of the configured and the measured limit the smaller one holds."""
        self.begin(ceiling=10)
        self.assertEqual((self.limits.maxRequests, self.limits.refusedByLatency()), (10, False))
        self.limits.configure(0, 0, 0, 0)
        self.assertEqual(self.limits.maxRequests, FIRST_LIMIT)
        self.assertTrue(self.limits.refusedByLatency())

    def test_off(self) -> None:
        """Switched off at run time, the configured limit is back; the gauge says 0."""
        self.begin(ceiling=30)
        self.limits.adapt(None, self.stats)
        self.assertEqual((self.limits.maxRequests, self.stats.adaptive_limit), (30, 0))
        self.assertFalse(self.limits.refusedByLatency())

    def test_otherBounds(self) -> None:
        """Other bounds hold at once; what was measured stays."""
        adaptive = self.begin()
        self.window(0.01, times=30)
        self.limits.adapt(AdaptiveConcurrency(max_limit=50), self.stats)
        self.assertIs(self.limits.adaptive, adaptive)
        self.assertEqual(self.limits.maxRequests, 50)
