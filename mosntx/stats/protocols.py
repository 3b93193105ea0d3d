"""What protocols count themselves, published with the listener or the cluster that uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from mosntx.contracts.stats import Sample


class Counting(Protocol):
    """Counters of one protocol, such as `mosntx.protocol.http2.counters.Http2Counters`."""

    def counts(self) -> Iterable[tuple[str, int]]:
        """Return keys of stats, and their values as of now."""


C = TypeVar("C", bound=Counting)


class ProtocolCounts:
    """The counters of all protocols of one listener or cluster; equal keys are summed."""

    __slots__ = ("_folded", "_kept", "_sources")

    def __init__(self) -> None:
        self._sources: list[Counting] = []
        self._kept: dict[str, Counting] = {}
        self._folded: dict[str, int] = {}

    def add(self, source: Counting) -> None:
        """Publish these counters too."""
        self._sources.append(source)

    def keep(self, name: str, make: Callable[[], C]) -> C:
        """Return the counters of this name; they are made at first use and stay.

        :param make: always the same for one name.
        """
        source = self._kept.get(name)
        if source is None:
            source = self._kept[name] = make()
            self._sources.append(source)
        return source  # type: ignore[return-value]  # what the first call made

    def fold(self, other: ProtocolCounts) -> None:
        """Add what others have counted until now."""
        for key, count in other.counts():
            self._folded[key] = self._folded.get(key, 0) + count

    def counts(self) -> Iterator[tuple[str, int]]:
        """Return keys and sums as of now."""
        sums = dict(self._folded)
        for source in self._sources:
            for key, count in source.counts():
                sums[key] = sums.get(key, 0) + count
        return iter(sums.items())

    def samples(self, type_: str, labels: tuple[tuple[str, str], ...]) -> Iterator[Sample]:
        """Return the sums as samples of a scope, see `IStatsScope.samples`."""
        for key, count in self.counts():
            yield type_, labels, key, "counter", count
