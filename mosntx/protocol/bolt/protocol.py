"""Bolt as a protocol of listeners and clusters."""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.codec import MATCH, MULTIPLEX, NEED_MORE, NO_MATCH, IProtocol
from mosntx.protocol.bolt.client import BoltClientCodec
from mosntx.protocol.bolt.codes import VERSION_1, VERSION_2, boltStatus
from mosntx.protocol.bolt.foreign import answerSwitch
from mosntx.protocol.bolt.frames import VER1_PLAIN
from mosntx.protocol.bolt.heads import BoltLocalReply, BoltRequest, BoltResponse
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.server import BoltServerCodec

_VERSIONS = {"bolt": VERSION_1, "boltv2": VERSION_2}


@implementer(IProtocol)
class BoltProtocol:
    """See `IProtocol`. Connections of either name take frames of both versions (spec/proxy.md 3).

    :param name: ``bolt`` or ``boltv2``: what a connection begins with, and the version of frames
        that are made here.
    :param limits: bind requests in listeners and responses in clusters.
    :param crc: ``boltv2``: requests converted from other protocols have a CRC32.
    :raises ValueError: when there is no such name.
    """

    alpn = b""
    poolMode = MULTIPLEX

    def __init__(
        self, name: str = "bolt", limits: BoltLimits | None = None, crc: bool = False
    ) -> None:
        version = _VERSIONS.get(name)
        if version is None:
            raise ValueError(f"{name!r} is no version of Bolt: bolt or boltv2")
        self.name = name
        self.limits = limits or BoltLimits()
        self._version = version
        self._first = bytes([version])
        self._crc = crc

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol.detect`."""
        if not prefix:
            return NEED_MORE
        return MATCH if prefix.startswith(self._first) else NO_MATCH

    def serverCodec(self) -> BoltServerCodec:
        """See `IProtocol.serverCodec`."""
        return BoltServerCodec(self.limits, self._version)

    def clientCodec(self) -> BoltClientCodec:
        """See `IProtocol.clientCodec`."""
        return BoltClientCodec(self.limits, self._version, self._crc)

    def interimHead(self, status: int) -> BoltResponse:
        """See `IProtocol.interimHead`. There are no interim responses; it is never written."""
        return BoltResponse.of(version=self._version)

    def localReply(self, request: Any, status: int, text: bytes) -> BoltLocalReply:
        """See `IProtocol.localReply`. A frame has no place for the text (spec/proxy.md 7)."""
        if isinstance(request, BoltRequest):
            head = BoltResponse.of(
                boltStatus=boltStatus(status),
                version=request.version,
                ver1=request.ver1,
                switch=answerSwitch(request),
            )
        else:
            head = BoltResponse.of(
                boltStatus=boltStatus(status), version=self._version, ver1=VER1_PLAIN
            )
        head.status = status
        return BoltLocalReply(head)
