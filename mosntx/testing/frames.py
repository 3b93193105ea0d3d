"""Frames of Bolt, made octet by octet and apart from the codecs that they test."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

#: What SOFARPC names as the class of its messages.
REQUEST_CLASS = b"com.alipay.sofa.rpc.core.request.SofaRequest"
RESPONSE_CLASS = b"com.alipay.sofa.rpc.core.response.SofaResponse"


def simpleMap(pairs: Iterable[tuple[bytes | None, bytes | None]]) -> bytes:
    """Return the octets of a header map; ``None`` is a null."""
    octets = b""
    for pair in pairs:
        for text in pair:
            octets += struct.pack(">i", -1) if text is None else struct.pack(">i", len(text)) + text
    return octets


def boltFrame(
    kind: int,
    command: int,
    requestId: int,
    number: bytes,
    *,
    version: int = 1,
    ver1: int = 1,
    switch: int = 0,
    ver2: int = 1,
    codec: int = 1,
    className: bytes = b"",
    headerMap: bytes = b"",
    content: bytes = b"",
    lengths: tuple[int, int, int] | None = None,
) -> bytes:
    """Return any frame.

    :param kind: 0 response, 1 request, 2 one-way.
    :param number: the octets of timeout or status.
    :param lengths: of class name, header map and content, when they are to lie.
    """
    second = bytes([ver1]) if version == 2 else b""
    octets = bytes([version]) + second + struct.pack(">BHBI", kind, command, ver2, requestId)
    octets += bytes([codec, switch] if version == 2 else [codec]) + number
    lengths = lengths or (len(className), len(headerMap), len(content))
    octets += struct.pack(">HHI", *lengths) + className + headerMap + content
    if version == 2 and ver1 == 2 and switch & 1:
        octets += struct.pack(">I", zlib.crc32(octets))
    return octets


def boltRequest(
    requestId: int = 1,
    content: bytes = b"",
    headers: Iterable[tuple[bytes | None, bytes | None]] = (),
    *,
    oneway: bool = False,
    command: int = 1,
    codec: int = 1,
    timeout: int = 3000,
    className: bytes = REQUEST_CLASS,
    version: int = 1,
    ver1: int = 1,
    switch: int = 0,
    lengths: tuple[int, int, int] | None = None,
) -> bytes:
    """Return a request.

    :param timeout: milliseconds.
    """
    return boltFrame(
        2 if oneway else 1,
        command,
        requestId,
        struct.pack(">i", timeout),
        codec=codec,
        className=className,
        headerMap=simpleMap(headers),
        content=content,
        version=version,
        ver1=ver1,
        switch=switch,
        lengths=lengths,
    )


def boltResponse(
    requestId: int = 1,
    content: bytes = b"",
    headers: Iterable[tuple[bytes | None, bytes | None]] = (),
    *,
    status: int = 0,
    command: int = 2,
    codec: int = 1,
    className: bytes = RESPONSE_CLASS,
    version: int = 1,
    ver1: int = 1,
    switch: int = 0,
    lengths: tuple[int, int, int] | None = None,
) -> bytes:
    """Return a response."""
    return boltFrame(
        0,
        command,
        requestId,
        struct.pack(">H", status),
        codec=codec,
        className=className,
        headerMap=simpleMap(headers),
        content=content,
        version=version,
        ver1=ver1,
        switch=switch,
        lengths=lengths,
    )


def boltHeartbeat(
    requestId: int = 1, *, version: int = 1, ver1: int = 1, switch: int = 0, timeout: int = -1
) -> bytes:
    """Return a heartbeat as SOFABolt sends it."""
    return boltRequest(
        requestId,
        command=0,
        className=b"",
        timeout=timeout,
        version=version,
        ver1=ver1,
        switch=switch,
    )


def boltHeartbeatAck(
    requestId: int = 1, status: int = 0, *, version: int = 1, ver1: int = 1, switch: int = 0
) -> bytes:
    """Return the answer to a heartbeat."""
    return boltResponse(
        requestId,
        command=0,
        className=b"",
        status=status,
        version=version,
        ver1=ver1,
        switch=switch,
    )


def boltGoAway(*, version: int = 1) -> bytes:
    """Return MOSN's request to send no more requests."""
    return boltRequest(0, command=100, className=b"", timeout=0, version=version)
