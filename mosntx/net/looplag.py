"""The lag of the event loop: how late a timed call comes, looked at all the time.

A loop that is busy with one thing keeps all connections waiting. A timed call waits as they do, so
what it is late is what an octet that came in the meantime had to wait.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from mosntx.stats.loop import LoopStats

#: Seconds from one look to the next. Work that takes as long as this is never missed, shorter work
#: in proportion to its length; a look takes some 10 us, so all of them 0.01 % of a core.
INTERVAL = 0.1


class LoopLag:
    """Looks at the lag every `INTERVAL` seconds.

    It has a timed call of its own: those of a `TimerWheel` wait for the end of a tick.

    :param clock: the reactor.
    :param seconds: monotonic seconds.
    :param stats: gets the lags.
    """

    __slots__ = ("_call", "_clock", "_due", "_seconds", "stats")

    def __init__(self, clock: IReactorTime, seconds: Callable[[], float], stats: LoopStats) -> None:
        self.stats = stats
        self._clock = clock
        self._seconds = seconds
        self._due = 0.0
        self._call: IDelayedCall | None = None

    def start(self) -> None:
        """Begin. Ignored while it looks."""
        if self._call is None:
            self._sleep()

    def stop(self) -> None:
        """End. Ignored when it does not look."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _sleep(self) -> None:
        self._due = self._seconds() + INTERVAL
        self._call = self._clock.callLater(INTERVAL, self._look)

    def _look(self) -> None:
        call = self._call
        assert call is not None  # who has cancelled it is not called
        # The reactor's clock may be the wall's. When that is set forward the call comes too early
        # and only seems late by it; when it is set back the call comes late and is not by it.
        late = min(self._seconds() - self._due, self._clock.seconds() - call.getTime())
        self.stats.record(late)
        self._sleep()
