"""Tests of `mosntx.stats.computed`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stats import IStatsScope
from mosntx.stats.computed import ComputedStats


class ComputedStatsTests(SynchronousTestCase):
    """Values that are asked for."""

    def test_read(self) -> None:
        """Each reading asks anew; labels are sorted."""
        state = [6.0]
        stats = ComputedStats(
            "meta", (("mosn", "info"), ("a", "b")), lambda: [("code", "gauge", state[0])]
        )
        verifyObject(IStatsScope, stats)
        labels = (("a", "b"), ("mosn", "info"))
        self.assertEqual(list(stats.samples()), [("meta", labels, "code", "gauge", 6.0)])
        state[0] = 9.0
        self.assertEqual(next(stats.samples())[4], 9.0)
        self.assertEqual(list(stats.histograms()), [])
