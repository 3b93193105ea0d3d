"""The end that writes requests and reads responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import DATA, HEAD, INFORMATIONAL, PUSH, RESET, IFramedClientCodec
from mosntx.contracts.stream import REFUSED
from mosntx.protocol.buckets import Bucket, Rate
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
    NO_RFC7540_PRIORITIES,
    PREFACE,
    REFUSED_STREAM,
)
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.http2.encode import requestFields
from mosntx.protocol.http2.fields import FieldReader
from mosntx.protocol.http2.frames import Stream, fits, priorityUpdateFrame, settingsFrame
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.outbox import parsePriority, priorityValue
from mosntx.protocol.http2.tunnels import OfferStream, answered, offeringStream

#: Methods of requests that may be promised: safe and cacheable ones (RFC 9113 8.4).
PUSHABLE = (b"GET", b"HEAD")

#: PRIORITY_UPDATE frames that one connection sends. Many clients share it, and what they say
#: together must not look like a flood to the upstream: half of what `FloodLimits` lets pass.
RELAYED_PRIORITIES = Rate(500, 50.0)


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
        "_hints",
        "_informational",
        "_most",
        "_own",
        "_promised",
        "_pushes",
        "_relays",
        "_requests",
        "reusable",
        "takesOffers",
    )

    def __init__(
        self,
        limits: Http2Limits,
        reader: FieldReader,
        requests: FieldReader,
        engine: MakeEngine,
        counters: Http2Counters | None = None,
    ) -> None:
        self._requests = requests
        self._gone = False
        self._own = 0  # streams of ours that are open
        self._most = limits.max_concurrent_streams
        self._informational: dict[int, int] = {}
        self._promised = 0  # the highest stream that was promised
        self._pushes = 0  # streams of the peer that are not over
        self._relays = Bucket("relayed_priorities", RELAYED_PRIORITIES)
        self._hints = False  # the peer goes by RFC 9218
        self._bodiless: set[int] = set()  # answers to HEAD
        self.reusable = True
        self.takesOffers: bool | None = None
        super().__init__(limits, reader, engine, True, counters)
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
        if self._gone or self._dead or self._own >= self._most:
            return 0
        return self._most - self._own

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
            if head.status == 304 or number in self._bodiless:
                stream.expected = 0  # whatever Content-Length says (RFC 9110 8.6)
            elif head.contentLength is not None:
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
        if head.method not in PUSHABLE or head.contentLength or head.upgrade:  # RFC 9113 8.4
            self._malformed(promised)
            return
        stream, limits = self._streams.get(number), self._limits
        if stream is None:
            self._resetNow(promised, CANCEL)
            return
        stream.pushes += 1
        full = self._pushes >= limits.max_pushes
        if full or stream.pushes > limits.max_pushes_per_request:
            self._resetNow(promised, REFUSED_STREAM)
            return
        self._streams[promised] = Stream(False, True)
        self._pushes += 1
        if head.method == b"HEAD":
            self._bodiless.add(promised)
        self._events.append((PUSH, number, (promised, head), False))

    def goAwayReceived(self, last: int, code: int) -> None:
        """See `EngineEvents.goAwayReceived`. Requests above ``last`` were not looked at."""
        self._gone = True
        super().goAwayReceived(last, code)
        for number in [each for each in self._streams if each > last and each & 1]:
            self._over(number)
            self._events.append((RESET, number, REFUSED, True))

    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        """See `EngineEvents.settingsReceived`."""
        super().settingsReceived(settings)
        most = settings.get(MAX_CONCURRENT_STREAMS)
        if most is not None:
            self._most = min(most, self._limits.max_concurrent_streams)
        if settings.get(NO_RFC7540_PRIORITIES):
            self._hints = True
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
        self._priorities.place(number, head.headers.get(b"priority"))
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

    def prioritise(self, streamId: int, value: bytes) -> None:
        """See `IFramedClientCodec.prioritise`.

        A server that has not sent SETTINGS_NO_RFC7540_PRIORITIES is likely to ignore the frame, and
        is not sent any (RFC 9218 2.1.1); so are those above `RELAYED_PRIORITIES`.
        """
        if streamId in self._streams and not self._dead:
            priority = parsePriority(value)
            self._outbox.prioritise(streamId, *priority)
            if self._hints and self._relays.take(self.now):
                self._extra.append(priorityUpdateFrame(streamId, priorityValue(*priority)))

    def _over(self, number: int) -> None:
        self._left(number)
        super()._over(number)

    def _left(self, number: int) -> None:
        if number in self._streams:
            if number & 1:
                self._own -= 1
            else:
                self._pushes -= 1
            if self._informational:
                self._informational.pop(number, None)
            if self._bodiless:
                self._bodiless.discard(number)

    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        """See `EngineEvents.resetReceived`."""
        self._left(number)
        super().resetReceived(number, code, ours)
