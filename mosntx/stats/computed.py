"""Statistics that are worked out when somebody reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mosntx.contracts.stats import Sample
from mosntx.stats.scope import Labels, StatsStruct


class ComputedStats(StatsStruct):
    """A scope whose values are asked for when read, for facts that something else keeps anyway.

    :param read: returns ``(key, kind, value)`` with kind ``counter`` or ``gauge``.
    """

    __slots__ = ("_read", "type")

    def __init__(
        self, type_: str, labels: Labels, read: Callable[[], Iterable[tuple[str, str, float]]]
    ) -> None:
        super().__init__(tuple(sorted(labels)))
        self.type = type_  # type: ignore[misc]  # of the instance here, of the class elsewhere
        self._read = read

    def samples(self) -> Iterator[Sample]:
        """See `IStatsScope.samples`."""
        for key, kind, value in self._read():
            yield self.type, self.labels, key, kind, value
