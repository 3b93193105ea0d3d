"""Tests of `mosntx.stats.histogram`."""

from __future__ import annotations

import math
import sys

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.histogram import (
    BUCKET_LIMIT,
    LINEAR_LIMIT,
    VALUE_LIMIT,
    Histogram,
    bucketIndex,
    bucketMiddle,
)

VALUES = st.lists(st.integers(0, VALUE_LIMIT), min_size=1, max_size=200)
DURATIONS = st.lists(st.integers(0, 10**11), min_size=1, max_size=200)


def filled(values: list[int]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    return histogram


def nearestRank(values: list[int], percent: float) -> int:
    rank = max(1, math.ceil(len(values) * percent / 100 - 1e-9))
    return sorted(values)[rank - 1]


class BucketTests(SynchronousTestCase):
    """The numbering of buckets."""

    @given(st.integers(0, VALUE_LIMIT))
    def test_error(self, value: int) -> None:
        """The middle of a value's bucket is within 1/64 of the value, and in the same bucket."""
        index = bucketIndex(value)
        self.assertLess(index, BUCKET_LIMIT)
        self.assertLessEqual(abs(bucketMiddle(index) - value) * 64, value)
        self.assertEqual(bucketIndex(bucketMiddle(index)), index)

    @given(st.integers(0, VALUE_LIMIT - 1))
    def test_order(self, value: int) -> None:
        """Buckets follow each other without a gap."""
        self.assertIn(bucketIndex(value + 1) - bucketIndex(value), (0, 1))

    def test_exact(self) -> None:
        """Small values have a bucket each."""
        indexes = [bucketIndex(value) for value in range(LINEAR_LIMIT)]
        self.assertEqual(indexes, list(range(LINEAR_LIMIT)))


class HistogramTests(SynchronousTestCase):
    """Recording and reading."""

    def test_empty(self) -> None:
        """Without values everything is 0."""
        histogram = Histogram()
        self.assertEqual((histogram.min, histogram.max, histogram.sum, histogram.count), (0,) * 4)
        self.assertEqual(histogram.percentile(99), 0)

    @given(VALUES)
    def test_totals(self, values: list[int]) -> None:
        """Extremes, sum and count are exact."""
        histogram = filled(values)
        self.assertEqual(histogram.min, min(values))
        self.assertEqual(histogram.max, max(values))
        self.assertEqual(histogram.sum, sum(values))
        self.assertEqual(histogram.count, len(values))

    @given(DURATIONS, st.floats(0, 100))
    def test_percentile(self, values: list[int], percent: float) -> None:
        """A percentile is the value of nearest rank in the sorted list, within 1/64."""
        true = nearestRank(values, percent)
        self.assertLessEqual(abs(filled(values).percentile(percent) - true) * 64, true)

    @given(DURATIONS, st.lists(st.integers(0, 100), max_size=6))
    def test_percentiles(self, values: list[int], percents: list[int]) -> None:
        """Several at once, in any order, are the same as one by one."""
        histogram = filled(values)
        self.assertEqual(
            histogram.percentiles(tuple(percents)),
            [histogram.percentile(percent) for percent in percents],
        )

    def test_fraction(self) -> None:
        """99.9 % of 1000 is the 999th value, in spite of binary fractions."""
        self.assertEqual(filled([1] * 999 + [50]).percentile(99.9), 1)

    def test_badPercentile(self) -> None:
        """A percentile outside 0 to 100 is refused, also of an empty histogram."""
        for percent in (-1, 100.5, float("nan")):
            self.assertRaises(ValueError, Histogram().percentile, percent)

    @given(DURATIONS, DURATIONS)
    def test_merge(self, first: list[int], second: list[int]) -> None:
        """Merging is the same as recording all values in one."""
        merged, both = filled(first), filled(first + second)
        merged.merge(filled(second))
        self.assertEqual(merged.percentiles((0, 50, 99, 100)), both.percentiles((0, 50, 99, 100)))
        self.assertEqual((merged.min, merged.max, merged.sum), (both.min, both.max, both.sum))

    def test_mergeEmpty(self) -> None:
        """An empty histogram changes nothing, and takes everything."""
        histogram = filled([5])
        histogram.merge(Histogram())
        self.assertEqual((histogram.min, histogram.max, histogram.count), (5, 5, 1))
        empty = Histogram()
        empty.merge(histogram)
        self.assertEqual((empty.min, empty.max, empty.count), (5, 5, 1))

    def test_outOfRange(self) -> None:
        """A clock set back counts as 0, an absurd value as the largest."""
        histogram = filled([-5, VALUE_LIMIT * 2])
        self.assertEqual((histogram.min, histogram.max), (0, VALUE_LIMIT))
        self.assertEqual(histogram.count, 2)

    def test_idleSize(self) -> None:
        """A histogram that nobody used costs less than 200 octets."""
        histogram = Histogram()
        size = sys.getsizeof(histogram) + sys.getsizeof(histogram._buckets)
        self.assertLess(size, 200)

    def test_bounded(self) -> None:
        """No spread of values makes more buckets than the limit."""
        histogram = filled([1 << bit for bit in range(70)] + list(range(0, 10**6, 97)))
        self.assertLessEqual(len(histogram._buckets), BUCKET_LIMIT)
