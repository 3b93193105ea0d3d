"""Tests of `mosntx.upstream.discovery.context`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.discovery.context import DiscoveryStats


class DiscoveryStatsTests(SynchronousTestCase):
    """What discoveries count."""

    def test_samples(self) -> None:
        """Each counter is published under the name of the cluster."""
        stats = DiscoveryStats("c")
        stats.update_empty = 3
        found = {key: value for _type, _labels, key, _kind, value in stats.samples()}
        self.assertEqual(found["update_empty"], 3)
        self.assertEqual(set(found), set(DiscoveryStats.COUNTERS))
        self.assertEqual(stats.labels, (("cluster", "c"),))
