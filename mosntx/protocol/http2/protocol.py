"""HTTP/2 as a protocol of listeners and clusters."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import FRAMED, MATCH, NEED_MORE, NO_MATCH, IProtocol
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.client import Http2ClientCodec
from mosntx.protocol.http2.codec import MakeEngine
from mosntx.protocol.http2.codes import PREFACE
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.http2.fields import FieldReader
from mosntx.protocol.http2.heads import Http2LocalReply, Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.server import Http2ServerCodec
from mosntx.protocol.status import hasBody

#: Names of engines; ``auto`` is ngh2 when it is installed, else h2.
AUTO = "auto"
H2 = "h2"
NGH2 = "ngh2"
ENGINES = (AUTO, H2, NGH2)

#: HTTP status of a local reply -> gRPC status (gRPC, "HTTP to gRPC Status Code Mapping"). A timeout
#: of ours is a deadline to the caller.
GRPC_STATUSES = {
    200: 0,
    400: 13,
    401: 16,
    403: 7,
    404: 12,
    408: 4,
    413: 8,
    429: 14,
    431: 8,
    502: 14,
    503: 14,
    504: 4,
}
_GRPC_UNKNOWN = 2
#: Content types of gRPC; those of gRPC-Web are another protocol, on HTTP as it is.
_GRPC = re.compile(rb"application/grpc(?:[+;]|[ \t]|$)", re.IGNORECASE)


def fastEngineInstalled() -> bool:
    """Whether the package ``ngh2`` (extra ``fast``) is there."""
    return find_spec("ngh2") is not None


def engineFor(name: str) -> MakeEngine:
    """Return what makes engines of that name.

    :raises ValueError: when there is no such engine, or it is not installed.
    """
    if name not in ENGINES:
        raise ValueError(f"there is no HTTP/2 engine {name!r}; there is {', '.join(ENGINES)}")
    fast = fastEngineInstalled()
    if name == NGH2 and not fast:
        raise ValueError("the HTTP/2 engine ngh2 is not installed: pip install mosntx[fast]")
    # Imported here: one of them may not be installed, and who needs the other pays nothing.
    if fast and name != H2:
        from mosntx.protocol.http2.ngh2_engine import Ngh2Engine

        return Ngh2Engine
    from mosntx.protocol.http2.h2_engine import H2Engine

    return H2Engine


@implementer(IProtocol)
class Http2Protocol:
    """See `IProtocol`. Its codecs share what is known of field names.

    :param limits: bind requests in listeners and responses in clusters.
    :param engine: ``auto``, ``h2`` or ``ngh2``.
    :ivar counters: of all its codecs.
    :raises ValueError: as `engineFor`.
    """

    name = "Http2"
    alpn = b"h2"
    poolMode = FRAMED

    def __init__(
        self,
        limits: Http2Limits | None = None,
        engine: str = AUTO,
        counters: Http2Counters | None = None,
    ) -> None:
        self.limits = limits or Http2Limits()
        self.counters = counters or Http2Counters()
        self._engine = engineFor(engine)
        most, size = self.limits.max_headers, self.limits.max_header_list_size
        self._requests = FieldReader(most, 400, size)
        self._responses = FieldReader(most, 502, size)

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol.detect`."""
        if prefix.startswith(PREFACE):
            return MATCH
        return NEED_MORE if PREFACE.startswith(prefix) else NO_MATCH

    def serverCodec(self) -> Http2ServerCodec:
        """See `IProtocol.serverCodec`."""
        return Http2ServerCodec(self.limits, self._requests, self._engine, self.counters)

    def clientCodec(self) -> Http2ClientCodec:
        """See `IProtocol.clientCodec`."""
        return Http2ClientCodec(
            self.limits, self._responses, self._requests, self._engine, self.counters
        )

    def interimHead(self, status: int) -> Http2ResponseHead:
        """See `IProtocol.interimHead`."""
        return Http2ResponseHead(status, Headers())

    def localReply(self, request: Any, status: int, text: bytes) -> Http2LocalReply:
        """See `IProtocol.localReply`. A gRPC call gets a gRPC status, as trailers only."""
        kind = None if request is None else request.headers.get(b"content-type")
        if kind is not None and _GRPC.match(kind):
            return _grpcReply(kind, status, text)
        body = text if status >= 200 and hasBody(status, b"") else b""
        pairs = [(b"content-length", b"%d" % len(body))]
        if body:
            pairs.insert(0, (b"content-type", b"text/plain; charset=utf-8"))
        return Http2LocalReply(Http2ResponseHead(status, Headers.trusted(pairs)), body)


def _grpcReply(kind: bytes, status: int, text: bytes) -> Http2LocalReply:
    code = GRPC_STATUSES.get(status, _GRPC_UNKNOWN)
    pairs = [(b"content-type", kind), (b"grpc-status", b"%d" % code)]
    message = _percentEncoded(text.strip())
    if message:
        pairs.append((b"grpc-message", message))
    return Http2LocalReply(Http2ResponseHead(200, Headers.trusted(pairs)), b"")


def _percentEncoded(text: bytes) -> bytes:
    """Return ``text`` as ``grpc-message`` wants it: printable ASCII, % for the rest."""
    return b"".join(
        b"%c" % octet if 0x20 <= octet <= 0x7E and octet != 0x25 else b"%%%02X" % octet
        for octet in text
    )
