"""Tests of `mosntx.config.schema.adaptive`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import AdaptiveConcurrency, Cluster
from tests.config import samples
from tests.config.samples import found

PLACE = "cluster_manager.clusters[0].adaptive_concurrency"


class AdaptiveConcurrencyTests(SynchronousTestCase):
    """A measured limit in a cluster."""

    def test_off(self) -> None:
        """Nobody has it who did not ask for it."""
        self.assertIsNone(Cluster(name="c").adaptive_concurrency)

    def test_bounds(self) -> None:
        """A limit of 0 would refuse everything for ever: it is an error with its place."""
        for key in ("min_limit", "max_limit"):
            obj = samples.minimal()
            obj["cluster_manager"]["clusters"][0]["adaptive_concurrency"] = {key: 0}
            self.assertEqual(found(obj), [("error", f"{PLACE}.{key}")])

    def test_zeroDurations(self) -> None:
        """A written 0 means the default, for a window without length measures nothing."""
        config = AdaptiveConcurrency()
        self.assertEqual((config.window, config.probe_interval), (0.1, 10.0))
