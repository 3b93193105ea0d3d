"""What keeps the event loop: how late it is, and the pauses of the garbage collector.

Nothing of it exists in MOSN, where the runtime shares its threads out by itself.
"""

from __future__ import annotations

from mosntx.stats.histogram import Histogram
from mosntx.stats.scope import StatsStruct

#: Looks in a window of `LoopStats.lag_recent_max`. With ten looks a second it covers one to two
#: minutes, which is longer than the usual interval of scrapers: none misses a peak.
RECENT_LOOKS = 600

#: Nanoseconds in a second.
NANOSECONDS = 1_000_000_000


class LoopStats(StatsStruct):
    """Type ``loop``: one per Sidecar. Durations are integers of nanoseconds.

    There is no "greatest since the last look": of two scrapers each would take it from the other.

    :ivar lag: how late each look was.
    """

    __slots__ = (
        "_current",
        "_left",
        "_previous",
        "lag",
        "lag_looks_total",
        "lag_over_10ms_total",
        "lag_over_100ms_total",
        "lag_over_1000ms_total",
    )

    type = "loop"
    COUNTERS = (
        "lag_looks_total",
        "lag_over_10ms_total",
        "lag_over_100ms_total",
        "lag_over_1000ms_total",
    )
    GAUGES = ("lag_recent_max",)
    HISTOGRAMS = ("lag",)

    def __init__(self) -> None:
        super().__init__((("sidecar", "global"),))
        self.lag = Histogram()
        self.lag_looks_total = 0
        #: Looks that were later than this; each later one counts in the ones before, too.
        self.lag_over_10ms_total = 0
        self.lag_over_100ms_total = 0
        self.lag_over_1000ms_total = 0
        self._current = self._previous = 0
        self._left = RECENT_LOOKS

    @property
    def lag_recent_max(self) -> int:
        """The greatest lag of the last `RECENT_LOOKS` looks, and of up to as many before."""
        return max(self._current, self._previous)

    def record(self, late: float) -> None:
        """Count one look.

        :param late: seconds; a negative one (a clock was set) counts as 0.
        """
        lag = max(0, int(late * NANOSECONDS))
        self.lag.record(lag)
        self.lag_looks_total += 1
        self.lag_over_10ms_total += lag > NANOSECONDS // 100
        self.lag_over_100ms_total += lag > NANOSECONDS // 10
        self.lag_over_1000ms_total += lag > NANOSECONDS
        if not self._left:
            self._previous, self._current = self._current, 0
            self._left = RECENT_LOOKS
        self._left -= 1
        self._current = max(self._current, lag)


class GarbageStats(StatsStruct):
    """Type ``gc``: pauses of Python's garbage collector, where the process is ours.

    Plain counters and no histogram: a collection may begin while a histogram is being read, and
    must not alter it then.
    """

    __slots__ = (
        "pause_max",
        "pause_over_10ms_total",
        "pause_over_100ms_total",
        "pause_total",
        "pauses_total",
    )

    type = "gc"
    COUNTERS = (
        "pauses_total",
        "pause_total",
        "pause_over_10ms_total",
        "pause_over_100ms_total",
    )
    GAUGES = ("pause_max",)

    def __init__(self) -> None:
        super().__init__((("sidecar", "global"),))
        #: Collections, and nanoseconds that all of them and the longest one took.
        self.pauses_total = 0
        self.pause_total = 0
        self.pause_max = 0
        self.pause_over_10ms_total = 0
        self.pause_over_100ms_total = 0

    def record(self, pause: int) -> None:
        """Count one collection.

        :param pause: nanoseconds.
        """
        self.pauses_total += 1
        self.pause_total += pause
        self.pause_over_10ms_total += pause > NANOSECONDS // 100
        self.pause_over_100ms_total += pause > NANOSECONDS // 10
        if pause > self.pause_max:
            self.pause_max = pause
