"""Tests of the verdict of `bench.balancing.all_failing`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing.all_failing import isGood


class VerdictTests(SynchronousTestCase):
    """What is as it should be."""

    def test_load(self) -> None:
        """Upstreams may get 1.2 times of what clients send."""
        self.assertTrue(isGood([503] * 10, 12))
        self.assertFalse(isGood([503] * 10, 13))

    def test_statuses(self) -> None:
        """Clients see the upstreams' own answer, not one of the sidecar."""
        self.assertFalse(isGood([503] * 9 + [502], 10))
