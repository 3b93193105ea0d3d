"""Tests of `mosntx.upstream.balancers.edf`."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.balancers.edf import EarliestDeadline


class EarliestDeadlineTests(SynchronousTestCase):
    """Picking in proportion to weights."""

    def test_proportional(self):
        """Weights 1 to 10 get their shares within 1 % of each (scenario 86)."""
        weights = {name: float(name) for name in range(1, 11)}
        schedule = EarliestDeadline(weights, weights.__getitem__)
        times = 100_000
        picked = Counter(schedule.pick() for _ in range(times))
        for name, weight in weights.items():
            wanted = times * weight / sum(weights.values())
            self.assertLess(abs(picked[name] - wanted), wanted * 0.01)

    def test_order(self):
        """Equal weights go round in the order in which they were put in."""
        schedule = EarliestDeadline("abc", lambda entry: 1.0)
        self.assertEqual("".join(schedule.pick() for _ in range(7)), "abcabca")

    def test_spread(self):
        """A heavy entry's picks are spread, not bunched."""
        schedule = EarliestDeadline("ab", {"a": 3.0, "b": 1.0}.__getitem__)
        picks = "".join(schedule.pick() for _ in range(400))
        self.assertNotIn("bb", picks)
        self.assertNotIn("aaaaa", picks)

    def test_dynamic(self):
        """A weight that changes counts from the next pick on."""
        weights = {"a": 1.0, "b": 1.0}
        schedule = EarliestDeadline("ab", weights.__getitem__)
        for _ in range(10):
            schedule.pick()
        weights["a"] = 9.0
        picked = Counter(schedule.pick() for _ in range(1000))
        self.assertLess(abs(picked["a"] - 900), 20)

    def test_tiny(self):
        """A weight near 0, or none, starves nobody else and breaks nothing."""
        weights = {"a": 0.0, "b": 1.0, "c": 1e-300}
        schedule = EarliestDeadline("abc", weights.__getitem__)
        picked = Counter(schedule.pick() for _ in range(1000))
        self.assertEqual(picked["b"], 1000)
        weights.update(a=1.0)
        self.assertEqual(len(schedule), 3)

    def test_empty(self):
        """There is nothing to pick from nothing."""
        self.assertRaises(IndexError, EarliestDeadline("", lambda entry: 1.0).pick)

    @given(st.lists(st.integers(1, 128), min_size=1, max_size=8))
    def test_any(self, weights: list[int]):
        """In one round of all weights each entry gets its weight, give or take one."""
        schedule = EarliestDeadline(range(len(weights)), lambda n: float(weights[n]))
        picked = Counter(schedule.pick() for _ in range(sum(weights)))
        for number, weight in enumerate(weights):
            self.assertLessEqual(abs(picked[number] - weight), 1)
