"""Layouts of frames, and how to change single fields of one.

Version 1, big-endian::

     0      1      2         4      5           9       10
    +------+------+---------+------+-----------+-------+----------+ ...
    | 0x01 | type | command | ver2 | requestId | codec | timeout  |
    +------+------+---------+------+-----------+-------+----------+ ...
                                                           32 bits in requests; 16 bits of status
                                                           in responses
     14 (response: 12)
    +-------------+-----------+---------------+-------+------------+---------+
    | classLength | mapLength | contentLength | class | header map | content |
    +-------------+-----------+---------------+-------+------------+---------+
      16            16          32

Version 2 has two octets more before these: ``ver1`` behind the first octet, and ``switch`` behind
the codec. If ver1 is 2 and bit 0 of the switch is on, CRC32 of all octets so far follows the
content; no length counts it.

Sources: SOFABolt ``RpcProtocol.java``, ``RpcProtocolV2.java``. Its decoder takes a CRC32 only with
ver1 2, and its clients send ver1 1 with the bit on and no CRC32.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from mosntx.protocol.bolt.codes import RESPONSE, RPC_RESPONSE, VERSION_1, VERSION_2
from mosntx.protocol.bolt.limits import MAX_LENGTH16, MAX_LENGTH32
from mosntx.protocol.errors import EncodeError

#: Octets of the fixed part.
V1_REQUEST_SIZE = 22
V1_RESPONSE_SIZE = 20
V2_REQUEST_SIZE = 24
V2_RESPONSE_SIZE = 22
#: Octets that a CRC32 takes.
CRC_SIZE = 4

#: ver1 of a version 2 frame without and with the right to a CRC32.
VER1_PLAIN = 1
VER1_CRC = 2
#: The bit of ``switch`` that says that there is one.
SWITCH_CRC = 1
#: SOFABolt cannot read a greater one (``ProtocolSwitch.toBitSet``) and closes.
MAX_SWITCH = 0x7F
#: Nobody looks at this field; everybody writes this.
VER2 = 1

#: Largest request id; a mask for counting.
MAX_ID = 0xFFFFFFFF

#: type, command, requestId, timeout or status, classLength, mapLength, contentLength
readV1Request = Struct(">xBHxIxiHHI").unpack_from
readV1Response = Struct(">xBHxIxHHHI").unpack_from
readV2Request = Struct(">xxBHxIxxiHHI").unpack_from
readV2Response = Struct(">xxBHxIxxHHHI").unpack_from

packId = Struct(">I").pack
_packV1Request = Struct(">BBHBIBiHHI").pack
_packV1Response = Struct(">BBHBIBHHHI").pack
_packV2Request = Struct(">BBBHBIBBiHHI").pack
_packV2Response = Struct(">BBBHBIBBHHHI").pack
_packLengths = Struct(">HI").pack
_LENGTHS_SIZE = 6


def hasCrc(frame: bytes) -> bool:
    """Say whether a frame ends with a CRC32."""
    return frame[0] == VERSION_2 and frame[1] == VER1_CRC and frame[11] & SWITCH_CRC != 0


def crcSize(frame: bytes) -> int:
    """Return the octets of the CRC32 at the end of a frame: 4 or none."""
    return CRC_SIZE if hasCrc(frame) else 0


def crcHolds(frame: bytes) -> bool:
    """Say whether the CRC32 at the end of a frame is that of its other octets."""
    end = len(frame) - CRC_SIZE
    return crc32(memoryview(frame)[:end]) == int.from_bytes(frame[end:], "big")


def sealed(octets: bytes) -> bytes:
    """Return a frame made of these octets, with a CRC32 when its fixed part says so."""
    return octets + packId(crc32(octets)) if hasCrc(octets) else octets


def withId(frame: bytes, requestId: int) -> bytes:
    """Return the same frame with another request id."""
    if frame[0] == VERSION_1:
        return frame[:5] + packId(requestId) + frame[9:]
    if not hasCrc(frame):
        return frame[:6] + packId(requestId) + frame[10:]
    octets = frame[:6] + packId(requestId) + frame[10:-CRC_SIZE]
    return octets + packId(crc32(octets))


def checkLengths(className: int, headerMap: int, content: int) -> None:
    """See to it that the lengths fit into their fields.

    :raises EncodeError: when one does not.
    """
    for name, length, most in (
        ("class name", className, MAX_LENGTH16),
        ("header map", headerMap, MAX_LENGTH16),
        ("content", content, MAX_LENGTH32),
    ):
        if length > most:
            raise EncodeError(502, f"bolt: {name} of {length} octets, at most {most}")


def replaced(frame: bytes, fixed: int, mapStart: int, headerMap: bytes, content: bytes) -> bytes:
    """Return the same frame with another header map and content.

    :param fixed: octets of its fixed part.
    :param mapStart: where its header map begins.
    :raises EncodeError: when one of them is too large.
    """
    checkLengths(0, len(headerMap), len(content))
    octets = b"".join(
        (
            frame[: fixed - _LENGTHS_SIZE],
            _packLengths(len(headerMap), len(content)),
            frame[fixed:mapStart],
            headerMap,
            content,
        )
    )
    return sealed(octets)


def packRequest(
    version: int,
    kind: int,
    command: int,
    requestId: int,
    codec: int,
    timeout: int,
    lengths: tuple[int, int, int] = (0, 0, 0),
    ver1: int = VER1_PLAIN,
    switch: int = 0,
) -> bytes:
    """Return the fixed part of a request.

    :param timeout: milliseconds, negative for none.
    :param lengths: of class name, header map and content; they fit, see `checkLengths`.
    """
    if version == VERSION_1:
        return _packV1Request(VERSION_1, kind, command, VER2, requestId, codec, timeout, *lengths)
    return _packV2Request(
        VERSION_2, ver1, kind, command, VER2, requestId, codec, switch, timeout, *lengths
    )


def packResponse(
    version: int,
    requestId: int,
    codec: int,
    status: int,
    lengths: tuple[int, int, int] = (0, 0, 0),
    ver1: int = VER1_PLAIN,
    switch: int = 0,
    command: int = RPC_RESPONSE,
) -> bytes:
    """Return the fixed part of a response; see `packRequest`."""
    if version == VERSION_1:
        return _packV1Response(
            VERSION_1, RESPONSE, command, VER2, requestId, codec, status, *lengths
        )
    return _packV2Response(
        VERSION_2, ver1, RESPONSE, command, VER2, requestId, codec, switch, status, *lengths
    )
