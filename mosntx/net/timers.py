"""The timer wheel: all timeouts of requests, connections and connects.

A reactor's ``callLater`` and ``cancel`` cost several times as much, and nearly every timeout is
cancelled. Here a timer is one small object in the set of its tick::

    ticks      1234 -> {timer, timer}   1240 -> {}   1984 -> {timer}
                 ^ the one pending callLater          (once there was a timer at 1240)

Timers fire at the end of their tick, so never early and at most one tick late. A process without
timers is not woken up.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

log = Logger()

#: Seconds in a tick, and so what a timeout may be late: fine for timeouts of a tenth of a second
#: and more, and 50 wake-ups a second cost nothing.
TICK = 0.02

#: Ticks by which a timer may be early: 2 us, more than the rounding of clocks that count from 1970.
SLACK = 1e-4
_ROUND_UP = 1.0 - SLACK


class Timer:
    """One pending timeout of a `TimerWheel`.

    It has no ``__init__``: the wheel fills it in, which takes a third of the time.
    """

    __slots__ = ("_callback", "_tick", "_ticks")

    _callback: Callable[[], object] | None
    _tick: int
    _ticks: dict[int, set[Timer]]

    @property
    def active(self) -> bool:
        """``True`` until the timer fires or is cancelled."""
        return self._callback is not None

    def cancel(self) -> None:
        """Forget the timer. Nothing happens when it has fired or was cancelled before."""
        if self._callback is not None:
            self._callback = None
            timers = self._ticks.get(self._tick)
            if timers:  # not while the tick is firing
                timers.discard(self)
                if not timers:  # a set keeps the memory of its best days
                    self._ticks[self._tick] = _NO_TIMERS

    def _fire(self) -> None:
        """Call back, and keep what it raises from other timers."""
        callback, self._callback = self._callback, None
        if callback is not None:
            try:
                callback()
            except Exception:
                log.failure("a timer's callback failed: {callback!r}", callback=callback)


#: What remains of a tick whose timers were cancelled: it is not altered, so it can be shared.
_NO_TIMERS = cast("set[Timer]", frozenset())


class TimerWheel:
    """Timers by tick, on one ``callLater``.

    The clock of a reactor may be the wall's and jump. Timers are measured by ``seconds``; the
    reactor only wakes the wheel. It is woken too early after a jump forward and goes back to sleep;
    after a jump backward it notices at the next timer that begins a tick.

    :param clock: wakes the wheel.
    :param seconds: monotonic seconds: ``time.monotonic``, in tests ``Clock.seconds``.
    :param tick: seconds.
    """

    __slots__ = (
        "_clock",
        "_perSecond",
        "_queue",
        "_stopped",
        "_tick",
        "_ticks",
        "_wake",
        "seconds",
    )

    def __init__(
        self, clock: IReactorTime, seconds: Callable[[], float], tick: float = TICK
    ) -> None:
        self._clock = clock
        self.seconds = seconds
        self._tick = tick
        self._perSecond = 1.0 / tick
        self._ticks: dict[int, set[Timer]] = {}
        self._queue: list[int] = []  # a heap of the keys of _ticks
        self._wake: IDelayedCall | None = None
        self._stopped = False

    @property
    def active(self) -> int:
        """The number of pending timers."""
        return sum(map(len, self._ticks.values()))

    def schedule(self, delay: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` in ``delay`` seconds, or up to a tick later.

        :param delay: 0 or more.
        :param callback: called without arguments; what it raises is logged.
        :raises RuntimeError: after `stop`.
        """
        return self.scheduleAt(self.seconds() + delay, callback)

    def scheduleAt(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call ``callback`` at a time, or up to a tick later; for those who know what time it is.

        :param when: in ``seconds``, not before now.
        :param callback: as in `schedule`.
        :raises RuntimeError: after `stop`.
        """
        # This is on the way of every request: no call that can be avoided.
        timer = Timer()
        timer._callback = callback
        timer._tick = tick = int(when * self._perSecond + _ROUND_UP)
        timer._ticks = ticks = self._ticks
        timers = ticks.get(tick)
        if timers:
            timers.add(timer)
        else:
            if timers is None:
                self._begin(tick)
            ticks[tick] = {timer}
        return timer

    def stop(self) -> None:
        """Forget all timers; none of them fires any more."""
        self._stopped = True
        for timers in list(self._ticks.values()):
            for timer in list(timers):
                timer.cancel()
        self._ticks.clear()
        self._queue.clear()
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _begin(self, tick: int) -> None:
        """Note a tick that had no timer before, and see that it will be noticed."""
        if self._stopped:
            raise RuntimeError("the timer wheel has been stopped")
        queue = self._queue
        heapq.heappush(queue, tick)
        if queue[0] == tick or queue[0] < self.seconds() * self._perSecond - 1.0:
            self._sleep()

    def _sleep(self) -> None:
        """Be woken at the end of the first tick in the queue."""
        if not self._queue:
            return
        delay = max(self._queue[0] * self._tick - self.seconds(), 0.0)
        if self._wake is None:
            self._wake = self._clock.callLater(delay, self._woken)
        else:
            self._wake.reset(delay)

    def _woken(self) -> None:
        """Fire the timers of all ticks that are over."""
        self._wake = None
        queue, ticks = self._queue, self._ticks
        now = int(self.seconds() * self._perSecond + SLACK)
        while queue and queue[0] <= now:
            for timer in ticks.pop(heapq.heappop(queue)):
                if self._stopped:
                    timer.cancel()
                timer._fire()
        while queue and not ticks[queue[0]]:
            del ticks[heapq.heappop(queue)]
        self._sleep()
