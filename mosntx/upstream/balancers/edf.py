"""Earliest deadline first: picking in proportion to weights (spec/upstream.md 5).

Each entry has a deadline; the earliest is picked, and its next one is 1/weight later. Equal
deadlines go to the entry that was put in first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heapreplace
from typing import Generic, TypeVar

T = TypeVar("T")

#: The smallest weight, so that a dynamic weight near 0 cannot push a deadline out of reach.
MIN_WEIGHT = 1e-6


class EarliestDeadline(Generic[T]):
    """A scheduler over a fixed set of entries.

    :param weigh: the weight of an entry; asked for again at each pick of it.
    """

    __slots__ = ("_queue", "_tick", "_weigh")

    def __init__(self, entries: Iterable[T], weigh: Callable[[T], float]) -> None:
        self._weigh = weigh
        self._queue = [
            (1.0 / max(weigh(entry), MIN_WEIGHT), tick, entry) for tick, entry in enumerate(entries)
        ]
        self._tick = len(self._queue)
        heapify(self._queue)

    def __len__(self) -> int:
        return len(self._queue)

    def pick(self) -> T:
        """Return the next entry.

        :raises IndexError: when there is none.
        """
        deadline, _, entry = self._queue[0]
        later = deadline + 1.0 / max(self._weigh(entry), MIN_WEIGHT)
        self._tick += 1
        heapreplace(self._queue, (later, self._tick, entry))
        return entry
