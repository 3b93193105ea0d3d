"""The queue of those who wait for a connection: bounded in number and in time."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from mosntx.net.timers import Timer, TimerWheel
from mosntx.upstream.pools.errors import PoolTimeout


class WaitingQueue:
    """First come, first served.

    A dictionary keeps the order and lets a waiter that is cancelled or timed out leave in constant
    time.
    """

    __slots__ = ("_limit", "_waiters", "_wheel")

    def __init__(self, wheel: TimerWheel, limit: int) -> None:
        """:param limit: places."""
        self._wheel = wheel
        self._limit = limit
        self._waiters: dict[Deferred[Any], Timer] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    @property
    def full(self) -> bool:
        """No place is left."""
        return len(self._waiters) >= self._limit

    def wait(self, seconds: float) -> Deferred[Any]:
        """Take a place for at most ``seconds``.

        The Deferred fires with a connection, fails with `PoolTimeout`, or leaves the queue when
        cancelled.
        """
        waiter: Deferred[Any] = Deferred(self._leave)
        self._waiters[waiter] = self._wheel.schedule(
            seconds, lambda: self._tooLong(waiter, seconds)
        )
        return waiter

    def pop(self) -> Deferred[Any] | None:
        """Remove and return who has waited longest, ``None`` when nobody waits."""
        if not self._waiters:
            return None
        waiter = next(iter(self._waiters))
        self._leave(waiter)
        return waiter

    def failAll(self, error: Exception) -> None:
        """Send everybody away."""
        while (waiter := self.pop()) is not None:
            waiter.errback(error)

    def _leave(self, waiter: Deferred[Any]) -> None:
        timer = self._waiters.pop(waiter, None)
        if timer is not None:
            timer.cancel()

    def _tooLong(self, waiter: Deferred[Any], seconds: float) -> None:
        self._leave(waiter)
        waiter.errback(PoolTimeout(f"no connection became free within {seconds:g} s"))
