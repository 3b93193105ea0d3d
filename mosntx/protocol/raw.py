"""Octets without any protocol: what a CONNECT tunnel speaks to its host."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    NO_MATCH,
    PING_PONG,
    Event,
    IClientCodec,
    IProtocol,
    IServerCodec,
)
from mosntx.contracts.message import ILocalReply
from mosntx.protocol.errors import ProtocolError

#: Its name; no configuration can ask for it.
RAW = "(raw)"


@implementer(IClientCodec)
class RawClientCodec:
    """See `IClientCodec`: a tunnel from its first octet on, once."""

    __slots__ = ("_open", "reusable")

    waitLimit = 0.0
    tunnel = True

    def __init__(self) -> None:
        self._open = False
        self.reusable = True

    def requestHead(self, head: Any, end: bool) -> tuple[int, bytes]:
        """See `IClientCodec.requestHead`: nothing is said."""
        self._open = True
        self.reusable = False
        return 1, b""

    def requestData(self, streamId: int, data: bytes, end: bool) -> bytes:
        """See `IClientCodec.requestData`."""
        return data

    def requestTrailers(self, streamId: int, trailers: Any) -> bytes:
        """See `IClientCodec.requestTrailers`: they cannot be said."""
        return b""

    def reset(self, streamId: int, reason: int) -> bytes | None:
        """See `IClientCodec.reset`."""
        return None

    def receive(self, data: bytes) -> list[Event]:
        """See `ICodec.receive`. A host that speaks before anybody listens cannot be used."""
        if self._open:
            return [(DATA, 1, data, False)]
        self.reusable = False
        return [(FAILED, 0, ProtocolError(502, "octets that nobody waits for"), True)]

    def receiveEof(self) -> list[Event]:
        """See `ICodec.receiveEof`."""
        self.reusable = False
        return [(DATA, 1, b"", True)] if self._open else []

    def timeout(self) -> list[Event]:
        """See `ICodec.timeout`."""
        return []

    def bytesToSend(self) -> bytes:
        """See `ICodec.bytesToSend`."""
        return b""


@implementer(IProtocol)
class RawProtocol:
    """See `IProtocol`. Only for upstreams."""

    name = RAW
    alpn = b""
    poolMode = PING_PONG

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol.detect`."""
        return NO_MATCH

    def serverCodec(self) -> IServerCodec:
        """Nobody can listen for this."""
        raise NotImplementedError

    def clientCodec(self) -> RawClientCodec:
        """See `IProtocol.clientCodec`."""
        return RawClientCodec()

    def interimHead(self, status: int) -> Any:
        """There are no heads."""
        raise NotImplementedError

    def localReply(self, request: Any, status: int, text: bytes) -> ILocalReply:
        """There are no answers."""
        raise NotImplementedError
