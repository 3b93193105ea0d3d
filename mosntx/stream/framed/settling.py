"""Who waits for the first SETTINGS of an upstream.

Most requests need not: a client may send at once. But whether a stream may change its protocol
stands in that frame, and an offer made too early would break the protocol (RFC 8441 3). So an offer
waits before it has a stream, and neither numbers nor data have to be held back.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import TimeoutError as NotInTimeError

from mosntx.net.timers import Timer, TimerWheel

#: Seconds to wait by default: an upstream sends SETTINGS first of all, so waiting for them is a
#: part of the connect, and may last as long as that.
SETTINGS_TIMEOUT = 10.0


class Settling:
    """See above; one for each connection.

    :param patience: seconds.
    """

    __slots__ = ("_patience", "_waiting", "_wheel")

    def __init__(self, wheel: TimerWheel, patience: float) -> None:
        self._wheel = wheel
        self._patience = patience
        self._waiting: dict[Deferred[Any], Timer] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self) -> Deferred[Any]:
        """Return a Deferred that fires with the connection, fails, or can be cancelled."""
        waiting: Deferred[Any] = Deferred(self._leave)
        self._waiting[waiting] = self._wheel.schedule(
            self._patience, lambda: self._tooLong(waiting)
        )
        return waiting

    def settled(self, streams: Any) -> None:
        """The upstream has said what it takes."""
        while self._waiting:
            waiting = next(iter(self._waiting))
            self._leave(waiting)
            waiting.callback(streams)

    def failAll(self, error: Exception) -> None:
        """The connection has ended before."""
        while self._waiting:
            waiting = next(iter(self._waiting))
            self._leave(waiting)
            waiting.errback(error)

    def _leave(self, waiting: Deferred[Any]) -> None:
        self._waiting.pop(waiting).cancel()

    def _tooLong(self, waiting: Deferred[Any]) -> None:
        self._leave(waiting)
        waiting.errback(NotInTimeError(f"no SETTINGS came within {self._patience:g} s"))
