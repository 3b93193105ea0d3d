"""Tests of what all load generators' reports have in common."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.base import EXCERPT, ReportError, percentile, seconds


class SecondsTests(SynchronousTestCase):
    """Durations with a unit."""

    def test_units(self) -> None:
        """Every unit that wrk and h2load print is read, as seconds."""
        for text, value in (
            ("309.52us", 309.52e-6),
            ("1.50ms", 1.5e-3),
            ("2.04s", 2.04),
            ("1.5m", 90.0),
            ("1h", 3600.0),
        ):
            self.assertAlmostEqual(seconds(text), value, 12, text)

    def test_notADuration(self) -> None:
        """A number without unit, an unknown unit and no number are refused."""
        for text in ("12", "12d", "ms", "", "nan"):
            with self.assertRaises(ValueError, msg=text):
                seconds(text)


class PercentileTests(SynchronousTestCase):
    """Nearest-rank percentiles."""

    def test_ranks(self) -> None:
        """The value at the rank rounded up is taken, never an interpolated one."""
        values = list(range(1, 101))
        self.assertEqual(percentile(values, 0.5), 50)
        self.assertEqual(percentile(values, 0.99), 99)
        self.assertEqual(percentile([7, 9], 0.5), 7)
        self.assertEqual(percentile([7, 9], 0.99), 9)

    def test_none(self) -> None:
        """Without a value there is no percentile."""
        self.assertRaises(ValueError, percentile, [], 0.5)

    @given(st.lists(st.integers(), min_size=1), st.floats(0, 1))
    def test_isOneOfTheValues(self, values: list[int], share: float) -> None:
        """Whatever is asked, the answer is a value, with at least that share not above it."""
        values.sort()
        found = percentile(values, share)
        below = sum(value <= found for value in values)
        self.assertGreaterEqual(below, share * len(values) - 1e-6)


class ReportErrorTests(SynchronousTestCase):
    """The error of a report that cannot be read."""

    def test_showsTheEnd(self) -> None:
        """The driver and the end of a long report are shown, not all of it."""
        text = str(ReportError("wrk", "a" * 10_000 + "the end"))
        self.assertIn("wrk", text)
        self.assertIn("the end", text)
        self.assertLess(len(text), EXCERPT + 100)
