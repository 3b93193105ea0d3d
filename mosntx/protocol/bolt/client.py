"""The end that writes requests and reads responses."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import MESSAGE, Event, IFrameClientCodec
from mosntx.protocol.bolt.codes import (
    HEARTBEAT_COMMAND,
    HESSIAN2,
    NO_TIMEOUT,
    REQUEST,
    RESPONSE,
    RPC_RESPONSE,
    VERSION_1,
)
from mosntx.protocol.bolt.collect import Collected
from mosntx.protocol.bolt.foreign import toRequest
from mosntx.protocol.bolt.frames import MAX_ID, packId, packRequest, withId
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.reader import FrameReader
from mosntx.protocol.errors import EncodeError


@implementer(IFrameClientCodec)
class BoltClientCodec(FrameReader):
    """See `IFrameClientCodec`. Stream numbers are the ids on the wire.

    A frame goes out in the version that it has. Requests of the upstream (SOFABolt can call back)
    are ignored.

    :ivar nextId: the id of the next request or heartbeat: 1 to 2**32 - 1, then 1 again. Assignable.
    """

    __slots__ = ("_collected", "_crc", "_maxContent", "_version", "nextId", "reusable")

    _command = RPC_RESPONSE
    _kinds = (RESPONSE,)

    def __init__(self, limits: BoltLimits, version: int = VERSION_1, crc: bool = False) -> None:
        """:param version: of frames that are made here.

        :param crc: version 2: requests that are made here have a CRC32.
        """
        super().__init__(limits, 502)
        self._maxContent = limits.max_content
        self._version = version
        self._crc = crc
        self._collected: dict[int, Collected] = {}
        self.nextId = 1
        self.reusable = True

    # Sending

    def skipId(self) -> None:
        """See `IFrameClientCodec.skipId`."""
        self.nextId = self.nextId + 1 & MAX_ID or 1

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        """See `mosntx.contracts.codec.IClientCodec.requestHead`.

        Without ``end`` nothing is written until the data are complete.

        :raises EncodeError: when it does not fit into a frame; the id is used for the next one.
        """
        number = self.nextId
        if end and type(head) is BoltRequest:
            headers = head.decoded
            if headers is None or not headers.changed:
                frame = head.frame
                self.nextId = number + 1 & MAX_ID or 1
                if frame[0] == VERSION_1:
                    return number, frame[:5] + packId(number) + frame[9:]
                return number, withId(frame, number)
            octets = head.octets(number)
        elif end:
            octets = self._request(number, head, getattr(head, "content", b""))
        else:
            octets = b""
            self._collected[number] = Collected(head, self._maxContent)
        self.nextId = number + 1 & MAX_ID or 1
        return number, octets

    def _request(self, number: int, head: Any, content: bytes) -> bytes:
        return toRequest(head, content, self._version, self._crc).octets(number)

    def requestData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IClientCodec.requestData`.

        :raises EncodeError: when the data are more than the limit, or do not fit into a frame; the
            stream is over then and nothing of it was written.
        """
        collected = self._collected.get(streamId)
        if collected is None:
            return b""
        try:
            collected.add(data)
            if not end:
                return b""
            octets = self._request(streamId, collected.head, collected.content())
        except EncodeError:
            del self._collected[streamId]
            raise
        del self._collected[streamId]
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
        self._collected.pop(streamId, None)
        return b""

    def heartbeat(self) -> tuple[int, bytes]:
        """See `IFrameClientCodec.heartbeat`. As SOFABolt's: no timeout, never a CRC32."""
        number = self.nextId
        self.skipId()
        octets = packRequest(
            self._version, REQUEST, HEARTBEAT_COMMAND, number, HESSIAN2, NO_TIMEOUT
        )
        return number, octets

    # Receiving

    def _take(
        self,
        kind: int,
        command: int,
        frame: bytes,
        requestId: int,
        value: int,
        mapStart: int,
        mapEnd: int,
        events: list[Event],
    ) -> None:
        if command == RPC_RESPONSE:
            head = BoltResponse(frame, requestId, value, mapStart, mapEnd)
            events.append((MESSAGE, requestId, head, True))
        else:
            super()._take(kind, command, frame, requestId, value, mapStart, mapEnd, events)

    def _forget(self) -> None:
        self.reusable = False

    def bytesToSend(self) -> bytes:
        """See `mosntx.contracts.codec.ICodec.bytesToSend`. This end has nothing to say."""
        return b""
