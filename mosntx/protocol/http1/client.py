"""The end that writes requests and reads responses, which it trusts no more than requests."""

from __future__ import annotations

import re
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import DATA, FAILED, INFORMATIONAL, RESET, Event, IClientCodec
from mosntx.contracts.codec import HEAD as HEAD_EVENT
from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.contracts.stream import UPSTREAM_RESET
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.http1 import encode
from mosntx.protocol.http1.chunked import ChunkedReader
from mosntx.protocol.http1.encode import CHUNKS, IDENTITY, NO_BODY
from mosntx.protocol.http1.fields import HOP_BY_HOP, FieldParser, WireHeaders
from mosntx.protocol.http1.framing import (
    HeadLimits,
    checkChunked,
    connectionOptions,
    cutChunked,
    parseLength,
    stripHopByHop,
)
from mosntx.protocol.http1.heads import RequestHead, ResponseHead, statusLine
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.reader import (
    CHUNKED,
    CLOSED,
    DONE,
    HEAD,
    LENGTH,
    UNTIL_CLOSE,
    MessageReader,
)
from mosntx.protocol.status import BODYLESS, PHRASES
from mosntx.protocol.websocket import ACCEPT_FIELD, WEBSOCKET, Entropy, acceptFor, newKey

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])(?: ([\t -~\x80-\xff]*))?")

#: The status lines that nearly all servers send.
_KNOWN_LINES = {statusLine(status): status for status in PHRASES if status >= 200}


@implementer(IClientCodec)
class Http1ClientCodec(MessageReader):
    """See `IClientCodec`. Every `FAILED` event carries status 502."""

    __slots__ = (
        "_accept",
        "_entropy",
        "_informational",
        "_keepAlive",
        "_method",
        "_offer",
        "_requestOpen",
        "_sendLeft",
        "_sending",
        "reusable",
        "tunnel",
    )

    def __init__(
        self, limits: Http1Limits, fields: FieldParser, heads: HeadLimits, entropy: Entropy
    ) -> None:
        super().__init__(limits, fields, heads, 0.0)
        self._entropy = entropy
        self._accept = b""  # the only right answer to a key that was made here
        self._state = DONE
        self._informational = 0
        self._keepAlive = True
        self._method = b""
        self._offer = b""  # protocol that the request offers to change to
        self._requestOpen = False  # more of the request is to be sent
        self._sending = NO_BODY
        self._sendLeft = 0
        self.reusable = True
        self.tunnel = False

    # Sending

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        """See `IClientCodec.requestHead`.

        :raises EncodeError: when HTTP/1 cannot say it; the connection is as before then.
        """
        headers = head.headers
        self._accept = b""
        if (
            type(head) is RequestHead
            and head.line
            and type(headers) is WireHeaders
            and not headers.changed
            and (not head.contentLength if end else head.contentLength is not None)
            and (end or not head.upgrade)
        ):
            octets = head.line + headers.wire
            self._sending = NO_BODY if end else IDENTITY
            self._sendLeft = head.contentLength or 0
        else:
            key = self._newKey(head, end)
            octets, self._sending, self._sendLeft = encode.request(head, end, key)
        self._method = head.method
        self._offer = b"" if end else encode.offerOf(head)
        self._requestOpen = not end
        self._keepAlive = True
        self._informational = 0
        self._state = HEAD
        self.reusable = False
        number = self._number = self._number + 1
        return number, octets

    def _newKey(self, head: Any, end: bool) -> bytes:
        """Return the key for a client that has sent none, because it is on HTTP/2 (RFC 8441 5)."""
        if end or isinstance(head, RequestHead) or encode.offerOf(head) != WEBSOCKET:
            return b""
        key = newKey(self._entropy)
        self._accept = acceptFor(key)
        return key

    def requestData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `IClientCodec.requestData`.

        Octets beyond Content-Length are dropped; too few, and the connection is not used again.
        Nothing is sent any more once the response is over.
        """
        if self.tunnel:
            return data
        if not self._requestOpen or self._state in (DONE, CLOSED):
            return b""
        if end:
            self._requestOpen = False
        if self._sending == CHUNKS:
            return encode.chunk(data, end)
        if self._sending != IDENTITY:
            return b""
        left = self._sendLeft - len(data)
        if left < 0:
            data = data[:left]
            left = 0
        self._sendLeft = left
        if end and left:
            self._keepAlive = False
        return data

    def requestTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `IClientCodec.requestTrailers`.

        :raises EncodeError: when a trailer cannot be written.
        """
        if self._sending != CHUNKS or not self._requestOpen or self._state in (DONE, CLOSED):
            return self.requestData(streamId, b"", True)
        octets = encode.trailerBlock(trailers)
        self._requestOpen = False
        return octets

    def reset(self, streamId: int, reason: int) -> bytes | None:
        """See `IClientCodec.reset`."""
        self.reusable = False
        self._stop()
        return None

    # Receiving

    def _head(self, line: bytes, block: bytes, events: list[Event]) -> None:
        status = _KNOWN_LINES.get(line, 0)
        http11 = True
        if not status:
            status, line, http11 = _parseStatusLine(line)
        headers = self._fields.parse(block, self._limits.max_headers, http11)
        index = headers.index
        head = ResponseHead(status, headers, line)
        if status == 101:
            self._switch(head, headers)
            events.append((HEAD_EVENT, self._number, head, False))
            return
        declared = index.get(b"content-length")
        length = 0
        state = UNTIL_CLOSE
        if declared is not None:
            head.contentLength = length = parseLength(declared, 502)
            state = LENGTH
        if not (http11 and HOP_BY_HOP.isdisjoint(index)):
            state = self._hopFields(headers, http11, state)
        if status < 200:
            headers.forget((b"content-length",))
            self._interim(head, events)
            return
        if self._offer:  # refused
            self._requestOpen = False
        if self._method == b"CONNECT" and status < 300:
            state = UNTIL_CLOSE
            self.tunnel = self._offer == CONNECT_TUNNEL
        elif self._method == b"HEAD" or status in BODYLESS or (state == LENGTH and not length):
            state = DONE
        self._left = length
        if state == DONE:
            self._chunks = None
            events.append((HEAD_EVENT, self._number, head, True))
            self._ended()
        else:
            self._state = state
            events.append((HEAD_EVENT, self._number, head, False))

    def _hopFields(self, headers: WireHeaders, http11: bool, state: int) -> int:
        """Read the fields that are for this hop; return what comes after the head."""
        if b"transfer-encoding" in headers.index:
            if not (http11 and cutChunked(headers)):
                try:
                    checkChunked(headers, http11)
                except ProtocolError as error:
                    raise ProtocolError(502, error.reason) from None
            self._chunks = ChunkedReader(self._limits, 0, 502)
            state = CHUNKED
        if http11 and HOP_BY_HOP.isdisjoint(headers.index):
            return state
        options = connectionOptions(headers)
        if b"close" in options or not (http11 or b"keep-alive" in options):
            self._keepAlive = False
        stripHopByHop(headers, options)
        return state

    def _switch(self, head: ResponseHead, headers: WireHeaders) -> None:
        """The offer is accepted: all octets from now on are those of the other protocol."""
        if not self._offer or headers.joined(b"upgrade").lower() != self._offer:
            raise ProtocolError(502, "protocol changed without being asked")
        if self._accept and headers.joined(ACCEPT_FIELD) != self._accept:
            raise ProtocolError(502, "the answer does not fit the key of the handshake")
        stripHopByHop(headers, connectionOptions(headers))
        headers.forget((b"content-length",))
        self._state = UNTIL_CLOSE
        self.tunnel = True

    def _interim(self, head: ResponseHead, events: list[Event]) -> None:
        self._informational += 1
        if self._informational > self._limits.max_informational:
            raise LimitError(502, "too many interim responses")
        self._chunks = None
        self._keepAlive = True
        events.append((INFORMATIONAL, self._number, head, False))

    def _ended(self) -> None:
        self._state = DONE
        self.reusable = self._keepAlive and not self._requestOpen

    def _excess(self, data: bytes) -> None:
        raise ProtocolError(502, "octets that no request asked for")

    def receiveEof(self) -> list[Event]:
        """See `ICodec.receiveEof`."""
        state = self._state
        self.reusable = False
        self._stop()
        if state == UNTIL_CLOSE:
            return [(DATA, self._number, b"", True)]
        if state in (HEAD, LENGTH, CHUNKED):
            return [(RESET, self._number, UPSTREAM_RESET, True)]
        return []

    def timeout(self) -> list[Event]:
        """See `ICodec.timeout`. Nothing is waited for here: routes have timeouts."""
        return []

    def _fail(self, error: ProtocolError, events: list[Event]) -> None:
        number = 0 if self._state == DONE else self._number
        self.reusable = False
        self._stop()
        events.append((FAILED, number, error, True))


def _parseStatusLine(line: bytes) -> tuple[int, bytes, bool]:
    """Read a status line: ``(status, the line to pass on, HTTP/1.1?)`` (RFC 9112 4)."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(502, "malformed status line")
    minor, digits, text = match.groups()
    return int(digits), b"HTTP/1.1 %b %b" % (digits, text or b""), minor == b"1"
