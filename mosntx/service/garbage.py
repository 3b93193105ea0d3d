"""Python's garbage collector in a process of our own.

It keeps the event loop from other work while it looks for cycles, and there are next to none:
objects of requests and connections go as soon as nobody needs them (a test holds that). What it
would do is to walk through everything there is, again and again as connections come: 100 ms with
1 000 hosts and 10 000 connections (docs/performance/latency).

Only ``mosntx run`` and ``twistd mosn`` do this. In a process of somebody else's the collector is
theirs.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, Final

from mosntx.stats.loop import GarbageStats

#: When Python looks for cycles, as ``gc.set_threshold`` takes it. Counted are objects that can be
#: part of a cycle: made minus freed, since the last look. Measured by ``python -m bench.garbage``.
#:
#: - 5 000 new ones (Python: 700) are looked at in half a millisecond. A request leaves none behind;
#:   a connection stands for about 24.
#: - After every second such look those that are a bit older are looked at as well (Python: every
#:   eleventh): up to 15 000 in 2 ms. With more of them one of these looks would become a long one.
#: - All of them after 51 of those (Python: 11), 750 000 new objects or 30 000 connections, and
#:   only when their number has grown by a quarter: what an extension leaves behind in cycles stays
#:   below some 100 MB.
THRESHOLDS: Final = (5_000, 1, 50)


class Garbage:
    """Settles the collector once, and counts its pauses until `stop`.

    :param stats: gets the pauses.
    :param nanoseconds: a clock that never jumps.
    """

    def __init__(
        self, stats: GarbageStats, nanoseconds: Callable[[], int] = perf_counter_ns
    ) -> None:
        self.stats = stats
        self._nanoseconds = nanoseconds
        self._began = 0
        self._before: tuple[int, int, int] | None = None

    def settle(self) -> None:
        """All that a start has made will stay: look at it once more, and then never again.

        Ignored when it was done.
        """
        if self._before is None:
            gc.collect()
            gc.freeze()
            self._before = gc.get_threshold()
            gc.set_threshold(*THRESHOLDS)
            gc.callbacks.append(self.collecting)

    def stop(self) -> None:
        """Count no more and give the thresholds back.

        What is frozen stays so: it harms nobody.
        """
        if self._before is not None:
            gc.callbacks.remove(self.collecting)
            gc.set_threshold(*self._before)
            self._before = None

    def collecting(self, phase: str, _facts: Any) -> None:
        """A collection begins or ends: see ``gc.callbacks``."""
        if phase == "start":
            self._began = self._nanoseconds()
        else:
            self.stats.record(self._nanoseconds() - self._began)
