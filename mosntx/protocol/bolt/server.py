"""The end that reads requests and writes responses."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import MESSAGE, Event, IFrameServerCodec
from mosntx.protocol.bolt.codes import (
    GOAWAY_COMMAND,
    HESSIAN2,
    ONEWAY,
    REQUEST,
    RPC_REQUEST,
    SERVER_DESERIAL_EXCEPTION,
    VERSION_1,
    resetStatus,
)
from mosntx.protocol.bolt.collect import Collected
from mosntx.protocol.bolt.foreign import answerSwitch, toResponse
from mosntx.protocol.bolt.frames import packId, packRequest, packResponse, sealed, withId
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.reader import FrameReader
from mosntx.protocol.bolt.simplemap import findService
from mosntx.protocol.errors import EncodeError


def emptyAnswer(request: BoltRequest, status: int) -> bytes:
    """Return a response of nothing but its fixed part, as MOSN's own answers are.

    :param status: of Bolt.
    """
    return sealed(
        packResponse(
            request.version,
            request.requestId,
            HESSIAN2,
            status,
            ver1=request.ver1,
            switch=answerSwitch(request),
        )
    )


@implementer(IFrameServerCodec)
class BoltServerCodec(FrameReader):
    """See `IFrameServerCodec`. Stream numbers are counted here.

    A client may use an id twice at a time and gets both answers. A one-way request has a number
    too, but nothing is written for it.

    A request whose header map is broken is answered here, if the limits say so: its answer is in
    `bytesToSend`, and no event tells of it.

    :ivar brokenMaps: requests with a broken header map so far, as far as they were looked at.
    """

    __slots__ = (
        "_checkMap",
        "_collected",
        "_maxContent",
        "_number",
        "_out",
        "_unanswered",
        "_version",
        "brokenMaps",
        "closing",
    )

    backlog = 0
    _command = RPC_REQUEST
    _kinds = (REQUEST, ONEWAY)

    def __init__(self, limits: BoltLimits, version: int = VERSION_1) -> None:
        """:param version: of frames that belong to no request."""
        super().__init__(limits, 400)
        self._checkMap = limits.check_header_map
        self._maxContent = limits.max_content
        self._version = version
        self._number = 0
        # What an answer needs is in the head of its request.
        self._unanswered: dict[int, BoltRequest] = {}
        self._collected: dict[int, Collected] = {}
        self._out = b""
        self.brokenMaps = 0
        self.closing = False

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
        if command != RPC_REQUEST:
            super()._take(kind, command, frame, requestId, value, mapStart, mapEnd, events)
            return
        oneway = kind == ONEWAY
        service = findService(frame, mapStart, mapEnd) if self._checkMap else None
        head = BoltRequest(frame, requestId, value, oneway, mapStart, mapEnd, service)
        if service is None and self._checkMap:
            self.brokenMaps += 1
            if not oneway:
                self._out += emptyAnswer(head, SERVER_DESERIAL_EXCEPTION)
            return
        number = self._number = self._number + 1
        if not oneway:
            self._unanswered[number] = head
        events.append((MESSAGE, number, head, True))

    def _forget(self) -> None:
        self.closing = True

    def bytesToSend(self) -> bytes:
        """See `mosntx.contracts.codec.ICodec.bytesToSend`."""
        octets = self._out
        if octets:
            self._out = b""
        return octets

    def next(self) -> list[Event]:
        """See `mosntx.contracts.codec.IServerCodec.next`. Requests do not wait for each other."""
        return []

    def drain(self) -> None:
        """See `mosntx.contracts.codec.IServerCodec.drain`.

        `goAway` is all that the protocol can say, and not every client understands it. Requests
        that come all the same are served.
        """

    def goAway(self) -> bytes:
        """See `IFrameServerCodec.goAway`. SOFABolt 1.6 closes on it, MOSN 1.x understands it."""
        return packRequest(self._version, REQUEST, GOAWAY_COMMAND, 0, HESSIAN2, 0)

    # Sending

    def responseHead(self, streamId: int, head: Any, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseHead`.

        Without ``end`` nothing is written until the data are complete.

        :raises EncodeError: when it does not fit into a frame.
        """
        request = self._unanswered.pop(streamId, None)
        if request is None:
            return b""
        if end and type(head) is BoltResponse:
            headers = head.decoded
            if headers is None or not headers.changed:
                frame = head.frame
                version = frame[0]
                if version == VERSION_1 and request.frame[0] == VERSION_1:
                    return frame[:5] + packId(request.requestId) + frame[9:]
                if version == request.frame[0] and frame[1] == request.frame[1]:
                    return withId(frame, request.requestId)
        self._unanswered[streamId] = request  # until it is known that the head can be written
        if not end:
            self._collected[streamId] = Collected(head, self._maxContent)
            return b""
        return self._answer(streamId, head, getattr(head, "content", b""))

    def _answer(self, number: int, head: Any, content: bytes) -> bytes:
        request = self._unanswered[number]
        octets = toResponse(head, content, request).octets(request.requestId)
        del self._unanswered[number]
        return octets

    def responseInformational(self, streamId: int, head: Any) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseInformational`. There are none."""
        return b""

    def responseData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseData`.

        :raises EncodeError: when the data are more than the limit, or do not fit into a frame.
            Another head may be tried then.
        """
        collected = self._collected.get(streamId)
        if collected is None:
            return b""
        try:
            collected.add(data)
            if not end:
                return b""
            octets = self._answer(streamId, collected.head, collected.content())
        except EncodeError:
            del self._collected[streamId]
            raise
        del self._collected[streamId]
        return octets

    def responseTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseTrailers`. They are dropped.

        :raises EncodeError: as `responseData`.
        """
        return self.responseData(streamId, b"", True)

    def responseReset(self, streamId: int, reason: int) -> bytes:
        """See `mosntx.contracts.codec.IServerCodec.responseReset`.

        No octet of an answer can have been written, so the client gets one with the status of the
        reason (`mosntx.protocol.bolt.codes.RESET_STATUS`).
        """
        self._collected.pop(streamId, None)
        request = self._unanswered.pop(streamId, None)
        return b"" if request is None else emptyAnswer(request, resetStatus(reason))
