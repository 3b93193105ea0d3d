"""Tests of `mosntx.upstream.health.stats`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stats import IStatsScope
from mosntx.upstream.health.stats import HealthCheckStats


class StatsTests(SynchronousTestCase):
    """The scope of one service."""

    def test_samples(self) -> None:
        """MOSN's keys, its misspelt gauge included; healthy hosts are summed over clusters."""
        stats = HealthCheckStats("shop")
        verifyObject(IStatsScope, stats)
        stats.attempt = 3
        stats.healthyHosts["a"] = lambda: 2
        stats.healthyHosts["b"] = lambda: 1
        samples = list(stats.samples())
        self.assertEqual(
            {(type_, labels) for type_, labels, *_ in samples},
            {("healthcheck", (("service", "shop"),))},
        )
        self.assertEqual(
            {key: (kind, value) for *_, key, kind, value in samples},
            {
                "attempt": ("counter", 3),
                "success": ("counter", 0),
                "failure": ("counter", 0),
                "active_failure": ("counter", 0),
                "passive_failure": ("counter", 0),
                "network_failure": ("counter", 0),
                "verify_cluster": ("counter", 0),
                "healty": ("gauge", 3),
                "healthy": ("gauge", 3),
            },
        )
