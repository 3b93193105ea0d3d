"""TR as a protocol of listeners and clusters."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import MATCH, MULTIPLEX, NEED_MORE, NO_MATCH, IProtocol
from mosntx.protocol.status import phrase
from mosntx.protocol.tr.build import plainResponse
from mosntx.protocol.tr.client import TrClientCodec
from mosntx.protocol.tr.connection import HESSIAN2, ConnectionReader
from mosntx.protocol.tr.heads import VERSION, LocalReply, TrRequest, TrResponse, readHead
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.server import TrServerCodec


@implementer(IProtocol)
class TrProtocol:
    """See `IProtocol`.

    :param limits: bind requests in listeners and responses in clusters.
    """

    name = "tr"
    alpn = b""
    poolMode = MULTIPLEX

    def __init__(self, limits: TrLimits | None = None) -> None:
        self.limits = limits or TrLimits()

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol.detect`."""
        if not prefix:
            return NEED_MORE
        return MATCH if prefix[0] == VERSION else NO_MATCH

    def serverCodec(self) -> TrServerCodec:
        """See `IProtocol.serverCodec`."""
        return TrServerCodec(self.limits)

    def clientCodec(self) -> TrClientCodec:
        """See `IProtocol.clientCodec`."""
        return TrClientCodec(self.limits)

    def interimHead(self, status: int) -> TrResponse:
        """See `IProtocol.interimHead`. There are no interim responses; it is never written."""
        return self._reply(None, None, status)

    def localReply(self, request: Any, status: int, text: bytes) -> LocalReply:
        """See `IProtocol.localReply`.

        A failure is told twice: as ``result`` 1 with ``errorMsg``, and as a SofaResponse that is an
        error, in the serialization of the request. For Java serialization that is what a peer with
        SOFARPC's classes reads; other peers drop it and run into their timeout.
        """
        reason = None
        if status >= 400:
            reason = text.decode("utf-8", "replace") or phrase(status).decode("ascii")
        return LocalReply(self._reply(request, reason, status))

    def _reply(self, request: Any, reason: str | None, status: int) -> TrResponse:
        serialization = HESSIAN2
        final = False
        if isinstance(request, TrRequest):
            serialization = request.serialization
            final = request.connection.final
        frame = plainResponse(0, reason, serialization, final)
        head: TrResponse = readHead(frame, ConnectionReader())
        head.status = status
        return head
