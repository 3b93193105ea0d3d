"""What a peer must do in time, counted in looks.

A look is a call of `ICodec.timeout`. As long as something is waited for they come at a fixed pace,
so no wait needs a clock, or a timer of its own: it has lasted too long after so many looks without
any progress, and is noticed at most one look late.
"""

from __future__ import annotations

from math import ceil

from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.codes import ENHANCE_YOUR_CALM, SETTINGS_TIMEOUT
from mosntx.protocol.http2.counters import CONNECTION_WINDOW_WAIT, HEADERS_WAIT, PREFACE_WAIT
from mosntx.protocol.http2.guard import FrameGuard
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.outbox import Outbox

#: Looks during the shortest wait.
LOOKS = 4


class WaitError(ProtocolError):
    """A peer did not go on in time.

    :param name: of the wait, see `mosntx.protocol.http2.counters`.
    :param code: the HTTP/2 error code of the GOAWAY.
    """

    def __init__(self, name: str, code: int, reason: str) -> None:
        super().__init__(408, reason)
        self.name = name
        self.code = code


class Waits:
    """The waits of one connection.

    :ivar stalled: after `look`, the streams whose windows have been closed for too long.
    """

    __slots__ = (
        "_block",
        "_blockLooks",
        "_guard",
        "_headers",
        "_looks",
        "_outbox",
        "_settings",
        "_step",
        "_window",
        "stalled",
    )

    def __init__(self, limits: Http2Limits, guard: FrameGuard, outbox: Outbox) -> None:
        self._guard = guard
        self._outbox = outbox
        times = (limits.settings_timeout, limits.header_timeout, limits.window_timeout)
        self._step = min([each for each in times if each], default=0.0) / LOOKS
        # How many looks each may last; 0 for ever.
        self._settings, self._headers, self._window = (
            ceil(each / self._step) if each else 0 for each in times
        )
        self._looks = 0
        self._block = 0
        self._blockLooks = 0
        self.stalled: list[int] = []

    def limit(self, corked: bool) -> float:
        """Return the seconds until the next look, 0.0 while nothing is waited for.

        :param corked: the transport is full. Then windows are not what is waited for, and
            `mosntx.net.watches.WriteWatch` sees to it.
        """
        guard = self._guard
        if (
            (self._outbox.queued and self._window and not corked)
            or (not guard.begun and self._settings)
            or (self._headers and guard.blockComing)
        ):
            return self._step
        return 0.0

    def look(self, corked: bool) -> WaitError | None:
        """Time has passed. Return what is the end of the connection, if anything is."""
        self.stalled.clear()
        guard = self._guard
        if not guard.begun and self._settings:
            self._looks += 1
            if self._looks > self._settings:
                return WaitError(PREFACE_WAIT, SETTINGS_TIMEOUT, "no SETTINGS came in time")
        if self._headers and guard.blockComing:
            if guard.blocks != self._block:
                self._block = guard.blocks
                self._blockLooks = 0
            self._blockLooks += 1
            if self._blockLooks > self._headers:
                return WaitError(HEADERS_WAIT, ENHANCE_YOUR_CALM, "a field block took too long")
        if self._window and not corked:
            late = self._outbox.look(self._window)
            if late == [0]:
                text = "the window of the connection stays closed"
                return WaitError(CONNECTION_WINDOW_WAIT, ENHANCE_YOUR_CALM, text)
            self.stalled += late
        return None
