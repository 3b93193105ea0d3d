"""The end that reads requests and writes responses."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import DATA, FAILED, RESET, Event, IServerCodec
from mosntx.contracts.codec import HEAD as HEAD_EVENT
from mosntx.contracts.message import CONNECT_TUNNEL, accepts
from mosntx.contracts.stream import DOWNSTREAM_GONE
from mosntx.protocol.errors import EncodeError, LimitError, ProtocolError, WaitError
from mosntx.protocol.http1 import encode
from mosntx.protocol.http1.chunked import ChunkedReader
from mosntx.protocol.http1.encode import CHUNKS, IDENTITY, NO_BODY, UNTIL_CLOSE
from mosntx.protocol.http1.fields import HOP_BY_HOP, FieldParser, WireHeaders
from mosntx.protocol.http1.framing import (
    ORIGIN_LINE,
    HeadLimits,
    checkChunked,
    connectionOptions,
    cutChunked,
    offered,
    parseLength,
    parseRequestLine,
    stripHopByHop,
)
from mosntx.protocol.http1.heads import RequestHead, ResponseHead, statusLine, validAuthority
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.reader import CHUNKED, DONE, HEAD, LENGTH, OFFERED, MessageReader
from mosntx.protocol.http1.reader import UNTIL_CLOSE as TUNNEL
from mosntx.protocol.status import BODYLESS, hasBody, phrase

#: Fields that few requests have and that need a closer look.
_RARE = HOP_BY_HOP | {b"expect"}
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))


def farewell(error: ProtocolError) -> bytes:
    """Return the response that tells a client why its connection ends."""
    text = error.reason.encode("ascii", "replace") + b"\n"
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%b"
    ) % (error.status, phrase(error.status), len(text), text)


@implementer(IServerCodec)
class Http1ServerCodec(MessageReader):
    """See `IServerCodec`.

    A request body over `Http1Limits.max_body` is a `FAILED` event with status 413: before the head
    when Content-Length announces it, else at the chunk that would pass the limit.
    """

    __slots__ = (
        "_authority",
        "_draining",
        "_eof",
        "_host",
        "_http11",
        "_method",
        "_offer",
        "_plain",
        "_responded",
        "_sendLeft",
        "_sending",
        "_waiting",
        "backlog",
        "closing",
        "tunnel",
    )

    def __init__(self, limits: Http1Limits, fields: FieldParser, heads: HeadLimits) -> None:
        super().__init__(limits, fields, heads, limits.header_timeout)
        self._host: bytes | None = None  # the last Host field and what it came to
        self._authority = b""
        self._method = b""
        self._offer = b""
        self._http11 = True
        self._plain = False  # the response needs no field of ours
        self._responded = False
        self._draining = False
        self._eof = False
        self._sending = NO_BODY
        self._sendLeft = 0
        self._waiting: bytes | bytearray = b""
        self.backlog = 0
        self.closing = False
        self.tunnel = False

    @property
    def backlogLimit(self) -> int:
        """Octets of further requests that may wait here."""
        return self._limits.max_backlog

    # Receiving

    def _head(self, line: bytes, block: bytes, events: list[Event]) -> None:
        match = ORIGIN_LINE.fullmatch(line)
        if match is None:
            head, headers = self._oddHead(line, block)
            index = headers.index
        else:
            method, path = match.groups()
            headers = self._fields.parse(block, self._limits.max_headers, True)
            index = headers.index
            host = index.get(b"host")
            if host is None or host != self._host:
                self._checkHost(host, True)
            head = RequestHead(method, path, self._authority, headers, line)
            self._method = method
            self._http11 = True
            self._plain = method != b"HEAD"
        length = 0
        declared = index.get(b"content-length")
        if declared is not None:
            head.contentLength = length = parseLength(declared, 400)
            if length > self._limits.max_body > 0:
                raise LimitError(413, "body too large")
        state = LENGTH if length else DONE
        if not (self._http11 and _RARE.isdisjoint(index)):
            state = self._hopFields(head, headers, state)
        if head.upgrade:
            self._offer = head.upgrade
            state = OFFERED
        number = self._number = self._number + 1
        if number == self._limits.max_requests_per_connection:
            self.closing = True
        self._left = length
        self._state = state
        events.append((HEAD_EVENT, number, head, state == DONE))

    def _oddHead(self, line: bytes, block: bytes) -> tuple[RequestHead, WireHeaders]:
        """Read a request that is not in origin form, or in HTTP/1.0."""
        if not line:  # the one empty line allowed in front (RFC 9112 2.2)
            end = block.find(b"\r\n", 2)
            line, block = block[2:end], block[end:]
            if len(line) > self._heads.maxLine:
                raise LimitError(414, "start line too long")
        method, path, authority, self._http11 = parseRequestLine(line)
        headers = self._fields.parse(block, self._limits.max_headers, self._http11)
        index = headers.index
        if method == b"CONNECT" and not _FRAMING.isdisjoint(index):
            raise ProtocolError(400, "CONNECT with a body")
        host = index.get(b"host")
        self._checkHost(host, self._http11)
        self._method = method
        self._plain = False
        head = RequestHead(method, path, authority or self._authority, headers)
        head.upgrade = CONNECT_TUNNEL if method == b"CONNECT" else b""
        if authority and host is not None and authority != host.lower():
            # The target decides; nobody behind us shall read the other (RFC 9112 3.2.2).
            headers.rewrite(b"host", authority)
        return head, headers

    def _checkHost(self, host: bytes | None, http11: bool) -> None:
        if host is None:
            if http11:
                raise ProtocolError(400, "host field missing")
            self._authority = b""
        elif not validAuthority(host):
            raise ProtocolError(400, "malformed host field")
        else:
            self._authority = host.lower()
        self._host = host

    def _hopFields(self, head: RequestHead, headers: WireHeaders, state: int) -> int:
        """Read the fields that are for this hop; return what comes after the head."""
        http11 = self._http11
        if b"transfer-encoding" in headers.index:
            if not (http11 and cutChunked(headers)):
                checkChunked(headers, http11)
            self._chunks = ChunkedReader(self._limits, self._limits.max_body, 400)
            state = CHUNKED
        index = headers.index
        if http11 and _RARE.isdisjoint(index):
            return state
        options = connectionOptions(headers)
        if b"close" in options or not (http11 or b"keep-alive" in options):
            self.closing = True
        if b"expect" in index:
            if headers.joined(b"expect").lower() != b"100-continue":
                raise ProtocolError(417, "only 100-continue can be expected")
            head.expectContinue = http11 and state != DONE
            headers.forget((b"expect",))
        if b"upgrade" in options and http11 and state == DONE and self._method == b"GET":
            head.upgrade = offered(headers)
        stripHopByHop(headers, options)
        return state

    def _ended(self) -> None:
        self._state = DONE

    def _excess(self, data: bytes) -> None:
        """Keep octets of the next requests, or of a tunnel; not when there will be none."""
        if self.closing and self._state == DONE:
            return
        if self._waiting:
            if not isinstance(self._waiting, bytearray):
                self._waiting = bytearray(self._waiting)
            self._waiting += data
        else:
            self._waiting = data
        self.backlog = len(self._waiting)

    def next(self) -> list[Event]:
        """See `IServerCodec.next`. `closing` afterwards tells that nothing will follow."""
        if self._state == HEAD:
            return []
        if self._state == TUNNEL:
            first, self._waiting, self.backlog = bytes(self._waiting), b"", 0
            return [(DATA, self._number, first, False)] if first else []
        self._responded = False
        if self.closing:
            self._stop()
        if self._state != DONE:
            return []
        self._state = HEAD
        waiting = self._waiting
        if not waiting:
            return []
        self._waiting = b""
        self.backlog = 0
        events = self.receive(bytes(waiting))
        if self._eof:
            events += self.receiveEof()
        return events

    def receiveEof(self) -> list[Event]:
        """See `ICodec.receiveEof`. Requests that are complete are still answered."""
        state = self._state
        self._eof = True
        if state == DONE:
            if not self._waiting:
                self.closing = True
            return []
        self.closing = True
        self._stop()
        if state == TUNNEL:
            return [(DATA, self._number, b"", True)]
        if state in (LENGTH, CHUNKED, OFFERED):
            return [(RESET, self._number, DOWNSTREAM_GONE, True)]
        return []

    def timeout(self) -> list[Event]:
        """See `ICodec.timeout`."""
        events: list[Event] = []
        if self._held is not None:
            self._fail(WaitError(408, "the head of the request took too long"), events)
        return events

    def _fail(self, error: ProtocolError, events: list[Event]) -> None:
        number = self._number if self._state in (LENGTH, CHUNKED) else 0
        if not self._responded:
            self._out = farewell(error)
        self.closing = True
        self._waiting = b""
        self.backlog = 0
        self._stop()
        events.append((FAILED, number, error, True))

    def drain(self) -> None:
        """See `IServerCodec.drain`.

        The next response head says ``Connection: close``. `closing` is set at once when no request
        has begun; should one come before the close, it is still served.
        """
        self._draining = True
        if self._state == HEAD and self._held is None:
            self.closing = True

    # Sending

    def responseHead(self, streamId: int, head: Any, end: bool) -> bytes:
        """See `IServerCodec.responseHead`.

        :raises EncodeError: when HTTP/1 cannot say it; nothing has been sent then.
        """
        if (
            type(head) is ResponseHead
            and self._plain
            and not self.closing
            and not self._draining
            and self._state == DONE
        ):
            headers = head.headers
            length = head.contentLength
            if (
                type(headers) is WireHeaders
                and not headers.changed
                and length is not None
                and (length == 0 or not end)
                and head.status not in BODYLESS
            ):
                self._responded = True
                self._sending = IDENTITY
                self._sendLeft = length
                return head.line + headers.wire
        return self._responseHead(head, end)

    def _responseHead(self, head: Any, end: bool) -> bytes:
        status = head.status
        if self._state == OFFERED:
            if accepts(self._offer, status) and not end:
                return self._switch(head)
            self._state = DONE  # what waits is the next request
        if not 200 <= status <= 999:
            raise EncodeError(502, "no final status")
        length = encode.declaredLength(head.headers)
        http11 = self._http11
        closing = self.closing or self._draining or (end and self._state != DONE)
        body = hasBody(status, self._method)
        withoutLength = status == 204
        fields = b""
        sending = NO_BODY
        if body and end:
            if length != 0:
                withoutLength = True
                fields = encode.NO_LENGTH_FIELD
        elif body and not end:
            if length is not None:
                sending = IDENTITY
            elif http11:
                sending = CHUNKS
                fields = encode.CHUNKED_FIELD
            else:
                sending = UNTIL_CLOSE
                closing = True
        if closing:
            fields += encode.CLOSE_FIELD
        elif not http11:
            fields += encode.KEEP_ALIVE_FIELD
        line = head.line if type(head) is ResponseHead else statusLine(status)
        octets = b"".join((line, fields, encode.block(head.headers, withoutLength)))
        self.closing = closing
        self._responded = True
        self._sending = sending
        self._sendLeft = length or 0
        return octets

    def _switch(self, head: Any) -> bytes:
        """The offer is accepted: all octets from now on are those of the other protocol."""
        line = head.line if type(head) is ResponseHead else statusLine(head.status)
        octets = encode.switching(head, line, self._offer)
        self._state = TUNNEL
        self._sending = UNTIL_CLOSE
        self._responded = self.closing = self.tunnel = True
        return octets

    def responseInformational(self, streamId: int, head: Any) -> bytes:
        """See `IServerCodec.responseInformational`. A 101 is none; it is left out."""
        if self._responded or not self._http11:
            return b""
        return encode.informational(head)

    def responseData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `IServerCodec.responseData`.

        Octets beyond Content-Length are dropped; too few, and the connection closes, which shows
        it.
        """
        if end and self._state != DONE:
            self.closing = True  # the rest of the request would be taken for the next one
        sending = self._sending
        if sending == IDENTITY:
            left = self._sendLeft - len(data)
            if left < 0:
                data = data[:left]
                left = 0
                self.closing = True
            self._sendLeft = left
            if end and left:
                self.closing = True
            return data
        if sending == CHUNKS:
            return encode.chunk(data, end)
        return data if sending == UNTIL_CLOSE else b""

    def responseTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `IServerCodec.responseTrailers`.

        :raises EncodeError: when a trailer cannot be written.
        """
        if self._sending == CHUNKS:
            if self._state != DONE:
                self.closing = True
            return encode.trailerBlock(trailers)
        return self.responseData(streamId, b"", True)

    def responseReset(self, streamId: int, reason: int) -> bytes | None:
        """See `IServerCodec.responseReset`."""
        self.closing = True
        self._stop()
        return None
