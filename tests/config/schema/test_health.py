"""Tests of `mosntx.config.schema.health`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, HealthCheck, OutlierDetection
from tests.config.samples import load, problemsOf, withCluster


def cluster(**settings: Any) -> Cluster:
    """Return a cluster with these settings."""
    return load(withCluster(**settings)).config.cluster_manager.clusters[0]


class HealthCheckTests(SynchronousTestCase):
    """When hosts are asked."""

    def test_enabled(self) -> None:
        """A name switches the check on; in the old style, a protocol does too."""
        self.assertFalse(HealthCheck().enabled)
        self.assertFalse(HealthCheck(protocol="bolt").enabled)
        self.assertTrue(HealthCheck(service_name="s").enabled)
        self.assertTrue(HealthCheck(protocol="bolt", old_style=True).enabled)
        self.assertFalse(HealthCheck(old_style=True).enabled)


class OutlierDetectionTests(SynchronousTestCase):
    """When hosts are left out."""

    def test_off(self) -> None:
        """Only a cluster that asks for it has it, with Envoy's defaults."""
        self.assertIsNone(cluster().outlier_detection)
        self.assertEqual(cluster(outlier_detection={}).outlier_detection, OutlierDetection())
        self.assertEqual(OutlierDetection().consecutive_5xx, 5)

    def test_shares(self) -> None:
        """A share above 100 is an error with its place."""
        (problem,) = problemsOf(
            withCluster(outlier_detection={"failure_percentage_threshold": 101})
        )
        self.assertIn("outlier_detection.failure_percentage_threshold", str(problem))
