"""What all structs of counters have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from zope.interface import implementer

from mosntx.contracts.stats import IStatsScope, Sample
from mosntx.stats.histogram import Histogram

#: Labels of a scope, sorted by name.
Labels = tuple[tuple[str, str], ...]
#: A histogram where it belongs: ``(type, labels, key, histogram)``.
HistogramSample = tuple[str, Labels, str, Histogram]


@implementer(IStatsScope)
class StatsStruct:
    """What the structs have in common: names listed once, read once."""

    __slots__ = ("labels",)

    type: ClassVar[str]
    #: Attributes published as counters (MOSN's ``…_active`` are counters that go down).
    COUNTERS: ClassVar[tuple[str, ...]] = ()
    GAUGES: ClassVar[tuple[str, ...]] = ()
    #: Attributes that are a `Histogram`; each also publishes its sum as ``<key>_total``.
    HISTOGRAMS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, labels: Labels) -> None:
        self.labels = labels

    def samples(self) -> Iterator[Sample]:
        """See `IStatsScope.samples`. Histograms give ``<key>_min``, ``_max`` and ``_total``."""
        type_, labels = self.type, self.labels
        for key in self.COUNTERS:
            yield type_, labels, key, "counter", getattr(self, key)
        for key in self.GAUGES:
            yield type_, labels, key, "gauge", getattr(self, key)
        for key in self.HISTOGRAMS:
            histogram: Histogram = getattr(self, key)
            yield type_, labels, f"{key}_min", "gauge", histogram.min
            yield type_, labels, f"{key}_max", "gauge", histogram.max
            yield type_, labels, f"{key}_total", "counter", histogram.sum

    def histograms(self) -> Iterator[HistogramSample]:
        """The histograms themselves, for readers that publish percentiles."""
        for key in self.HISTOGRAMS:
            yield self.type, self.labels, key, getattr(self, key)

    @property
    def idle(self) -> bool:
        """Nothing is active: an owner that has left changes nothing any more."""
        return not any(getattr(self, key) for key in self.COUNTERS if key.endswith("_active"))

    def fold(self, other: StatsStruct) -> None:
        """Add what ``other``, a struct of the same class, has counted."""
        for key in (*self.COUNTERS, *self.GAUGES):
            setattr(self, key, getattr(self, key) + getattr(other, key))
        for key in self.HISTOGRAMS:
            getattr(self, key).merge(getattr(other, key))
