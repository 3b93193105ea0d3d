"""The end that reads requests and writes responses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import DATA, HEAD, PRIORITY, RESET, IFramedServerCodec
from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.contracts.stream import OVERFLOW
from mosntx.protocol.errors import EncodeError, ProtocolError
from mosntx.protocol.http2.codec import Http2Codec, MakeEngine
from mosntx.protocol.http2.codes import (
    CANCEL,
    CONNECT_ERROR,
    ENABLE_CONNECT_PROTOCOL,
    ENABLE_PUSH,
    HEADER_TABLE_SIZE,
    INITIAL_WINDOW_SIZE,
    MAX_31,
    MAX_CONCURRENT_STREAMS,
    MAX_HEADER_LIST_SIZE,
    NO_ERROR,
    NO_RFC7540_PRIORITIES,
    REFUSED_STREAM,
    codeOf,
)
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.http2.encode import requestFields, responseFields
from mosntx.protocol.http2.fields import FieldReader
from mosntx.protocol.http2.frames import Stream, fits, settingsFrame
from mosntx.protocol.http2.heads import Http2RequestHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.tunnels import OfferStream, answerFields


@implementer(IFramedServerCodec)
class Http2ServerCodec(Http2Codec):
    """See `IFramedServerCodec`.

    :ivar closing: the client has been told to leave: no further streams are taken.
    """

    __slots__ = ("_last", "_pushLimit", "_pushOn", "_pushed", "backlog", "closing")

    def __init__(
        self,
        limits: Http2Limits,
        reader: FieldReader,
        engine: MakeEngine,
        counters: Http2Counters | None = None,
    ) -> None:
        self._last = 0
        self._pushOn = limits.enable_push
        self._pushed = 0
        self._pushLimit = limits.max_pushes
        self.backlog = 0
        self.closing = False
        super().__init__(limits, reader, engine, False, counters)
        settings = {
            HEADER_TABLE_SIZE: limits.header_table_size,
            MAX_CONCURRENT_STREAMS: limits.max_concurrent_streams,
            INITIAL_WINDOW_SIZE: limits.stream_window,
            MAX_HEADER_LIST_SIZE: limits.max_header_list_size,
            ENABLE_CONNECT_PROTOCOL: int(limits.enable_connect_protocol),
            NO_RFC7540_PRIORITIES: 1,
        }
        self._start = settingsFrame(settings) + self._engine.take()

    def next(self) -> list[Any]:
        """See `IServerCodec.next`: nobody waits here."""
        return []

    def _lastHandled(self) -> int:
        return self._last

    # receiving

    def headersReceived(self, number: int, fields: Sequence[Any], end: bool) -> None:
        """See `EngineEvents.headersReceived`."""
        limits = self._limits
        if self.closing or len(self._streams) - self._pushed >= limits.max_concurrent_streams:
            self._resetNow(number, REFUSED_STREAM)
            if not self.closing:
                self._blame()
            return
        self._last = number
        try:
            head = self._reader.request(fields)
        except ProtocolError as error:
            self._refuse(number, error.status)
            return
        if head.upgrade:
            self._offered(number, head, end)
            return
        stream = Stream(end)
        if head.contentLength is not None:
            stream.expected = head.contentLength
            if not fits(stream, end):
                self._malformed(number)
                return
        self._streams[number] = stream
        self._outbox.open(number)
        early = self._priorities.place(number, head.headers.get(b"priority"))
        if limits.max_body and (head.contentLength or 0) > limits.max_body:
            self._tooLarge(number, stream)
            return
        self._events.append((HEAD, number, head, end))
        if early is not None:
            self._events.append((PRIORITY, number, early, False))
        self._countRequest(number)

    def _offered(self, number: int, head: Http2RequestHead, end: bool) -> None:
        """A CONNECT has come. One that has ended is a tunnel with an end to pass on."""
        known = head.upgrade == CONNECT_TUNNEL or self._limits.enable_connect_protocol
        if not known or head.contentLength is not None:
            self._malformed(number)
            return
        self._streams[number] = OfferStream(head.upgrade, end)
        self._outbox.open(number)
        self._priorities.place(number, head.headers.get(b"priority"))
        self._events.append((HEAD, number, head, False))
        if end:
            self._events.append((DATA, number, b"", True))
        self._countRequest(number)

    def _countRequest(self, number: int) -> None:
        if number // 2 + 1 == self._limits.max_requests_per_connection:
            self.goAway()

    def interimReceived(self, number: int, fields: Sequence[Any]) -> None:
        """See `EngineEvents.interimReceived`: requests have none."""
        self._malformed(number)

    def pushReceived(self, number: int, promised: int, fields: Sequence[Any]) -> None:
        """See `EngineEvents.pushReceived`: servers are not pushed to."""

    def _refuse(self, number: int, status: int) -> None:
        """A head that is none: answer what can be answered, reset the rest."""
        if status == 431 or (status == 501 and self._limits.enable_connect_protocol):
            fields = [(b":status", b"%d" % status), (b"content-length", b"0")]
            self._engine.response(number, fields, True)
            self._after.append(number)
        else:
            self._malformed(number)

    def _allowed(self, number: int, stream: Stream) -> bool:
        if 0 < self._limits.max_body < stream.received and not stream.offer:
            self._tooLarge(number, stream)
            self._events.append((RESET, number, OVERFLOW, True))
            return False
        return True

    def _tooLarge(self, number: int, stream: Stream) -> None:
        """Answer 413, if nothing was answered yet, and take no more."""
        fields = [(b":status", b"413"), (b"content-length", b"0")]
        try:
            self._call(self._engine.response, number, fields, True)
        except ProtocolError:
            self._resetNow(number, NO_ERROR)
            return
        self._streams.pop(number, None)
        self._outbox.forget(number)
        if not stream.recvEnded:
            self._after.append(number)

    def settingsReceived(self, settings: Mapping[int, int]) -> None:
        """See `EngineEvents.settingsReceived`."""
        super().settingsReceived(settings)
        if not settings.get(ENABLE_PUSH, 1):
            self._pushOn = False  # who refused once does not ask for it again
        self._pushLimit = min(
            settings.get(MAX_CONCURRENT_STREAMS, self._pushLimit),
            self._limits.max_pushes,
        )

    # sending

    def responseHead(self, streamId: int, head: Any, end: bool) -> bytes:
        """See `IServerCodec.responseHead`."""
        stream = self._streams.get(streamId)
        if stream is not None and not stream.sendEnded:
            if isinstance(stream, OfferStream):
                fields = answerFields(stream, head, end)
            else:
                fields = responseFields(head)
            self._call(self._engine.response, streamId, fields, end)
            priority = head.headers.get(b"priority")
            if priority is not None:
                self._priorities.correct(streamId, priority)
            if end:
                self._sendEnded(streamId)
        return b""

    def responseInformational(self, streamId: int, head: Any) -> bytes:
        """See `IServerCodec.responseInformational`; 101 is none in HTTP/2."""
        if streamId in self._streams and 100 <= head.status < 200 and head.status != 101:
            self._call(self._engine.interim, streamId, responseFields(head))
        return b""

    def responseData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `IServerCodec.responseData`."""
        self._sendData(streamId, data, end)
        return b""

    def responseTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `IServerCodec.responseTrailers`."""
        self._sendTrailers(streamId, trailers)
        return b""

    def responseReset(self, streamId: int, reason: int) -> bytes:
        """See `IServerCodec.responseReset`. A tunnel breaks off at once, as its upstream did."""
        stream = self._streams.get(streamId)
        if isinstance(stream, OfferStream) and stream.tunnel and not self._dead:
            broken = CONNECT_ERROR if stream.offer == CONNECT_TUNNEL else CANCEL
            self._resetNow(streamId, codeOf(reason, broken))
            return b""
        self._reset(streamId, reason)
        return b""

    def push(self, streamId: int, head: Any) -> int:
        """See `IFramedServerCodec.push`."""
        stream = self._streams.get(streamId)
        full = self._pushed >= self._pushLimit
        if not self._pushOn or full or self.closing or self._dead:
            return 0
        if stream is None or stream.sendEnded or stream.ending:
            return 0
        try:
            promised: int = self._call(self._engine.push, streamId, requestFields(head, True))
        except EncodeError:  # it was promised by a stream that was pushed itself, for example
            return 0
        self._streams[promised] = Stream(True)
        self._outbox.open(promised)
        self._pushed += 1
        return promised

    def _over(self, number: int) -> None:
        if not number & 1 and number in self._streams:
            self._pushed -= 1
        super()._over(number)

    def resetReceived(self, number: int, code: int, ours: bool) -> None:
        """See `EngineEvents.resetReceived`."""
        if not number & 1 and number in self._streams:
            self._pushed -= 1
        super().resetReceived(number, code, ours)

    def drain(self) -> None:
        """See `IServerCodec.drain`: the first step; `goAway` is the second (RFC 9113 6.8)."""
        if not self._dead and not self.closing:
            self._sayGoAway(MAX_31, NO_ERROR)

    def goAway(self) -> bytes:
        """See `IFramedCodec.goAway`. Streams that begin after it are refused."""
        if not self.closing:
            self.closing = True
            super().goAway()
        return b""
