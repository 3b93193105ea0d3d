"""The end that reads requests and writes responses."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import HEARTBEAT, MESSAGE, Event, IFrameServerCodec
from mosntx.contracts.stream import RESET_NAMES
from mosntx.protocol.tr.build import plainResponse
from mosntx.protocol.tr.foreign import toResponse
from mosntx.protocol.tr.heads import HEARTBEAT_CLASS, TrResponse
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.reader import FrameReader


@implementer(IFrameServerCodec)
class TrServerCodec(FrameReader):
    """See `IFrameServerCodec`. Stream numbers are counted here; responses get the client's id.

    A client may use an id twice at a time and gets both answers. A one-way request has a number
    too, but nothing is written for it.
    """

    __slots__ = ("_number", "_unanswered", "closing")

    backlog = 0

    def __init__(self, limits: TrLimits) -> None:
        super().__init__(limits, 400)
        self._number = 0
        # Stream number -> id, serialization and grammar of the request.
        self._unanswered: dict[int, tuple[int, int, bool]] = {}
        self.closing = False

    # Receiving

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        if frame[1]:
            self.ignored += 1
            return
        head = self._head(frame)
        if head is None:
            return
        if head.className == HEARTBEAT_CLASS:
            events.append((HEARTBEAT, 0, head, True))
            return
        number = self._number = self._number + 1
        if not head.oneway:
            self._unanswered[number] = (head.requestId, frame[2], head.connection.final)
        events.append((MESSAGE, number, head, True))

    def _forget(self) -> None:
        self.closing = True

    def next(self) -> list[Event]:
        """See `mosntx.contracts.codec.IServerCodec.next`. Requests do not wait for each other."""
        return []

    def drain(self) -> None:
        """See `mosntx.contracts.codec.IServerCodec.drain`.

        TR cannot say it. Requests that come all the same are served.
        """

    def goAway(self) -> bytes:
        """See `IFrameServerCodec.goAway`. TR cannot say it."""
        return b""

    # Sending

    def responseHead(self, streamId: int, head: Any, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseHead`.

        Without ``end`` nothing is written until the data are complete.

        :raises EncodeError: when TR cannot say it.
        """
        request = self._unanswered.get(streamId)
        if request is None:
            return b""
        if not end:
            self._bodies[streamId] = (head, bytearray())
            return b""
        if type(head) is not TrResponse:
            head = toResponse(head, getattr(head, "content", b""), *request[1:])
        del self._unanswered[streamId]
        octets: bytes = head.octets(request[0])
        return octets

    def responseInformational(self, streamId: int, head: Any) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseInformational`. There are none."""
        return b""

    def responseData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseData`.

        :raises EncodeError: when the data are more than the limit, or TR cannot say the head.
            Another head may be tried then.
        """
        if streamId not in self._bodies:
            return b""
        collected = self._collect(streamId, data, end)
        if collected is None:
            return b""
        head, content = collected
        if type(head) is TrResponse:
            head.content = content
        else:
            head = toResponse(head, content, *self._unanswered[streamId][1:])
        return self.responseHead(streamId, head, True)

    def responseTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseTrailers`. They are dropped.

        :raises EncodeError: as `responseData`.
        """
        return self.responseData(streamId, b"", True)

    def responseReset(self, streamId: int, reason: int) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseReset`.

        No octet of an answer can have been written, so the client gets one that names the reason.
        """
        self._bodies.pop(streamId, None)
        request = self._unanswered.pop(streamId, None)
        if request is None:
            return b""
        return plainResponse(request[0], RESET_NAMES[reason], *request[1:])
