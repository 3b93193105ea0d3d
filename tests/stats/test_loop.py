"""Tests of what is published of the event loop and the garbage collector."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stats import IStatsScope
from mosntx.stats.loop import RECENT_LOOKS, GarbageStats, LoopStats
from mosntx.stats.prometheus import render

MS = 1_000_000


class LoopStatsTests(SynchronousTestCase):
    """Lags in numbers."""

    def setUp(self) -> None:
        self.stats = LoopStats()

    def values(self) -> dict[str, float]:
        """Return what is published."""
        return {key: value for _, _, key, _, value in self.stats.samples()}

    def test_interface(self) -> None:
        """It is a scope like any other, and its families are called after the loop."""
        verifyObject(IStatsScope, self.stats)
        self.stats.record(0.25)
        text = render(self.stats.samples(), self.stats.histograms(), (99,))
        self.assertIn('loop_lag_max{sidecar="global"} 250000000.0\n', text)
        self.assertIn('loop_lag{percentile="P99",sidecar="global"} ', text)

    def test_counts(self) -> None:
        """A lag counts for every bound that it is beyond."""
        for late in (0.001, 0.01, 0.02, 0.2, 2.0):
            self.stats.record(late)
        values = self.values()
        self.assertEqual(
            [
                values[f"lag_{key}_total"]
                for key in ("looks", "over_10ms", "over_100ms", "over_1000ms")
            ],
            [5, 3, 2, 1],
        )
        self.assertEqual((values["lag_min"], values["lag_max"]), (MS, 2000 * MS))
        self.assertEqual(values["lag_total"], 2231 * MS)

    def test_neverNegative(self) -> None:
        """A clock that was set makes no negative lag."""
        self.stats.record(-5.0)
        values = self.values()
        self.assertEqual((values["lag_max"], values["lag_total"]), (0, 0))
        self.assertEqual(values["lag_looks_total"], 1)

    def test_recent(self) -> None:
        """A peak is shown for one window at least and for two at most; the maximum stays."""
        self.stats.record(0.5)
        for _ in range(RECENT_LOOKS):
            self.stats.record(0.001)
            self.assertEqual(self.stats.lag_recent_max, 500 * MS)
        for _ in range(RECENT_LOOKS):
            self.stats.record(0.001)
        self.assertEqual(self.stats.lag_recent_max, MS)
        self.assertEqual(self.values()["lag_max"], 500 * MS)


class GarbageStatsTests(SynchronousTestCase):
    """Pauses in numbers."""

    def test_counts(self) -> None:
        """Each pause counts once, the longest one stays, long ones are counted apart."""
        stats = GarbageStats()
        verifyObject(IStatsScope, stats)
        for pause in (MS, 200 * MS, 10 * MS, 11 * MS):
            stats.record(pause)
        values = {key: value for _, _, key, _, value in stats.samples()}
        self.assertEqual(
            values,
            {
                "pauses_total": 4,
                "pause_total": 222 * MS,
                "pause_over_10ms_total": 2,
                "pause_over_100ms_total": 1,
                "pause_max": 200 * MS,
            },
        )
