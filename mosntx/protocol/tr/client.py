"""The end that writes requests and reads responses."""

from __future__ import annotations

from collections import deque
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import HEARTBEAT, HEARTBEAT_ACK, MESSAGE, Event, IFrameClientCodec
from mosntx.protocol.tr.build import heartbeat
from mosntx.protocol.tr.foreign import toRequest
from mosntx.protocol.tr.heads import HEARTBEAT_CLASS, TrRequest
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.reader import FrameReader

#: Ids are positive longs; small ones have 1 to 3 octets.
MAX_ID = (1 << 63) - 1

#: Heartbeats whose ids are remembered. A connection is closed after 6 that were not answered.
_REMEMBERED = 16


@implementer(IFrameClientCodec)
class TrClientCodec(FrameReader):
    """See `IFrameClientCodec`. Stream numbers are the ids on the wire.

    No sample shows what answers a heartbeat, so besides the class of heartbeats the id of one of
    ours tells an acknowledgement. Requests of the upstream are ignored, but for heartbeats.

    :ivar nextId: the id of the next request or heartbeat: 1 to 2**63 - 1, then 1 again. Assignable.
    """

    __slots__ = ("_heartbeats", "nextId", "reusable")

    def __init__(self, limits: TrLimits) -> None:
        super().__init__(limits, 502)
        self._heartbeats: deque[int] = deque(maxlen=_REMEMBERED)
        self.nextId = 1
        self.reusable = True

    # Sending

    def skipId(self) -> None:
        """See `IFrameClientCodec.skipId`."""
        self.nextId = self.nextId + 1 & MAX_ID or 1

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        """See `mosntx.contracts.codec.IClientCodec.requestHead`.

        Without ``end`` nothing is written until the data are complete.

        :raises EncodeError: when TR cannot say it; the id is used for the next one.
        """
        number = self.nextId
        if not end:
            octets = b""
            self._bodies[number] = (head, bytearray())
        else:
            if type(head) is not TrRequest:
                head = toRequest(head, getattr(head, "content", b""))
            octets = head.octets(number)
        self.skipId()
        return number, octets

    def requestData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IClientCodec.requestData`.

        :raises EncodeError: when the data are more than the limit, or TR cannot say the head; the
            stream is over then and nothing of it was written.
        """
        if streamId not in self._bodies:
            return b""
        collected = self._collect(streamId, data, end)
        if collected is None:
            return b""
        head, content = collected
        if type(head) is TrRequest:
            head.content = content
        else:
            head = toRequest(head, content)
        octets: bytes = head.octets(streamId)
        return octets

    def requestTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `mosntx.contracts.codec.IClientCodec.requestTrailers`. They are dropped.

        :raises EncodeError: as `requestData`.
        """
        return self.requestData(streamId, b"", True)

    def reset(self, streamId: int, reason: int) -> bytes:
        """See `mosntx.contracts.codec.IClientCodec.reset`.

        Nothing can be said; an answer may still come.
        """
        self._bodies.pop(streamId, None)
        return b""

    def heartbeat(self) -> tuple[int, bytes]:
        """See `IFrameClientCodec.heartbeat`. Its shape is inferred, see `build`."""
        number = self.nextId
        self.skipId()
        self._heartbeats.append(number)
        return number, heartbeat(number)

    # Receiving

    def _frame(self, frame: bytes, events: list[Event]) -> None:
        head = self._head(frame)
        if head is None:
            return
        beats = head.className == HEARTBEAT_CLASS
        if not frame[1]:
            if beats:
                events.append((HEARTBEAT, 0, head, True))
            else:
                self.ignored += 1
            return
        number = head.requestId
        if number in self._heartbeats:
            self._heartbeats.remove(number)
            beats = True
        events.append((HEARTBEAT_ACK if beats else MESSAGE, number, head, True))

    def _forget(self) -> None:
        self.reusable = False
