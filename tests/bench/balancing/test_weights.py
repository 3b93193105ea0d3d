"""Tests of the sums of `bench.balancing.weights`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.balancing.weights import offBy, table


class WeightsTests(SynchronousTestCase):
    """Shares and weights."""

    def test_off(self) -> None:
        """A share is compared with the weight's; a host without requests has none."""
        self.assertEqual(offBy({"a": 3, "b": 1}, {"a": 75, "b": 25}), {"a": 0.0, "b": 0.0})
        self.assertEqual(offBy({"a": 3, "b": 1}, {"a": 10}), {"a": 0.25, "b": -0.25})

    def test_table(self) -> None:
        """Each host has a line."""
        lines = table({"a": 90, "b": 10}, {"a": 91, "b": 9}).splitlines()
        self.assertEqual(lines[1].split(), ["a", "90", "91", "91.000", "+1.000"])
        self.assertEqual(lines[2].split(), ["b", "10", "9", "9.000", "-1.000"])
