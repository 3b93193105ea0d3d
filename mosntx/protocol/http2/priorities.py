"""Who goes first, as the peer says: PRIORITY and PRIORITY_UPDATE frames, the field ``priority``."""

from __future__ import annotations

from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.guard import FrameGuard
from mosntx.protocol.http2.outbox import LEAST_URGENT, Outbox, parsePriority, urgencyOf

#: PRIORITY_UPDATE frames kept for streams that have not begun (RFC 9218 7.1 lets them come early).
MAX_EARLY = 64


class Priorities:
    """The priorities of the streams of one connection."""

    __slots__ = ("_early", "_guard", "_outbox")

    def __init__(self, guard: FrameGuard, outbox: Outbox) -> None:
        self._guard = guard
        self._outbox = outbox
        self._early: dict[int, bytes] = {}

    def take(self, last: int) -> ProtocolError | None:
        """Do as the frames say that the guard has seen.

        :param last: the highest stream of the peer that was looked at.
        :returns: what is the end of the connection, if anything is.
        """
        error = None
        for said in self._guard.priorities:
            if not said[1]:
                error = ProtocolError(400, "the priority of no stream")
            elif len(said) == 3:
                self._update(said[1], said[2], last)
            else:
                self._outbox.prioritise(said[1], urgencyOf(said[3]), True)
        self._guard.priorities.clear()
        return error

    def _update(self, number: int, value: bytes, last: int) -> None:
        if number in self._outbox:
            self._outbox.prioritise(number, *parsePriority(value))
        elif len(self._early) < MAX_EARLY and number > last:
            self._early[number] = value

    def place(self, number: int, value: bytes | None) -> None:
        """Give a stream that begins its place among the others.

        :param value: of its field ``priority``.
        """
        early = self._early.pop(number, None) if self._early else None
        value = early if early is not None else value
        if value is not None:
            urgency, incremental = parsePriority(value)
            self._outbox.prioritise(number, min(urgency, LEAST_URGENT), incremental)
