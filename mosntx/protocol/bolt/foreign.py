"""Heads of other protocols as frames of Bolt: the one place that knows about them.

The header fields become the header map and the body the content; there is no class name. That is
what MOSN's ``http2bolt_simple`` does (spec/proxy.md 8.2). What only a pair of protocols can say
about each other belongs here too.
"""

from __future__ import annotations

from typing import Any

from mosntx.contracts.message import IHeaders
from mosntx.protocol.bolt.codes import NO_TIMEOUT, VERSION_2, boltStatus
from mosntx.protocol.bolt.frames import SWITCH_CRC, VER1_CRC, VER1_PLAIN
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.simplemap import writePairs
from mosntx.protocol.headers import Headers

#: The largest timeout a frame can say, in milliseconds.
MAX_TIMEOUT = 0x7FFFFFFF
#: Says in HTTP what a frame says by its own length.
_LENGTH = b"content-length"


def answerSwitch(request: BoltRequest) -> int:
    """Return the switch of answers that we make: CRC32 for who sent one, else nothing.

    Without the right to a CRC32 (ver1 1) the bit would only mislead peers that look at it alone.
    """
    return request.switch & SWITCH_CRC if request.ver1 == VER1_CRC else 0


def toMap(headers: IHeaders) -> bytes:
    """Return header fields as a header map; names of HTTP in lower case, as MOSN writes them.

    :raises EncodeError: when they are too many.
    """
    if not isinstance(headers, Headers):
        return writePairs(headers.items())
    pairs = [(name.lower(), value) for name, value in headers.items()]
    return writePairs(pair for pair in pairs if pair[0] != _LENGTH)


def toRequest(head: Any, content: bytes, version: int, crc: bool) -> BoltRequest:
    """Return a frame for the request of another protocol.

    :param head: an `IRequestHead`; also a Bolt head whose content comes apart from it.
    :param version: of frames that we make.
    :param crc: version 2: with CRC32.
    :raises EncodeError: when it does not fit into a frame.
    """
    timeout = head.timeout
    milliseconds = NO_TIMEOUT if timeout is None else min(round(timeout * 1000), MAX_TIMEOUT)
    if isinstance(head, BoltRequest):
        return BoltRequest.of(
            head.mapOctets(),
            content,
            className=head.className,
            version=head.version,
            ver1=head.ver1,
            switch=head.switch,
            oneway=head.oneway,
            codec=head.codec,
            milliseconds=milliseconds,
        )
    crc = crc and version == VERSION_2
    return BoltRequest.of(
        toMap(head.headers),
        content,
        version=version,
        ver1=VER1_CRC if crc else VER1_PLAIN,
        switch=SWITCH_CRC if crc else 0,
        oneway=head.oneway,
        milliseconds=milliseconds,
    )


def toResponse(head: Any, content: bytes, request: BoltRequest) -> BoltResponse:
    """Return a frame for the response of another protocol, in the version of its request.

    :param head: an `IResponseHead`; also a Bolt head whose content comes apart from it.
    :raises EncodeError: when it does not fit into a frame.
    """
    version = request.version
    ver1 = request.ver1
    switch = answerSwitch(request)
    if isinstance(head, BoltResponse):
        return BoltResponse.of(
            head.mapOctets(),
            content,
            boltStatus=head.boltStatus,
            className=head.className,
            version=version,
            ver1=ver1,
            switch=switch,
            codec=head.codec,
        )
    return BoltResponse.of(
        toMap(head.headers),
        content,
        boltStatus=boltStatus(head.status),
        version=version,
        ver1=ver1,
        switch=switch,
        codec=request.codec,
    )
