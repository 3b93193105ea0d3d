"""A histogram of durations in sparse log-linear buckets of integers.

Values below 64 have a bucket each; every later power of two is cut into 32 equal buckets, so a
percentile is wrong by at most 1/64 of its value. Buckets exist from their first value on: an idle
histogram costs less than 200 octets, a full one at most `BUCKET_LIMIT` dictionary entries.

Histograms count from the start of their owner and are never reset: several readers (scrapers, the
admin API) see the same numbers, and ``sum`` is the published ``<key>_total``.
"""

from __future__ import annotations

import math

#: 2 ** SUB_BITS buckets for each power of two.
SUB_BITS = 5
SUB_BUCKETS = 1 << SUB_BITS
#: Values below have a bucket each.
LINEAR_LIMIT = SUB_BUCKETS * 2
#: The largest value that is kept apart (292 years in nanoseconds); larger ones count as this one.
VALUE_LIMIT = (1 << 63) - 1
#: No more buckets than this can ever exist.
BUCKET_LIMIT = SUB_BUCKETS * (63 - SUB_BITS) + SUB_BUCKETS
#: 99.9 % of 1000 values are 999, whatever binary fractions say.
ROUNDING = 1e-9
#: Stands for the buckets of a histogram without values, of which there may be very many; never
#: altered.
_NO_BUCKETS: dict[int, int] = {}


def bucketIndex(value: int) -> int:
    """Return the number of the bucket that holds ``value`` (0 to `VALUE_LIMIT`)."""
    if value < LINEAR_LIMIT:
        return value
    shift = value.bit_length() - SUB_BITS - 1
    return (shift << SUB_BITS) + (value >> shift)


def bucketMiddle(index: int) -> int:
    """Return the value in the middle of bucket ``index``."""
    if index < LINEAR_LIMIT:
        return index
    shift = (index >> SUB_BITS) - 1
    lowest = (index - (shift << SUB_BITS)) << shift
    return lowest + (1 << (shift - 1))


class Histogram:
    """Counts integers, in the stats of this project always nanoseconds."""

    __slots__ = ("_buckets", "_least", "max", "sum")

    def __init__(self) -> None:
        self._buckets = _NO_BUCKETS
        self._least = VALUE_LIMIT
        #: The largest value so far, 0 without any.
        self.max = 0
        #: All values added up.
        self.sum = 0

    def record(self, value: int) -> None:
        """Count one value.

        :param value: negative ones (a clock that was set back) count as 0, those above
            `VALUE_LIMIT` as `VALUE_LIMIT`.
        """
        if value > self.max:
            if value > VALUE_LIMIT:
                value = VALUE_LIMIT
            self.max = value
        if value < 64:  # LINEAR_LIMIT: names of the module cost a look-up each in here
            if value < 0:
                value = 0
            index = value
        else:
            shift = value.bit_length() - 6
            index = (shift << 5) + (value >> shift)
        if value < self._least:
            self._least = value
        self.sum += value
        try:
            self._buckets[index] += 1
        except KeyError:
            self._own()[index] = 1

    def _own(self) -> dict[int, int]:
        """Return buckets that may be altered."""
        if self._buckets is _NO_BUCKETS:
            self._buckets = {}
        return self._buckets

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self._buckets.values())

    @property
    def min(self) -> int:
        """The smallest value so far, 0 without any."""
        return self._least if self._buckets else 0

    def percentile(self, percent: float) -> int:
        """Return the value that ``percent`` of all values do not exceed (nearest rank).

        :param percent: 0 to 100.
        :returns: within 1/64 of the true value; 0 when nothing was recorded.
        """
        return self.percentiles((percent,))[0]

    def percentiles(self, percents: tuple[float, ...]) -> list[int]:
        """Return `percentile` of each of ``percents``, reading the buckets once.

        :raises ValueError: when one is not within 0 to 100.
        """
        if not all(0 <= percent <= 100 for percent in percents):
            raise ValueError("a percentile lies between 0 and 100")
        if not self._buckets:
            return [0] * len(percents)
        buckets = sorted(self._buckets.items())
        count = self.count
        found = [0] * len(percents)
        ranked = sorted(
            (max(1, math.ceil(count * percent / 100 - ROUNDING)), place)
            for place, percent in enumerate(percents)
        )
        seen, position = 0, -1
        for rank, place in ranked:
            while seen < rank:
                position += 1
                seen += buckets[position][1]
            middle = bucketMiddle(buckets[position][0])
            found[place] = min(max(middle, self._least), self.max)
        return found

    def merge(self, other: Histogram) -> None:
        """Count everything that ``other`` has counted as well."""
        buckets = self._own()
        for index, count in other._buckets.items():
            buckets[index] = buckets.get(index, 0) + count
        self.sum += other.sum
        self.max = max(self.max, other.max)
        self._least = min(self._least, other._least)
