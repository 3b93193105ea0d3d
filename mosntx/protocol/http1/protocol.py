"""HTTP/1 as a protocol of listeners and clusters."""

from __future__ import annotations

import os
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import MATCH, NEED_MORE, NO_MATCH, PING_PONG, IProtocol
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.client import Http1ClientCodec
from mosntx.protocol.http1.fields import FieldParser
from mosntx.protocol.http1.framing import HeadLimits
from mosntx.protocol.http1.heads import LocalReply, ResponseHead
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.server import Http1ServerCodec
from mosntx.protocol.status import hasBody
from mosntx.protocol.websocket import Entropy

#: What a connection may begin with (spec/proxy.md 3; MOSN pkg/protocol/http/protocol.go).
METHODS = (
    b"GET",
    b"PUT",
    b"HEAD",
    b"POST",
    b"LINK",
    b"TRACE",
    b"PATCH",
    b"DELETE",
    b"UNLINK",
    b"OPTIONS",
    b"CONNECT",
)
_SHORTEST = 3
_LONGEST = 7


@implementer(IProtocol)
class Http1Protocol:
    """See `IProtocol`. Its codecs share the parsers of fields and belong to one reactor.

    :param limits: bind requests in listeners and responses in clusters.
    :param entropy: for the keys of WebSocket handshakes.
    """

    name = "Http1"
    alpn = b"http/1.1"
    poolMode = PING_PONG

    def __init__(self, limits: Http1Limits | None = None, entropy: Entropy = os.urandom) -> None:
        self.limits = limits or Http1Limits()
        self._entropy = entropy
        self._requestFields = FieldParser(400, 431)
        self._requestHeads = HeadLimits(self.limits, 414, 431, 400)
        self._responseFields = FieldParser(502, 502)
        self._responseHeads = HeadLimits(self.limits, 502, 502, 502)

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol.detect`."""
        if len(prefix) < _SHORTEST:
            return NEED_MORE
        if prefix.startswith(METHODS):
            return MATCH
        return NEED_MORE if len(prefix) < _LONGEST else NO_MATCH

    def serverCodec(self) -> Http1ServerCodec:
        """See `IProtocol.serverCodec`."""
        return Http1ServerCodec(self.limits, self._requestFields, self._requestHeads)

    def clientCodec(self) -> Http1ClientCodec:
        """See `IProtocol.clientCodec`."""
        return Http1ClientCodec(
            self.limits, self._responseFields, self._responseHeads, self._entropy
        )

    def interimHead(self, status: int) -> ResponseHead:
        """See `IProtocol.interimHead`."""
        return ResponseHead(status, Headers())

    def localReply(self, request: Any, status: int, text: bytes) -> LocalReply:
        """See `IProtocol.localReply`.

        The body is ``text`` as it is. Nothing of the request is echoed (spec/proxy.md 7).
        """
        body = text if status >= 200 and hasBody(status, b"") else b""
        pairs = [(b"Content-Length", b"%d" % len(body))]
        if body:
            pairs.insert(0, (b"Content-Type", b"text/plain; charset=utf-8"))
        return LocalReply(ResponseHead(status, Headers.trusted(pairs)), body)
