"""Who goes first, as the peer says: PRIORITY and PRIORITY_UPDATE frames, the field ``priority``."""

from __future__ import annotations

from mosntx.contracts.codec import PRIORITY, Event
from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.guard import FrameGuard
from mosntx.protocol.http2.outbox import Outbox, parsePriority

#: PRIORITY_UPDATE frames kept for streams that have not begun (RFC 9218 7.1 lets them come early).
MAX_EARLY = 64


class Priorities:
    """The priorities of the streams of one connection."""

    __slots__ = ("_early", "_guard", "_outbox", "_serving")

    def __init__(self, guard: FrameGuard, outbox: Outbox, serving: bool) -> None:
        """:param serving: the peer is a client: only clients may send PRIORITY_UPDATE."""
        self._guard = guard
        self._outbox = outbox
        self._serving = serving
        self._early: dict[int, bytes] = {}

    def take(self, last: int, events: list[Event]) -> ProtocolError | None:
        """Do as the frames say that the guard has seen; RFC 9113 5.3.2 lets us ignore PRIORITY.

        :param last: the highest stream of the peer that was looked at.
        :param events: gets a `PRIORITY` for each stream that has another one now.
        :returns: what is the end of the connection, if anything is.
        """
        error = None
        for said in self._guard.priorities:
            if not said[1]:
                error = ProtocolError(400, "the priority of no stream")
            elif len(said) == 3 and not self._serving:
                error = ProtocolError(502, "PRIORITY_UPDATE of a server")
            elif len(said) == 3:
                self._update(said[1], said[2], last, events)
        self._guard.priorities.clear()
        return error

    def _update(self, number: int, value: bytes, last: int, events: list[Event]) -> None:
        if number in self._outbox:
            self._outbox.prioritise(number, *parsePriority(value))
            events.append((PRIORITY, number, value, False))
        elif number & 1 and number > last and len(self._early) < MAX_EARLY:
            self._early[number] = value

    def place(self, number: int, value: bytes | None) -> bytes | None:
        """Give a stream that begins its place among the others.

        :param value: of its field ``priority``.
        :returns: what was said of it before it began, and counts more.
        """
        early = self._early.pop(number, None) if self._early else None
        value = early if early is not None else value
        if value is not None:
            self._outbox.prioritise(number, *parsePriority(value))
        return early

    def correct(self, number: int, value: bytes) -> None:
        """The server knows better (RFC 9218 8): what its response does not say stays."""
        outbox = self._outbox
        outbox.prioritise(number, *parsePriority(value, outbox.priority(number)))
