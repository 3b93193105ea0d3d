"""Tests of medians, ratios and goals."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.results import Goal, Outcome, Sample, ratioOf

KEY = "requests_per_s"


def outcome(name: str, *values: float, bad: tuple[int, ...] = ()) -> Outcome:
    """Return a candidate with one round per value; the rounds in `bad` had errors."""
    samples = [
        Sample(turn, {KEY: value}, {"status": 3} if turn in bad else {})
        for turn, value in enumerate(values, 1)
    ]
    return Outcome(name, "ok", samples)


class OutcomeTests(SynchronousTestCase):
    """Medians of a candidate."""

    def test_median(self) -> None:
        """The middle value, or the mean of the two in the middle."""
        self.assertEqual(outcome("a", 1, 100, 3).median(KEY), 3)
        self.assertEqual(outcome("a", 1, 2, 4, 100).median(KEY), 3)

    def test_errorsLeftOut(self) -> None:
        """A round with errors never counts, however good it looks."""
        self.assertEqual(outcome("a", 10, 900, 12, bad=(2,)).median(KEY), 11)
        self.assertIsNone(outcome("a", 10, 11, bad=(1, 2)).median(KEY))

    def test_missing(self) -> None:
        """A metric that no round has, or no round at all, has no median."""
        self.assertIsNone(outcome("a", 10).median("other"))
        self.assertIsNone(outcome("a").median(KEY))

    def test_spread(self) -> None:
        """Highest minus lowest by median; nothing can be said from one round."""
        self.assertAlmostEqual(outcome("a", 90, 100, 120).spread(KEY) or 0, 0.3)
        self.assertIsNone(outcome("a", 100).spread(KEY))
        self.assertIsNone(outcome("a", 0, 0).spread(KEY))


class RatioTests(SynchronousTestCase):
    """One candidate against another."""

    def test_ofMedians(self) -> None:
        """The ratio is that of the medians, the range that of single rounds."""
        found = ratioOf(outcome("a", 10, 20, 30), outcome("b", 100, 100, 50), KEY)
        assert found is not None
        self.assertAlmostEqual(found.ratio, 0.2)
        self.assertAlmostEqual(found.low, 0.1)
        self.assertAlmostEqual(found.high, 0.6)

    def test_pairsByRound(self) -> None:
        """Rounds are paired by their number even when one of the two had errors in some."""
        found = ratioOf(outcome("a", 10, 20, 30, bad=(1,)), outcome("b", 1, 20, 10), KEY)
        assert found is not None
        self.assertEqual((found.low, found.high), (1.0, 3.0))

    def test_none(self) -> None:
        """No median, a reference of zero, or no round in common: no ratio."""
        good = outcome("b", 10, 10)
        self.assertIsNone(ratioOf(outcome("a"), good, KEY))
        self.assertIsNone(ratioOf(good, outcome("a", 0, 0), KEY))
        self.assertIsNone(ratioOf(outcome("a", 1, 2, bad=(1,)), outcome("b", 1, 2, bad=(2,)), KEY))

    @given(st.lists(st.tuples(st.floats(1, 1e6), st.floats(1, 1e6)), min_size=1))
    def test_inverse(self, pairs: list[tuple[float, float]]) -> None:
        """The ratios a / b and b / a are each other's inverse, range included."""
        one = outcome("a", *(pair[0] for pair in pairs))
        two = outcome("b", *(pair[1] for pair in pairs))
        there, back = ratioOf(one, two, KEY), ratioOf(two, one, KEY)
        assert there is not None and back is not None
        self.assertAlmostEqual(there.ratio * back.ratio, 1.0)
        self.assertAlmostEqual(there.low * back.high, 1.0)


class GoalTests(SynchronousTestCase):
    """What the project wants to reach."""

    def test_relative(self) -> None:
        """With a reference the value is the ratio."""
        goal = Goal(KEY, "nginx", atLeast=0.2)
        value = goal.value([outcome("nginx", 100), outcome("mosntx", 25)])
        self.assertEqual(value, 0.25)
        self.assertTrue(goal.reached(0.2))
        self.assertFalse(goal.reached(0.19))

    def test_absolute(self) -> None:
        """Without a reference it is the candidate's own median."""
        goal = Goal(KEY, atMost=16.0)
        self.assertEqual(goal.value([outcome("mosntx", 17)]), 17)
        self.assertTrue(goal.reached(16.0))
        self.assertFalse(goal.reached(17))

    def test_notMeasured(self) -> None:
        """Nothing is said when either of the two did not take part."""
        goal = Goal(KEY, "nginx", atLeast=0.2)
        self.assertIsNone(goal.value([outcome("mosntx", 1)]))
        self.assertIsNone(goal.value([outcome("nginx", 1)]))
        self.assertIsNone(goal.value([outcome("nginx"), outcome("mosntx", 1)]))
