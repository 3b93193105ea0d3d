"""The end that writes requests and reads responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import DATA, HEAD, INFORMATIONAL, PUSH, IFramedClientCodec
from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.codec import Http2Codec, MakeEngine
from mosntx.protocol.http2.codes import (
    CANCEL,
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    H2_PROTOCOL_ERROR,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_31,
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    PREFACE,
)
from mosntx.protocol.http2.fields import FieldReader, requestFields
from mosntx.protocol.http2.frames import Stream, fits, settingsFrame
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.tunnels import OfferStream, answered, offeringStream


@implementer(IFramedClientCodec)
class Http2ClientCodec(Http2Codec):
    """See `IFramedClientCodec`.

    :param requests: reads the heads of promised requests.
    :ivar takesOffers: the server lets a stream change its protocol (RFC 8441); ``None`` until its
        SETTINGS have come.
    """

    __slots__ = (
        "_bodiless",
        "_gone",
        "_informational",
        "_most",
        "_own",
        "_promised",
        "_requests",
        "reusable",
        "takesOffers",
    )

    def __init__(
        self, limits: Http2Limits, reader: FieldReader, requests: FieldReader, engine: MakeEngine
    ) -> None:
        self._requests = requests
        self._gone = False
        self._own = 0  # streams of ours that are open
        self._most = limits.max_concurrent_streams
        self._informational: dict[int, int] = {}
        self._promised = 0  # the highest stream that was promised
        self._bodiless: set[int] = set()  # answers to HEAD
        self.reusable = True
        self.takesOffers: bool | None = None
        super().__init__(limits, reader, engine, True)
        settings = {
            HEADER_TABLE_SIZE: limits.header_table_size,
            ENABLE_PUSH: int(limits.enable_push),
            MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            INITIAL_WINDOW_SIZE: limits.stream_window,
            MAX_HEADER_LIST_SIZE: limits.max_header_list_size,
        }
        self._start = PREFACE + settingsFrame(settings) + self._engine.take()

    @property
    def capacity(self) -> int:
        """See `IFramedClientCodec.capacity`."""
        return 0 if self._gone or self._dead else max(0, self._most - self._own)

    # receiving

    def headersReceived(self, number: int, fields: Sequence[Any], end: bool) -> None:
        """See `EngineEvents.headersReceived`."""
        stream = self._streams.get(number)
        if stream is None:
            if not number & 1 and number > self._promised:
                error = ProtocolError(502, "a response to a request that was never promised")
                self._die(H2_PROTOCOL_ERROR, error)
            return
        try:
            head = self._reader.response(fields)
            if isinstance(stream, OfferStream):
                head = answered(stream, head)
            if head.contentLength is not None and number not in self._bodiless:
                if head.status != 304:
                    stream.expected = head.contentLength
                if not fits(stream, end):
                    raise ProtocolError(502, "the body is not as long as Content-Length says")
        except ProtocolError:
            self._malformed(number)
            return
        if end and stream.offer:
            self._events += ((HEAD, number, head, False), (DATA, number, b"", True))
        else:
            self._events.append((HEAD, number, head, end))
        if end:
            self._recvEnded(number, stream)

    def interimReceived(self, number: int, fields: Sequence[Any]) -> None:
        """See `EngineEvents.interimReceived`."""
        if number not in self._streams:
            return
        count = self._informational[number] = self._informational.get(number, 0) + 1
        try:
            head = self._reader.response(fields)
        except ProtocolError:
            self._malformed(number)
            return
        if head.status == 101 or count > self._limits.max_informational:
            self._malformed(number)
            return
        self._events.append((INFORMATIONAL, number, head, False))

    def pushReceived(self, number: int, promised: int, fields: Sequence[Any]) -> None:
        """See `EngineEvents.pushReceived`."""
        self._promised = max(self._promised, promised)
        try:
            head = self._requests.request(fields)
        except ProtocolError:
            self._malformed(promised)
            return
        if number not in self._streams or not head.replayable or head.contentLength or head.upgrade:
            self._resetNow(promised, CANCEL)
            return
        self._streams[promised] = Stream(False, True)
        self._events.append((PUSH, number, (promised, head), False))

    def goAwayReceived(self, last: int, code: int) -> None:
        """See `EngineEvents.goAwayReceived`."""
        self._gone = True
        super().goAwayReceived(last, code)

    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        """See `EngineEvents.settingsReceived`."""
        super().settingsReceived(settings)
        most = settings.get(MAX_CONCURRENT_STREAMS)
        if most is not None:
            self._most = min(most, self._limits.max_concurrent_streams)
        self.takesOffers = bool(settings.get(ENABLE_CONNECT_PROTOCOL, self.takesOffers))

    # sending

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        """See `IClientCodec.requestHead`."""
        fields = requestFields(head, end)
        stream: Stream
        offer: bytes = b"" if end else getattr(head, "upgrade", b"")
        stream = offeringStream(head) if offer else Stream(False, end)
        number: int = self._call(self._engine.request, fields, end)
        if number > MAX_31 - 2:
            self._gone = True
        self._streams[number] = stream
        if head.method == b"HEAD":
            self._bodiless.add(number)
        self._own += 1
        self._outbox.open(number)
        self._place(number, head.headers.get(b"priority"))
        return number, b""

    def requestData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `IClientCodec.requestData`."""
        self._sendData(streamId, data, end)
        return b""

    def requestTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `IClientCodec.requestTrailers`."""
        self._sendTrailers(streamId, trailers)
        return b""

    def reset(self, streamId: int, reason: int) -> bytes:
        """See `IClientCodec.reset`. What waits to be sent is dropped: nobody wants it."""
        stream = self._streams.get(streamId)
        if stream is not None and not self._dead:
            self._resetNow(streamId, CANCEL)
        return b""

    def acceptPush(self, streamId: int, accept: bool) -> None:
        """See `IFramedClientCodec.acceptPush`."""
        if not accept and streamId in self._streams:
            self._resetNow(streamId, CANCEL)

    def _over(self, number: int) -> None:
        if number & 1 and number in self._streams:
            self._own -= 1
            self._informational.pop(number, None)
            self._bodiless.discard(number)
        super()._over(number)

    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        """See `EngineEvents.resetReceived`."""
        if number & 1 and number in self._streams:
            self._own -= 1
            self._informational.pop(number, None)
            self._bodiless.discard(number)
        super().resetReceived(number, code, ours)
