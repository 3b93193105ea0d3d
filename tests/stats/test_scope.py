"""Tests of `mosntx.stats.scope`."""

from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stats import IStatsScope
from mosntx.stats.histogram import Histogram
from mosntx.stats.scope import StatsStruct


class Counts(StatsStruct):
    """A struct with one of each kind."""

    __slots__ = ("now", "seen", "times")

    type = "t"
    COUNTERS: ClassVar[tuple[str, ...]] = ("seen",)
    GAUGES: ClassVar[tuple[str, ...]] = ("now",)
    HISTOGRAMS: ClassVar[tuple[str, ...]] = ("times",)

    def __init__(self) -> None:
        super().__init__((("a", "b"),))
        self.seen = 3
        self.now = 2
        self.times = Histogram()


class StatsStructTests(SynchronousTestCase):
    """What all structs of counters have in common."""

    def test_samples(self) -> None:
        """Each attribute is published once, by its kind; a histogram by three values."""
        counts = Counts()
        verifyObject(IStatsScope, counts)
        counts.times.record(5)
        counts.times.record(7)
        found = [(key, kind, value) for *_, key, kind, value in counts.samples()]
        self.assertEqual(
            found,
            [
                ("seen", "counter", 3),
                ("now", "gauge", 2),
                ("times_min", "gauge", 5),
                ("times_max", "gauge", 7),
                ("times_total", "counter", 12),
            ],
        )
        self.assertEqual({sample[:2] for sample in counts.samples()}, {("t", (("a", "b"),))})

    def test_fold(self) -> None:
        """Another one's counts are added."""
        one, other = Counts(), Counts()
        other.times.record(5)
        one.fold(other)
        self.assertEqual((one.seen, one.times.sum), (6, 5))
