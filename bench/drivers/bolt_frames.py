"""Bolt v1 frames, many at a time.

The frames of a run differ in their request id only. So a batch of them is made, and checked, with
one repetition and four slices, not frame by frame: the load side must not be the slowest part.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import NamedTuple

#: proto, type, cmdcode, ver2, request id, codec, timeout, class, header and content length.
REQUEST = struct.Struct(">BBHBIBiHHI")
#: The same with a status instead of the timeout.
RESPONSE = struct.Struct(">BBHBIBHHHI")
#: Where the request id begins, in both.
ID_AT = 5
ID_SIZE = 4

PROTOCOL = 1
TYPE_RESPONSE, TYPE_REQUEST, TYPE_ONEWAY = 0, 1, 2
HEARTBEAT, CALL, ANSWER = 0, 1, 2
#: The codec byte: the proxy does not need it.
HESSIAN2 = 1
SUCCESS = 0
#: Milliseconds in each request.
TIMEOUT = 10_000

REQUEST_CLASS = b"com.alipay.sofa.rpc.core.request.SofaRequest"
RESPONSE_CLASS = b"com.alipay.sofa.rpc.core.response.SofaResponse"
SERVICE = b"com.mosntx.bench.Echo:1.0"


class FrameError(ValueError):
    """Octets that are no Bolt v1 frame."""


class Frame(NamedTuple):
    """The fields of a frame; `status` is 0 in a request."""

    kind: int
    command: int
    number: int
    status: int
    content: bytes


def encodeMap(pairs: Mapping[bytes, bytes]) -> bytes:
    """Return a header map: key length, key, value length, value, as often as there are pairs."""
    fields = [text for pair in pairs.items() for text in pair]
    return b"".join(struct.pack(">i", len(text)) + text for text in fields)


def request(content: bytes) -> bytes:
    """Return a call of the service under test, with id 0."""
    headers = encodeMap(
        {
            b"service": SERVICE,
            b"sofa_head_target_service": SERVICE,
            b"sofa_head_method_name": b"echo",
        }
    )
    head = REQUEST.pack(
        PROTOCOL,
        TYPE_REQUEST,
        CALL,
        1,
        0,
        HESSIAN2,
        TIMEOUT,
        len(REQUEST_CLASS),
        len(headers),
        len(content),
    )
    return head + REQUEST_CLASS + headers + content


def response(content: bytes) -> bytes:
    """Return the answer to a call, with id 0."""
    sizes = (len(RESPONSE_CLASS), 0, len(content))
    head = RESPONSE.pack(PROTOCOL, TYPE_RESPONSE, ANSWER, 1, 0, HESSIAN2, SUCCESS, *sizes)
    return head + RESPONSE_CLASS + content


def acknowledgement(number: int) -> bytes:
    """Return the answer to a heartbeat."""
    return RESPONSE.pack(PROTOCOL, TYPE_RESPONSE, HEARTBEAT, 1, number, HESSIAN2, SUCCESS, 0, 0, 0)


def lengthOf(octets: bytes) -> int:
    """Return the length of the frame that begins here, 0 while its head is not complete.

    :raises FrameError: when it is no Bolt v1 frame.
    """
    if octets[:1] not in (b"", b"\x01"):
        raise FrameError(f"not Bolt v1: {octets[:8].hex()}")
    shape = RESPONSE if octets[1:2] == b"\x00" else REQUEST
    if len(octets) < shape.size:
        return 0
    *_, classLength, headerLength, contentLength = shape.unpack_from(octets)
    return shape.size + int(classLength + headerLength + contentLength)


def parse(frame: bytes) -> Frame:
    """Return the fields of one whole frame."""
    shape = RESPONSE if frame[1] == TYPE_RESPONSE else REQUEST
    _, kind, command, _, number, _, fourth, classLength, headerLength, _ = shape.unpack_from(frame)
    status = fourth if kind == TYPE_RESPONSE else 0
    content = frame[shape.size + classLength + headerLength :]
    return Frame(kind, command, number, status, content)


def packIds(numbers: range) -> bytes:
    """Return request ids as the octets `numbered` takes."""
    return struct.pack(f">{len(numbers)}I", *numbers)


def unpackIds(ids: bytes | bytearray) -> tuple[int, ...]:
    """Return the request ids in the octets that `idsOf` gives."""
    return struct.unpack(f">{len(ids) // ID_SIZE}I", ids)


def split(template: bytes) -> tuple[bytes, bytes]:
    """Return what stands before and behind the request id."""
    return template[:ID_AT], template[ID_AT + ID_SIZE :]


def numbered(template: bytes, ids: bytes | bytearray) -> bytearray:
    """Return one copy of a frame for each id, one after the other.

    :param ids: four octets each.
    """
    size = len(template)
    frames = bytearray(template * (len(ids) // ID_SIZE))
    for octet in range(ID_SIZE):
        frames[ID_AT + octet :: size] = ids[octet::ID_SIZE]
    return frames


def idsOf(frames: bytes, size: int) -> bytearray:
    """Return the ids of frames that all have the same size, four octets each."""
    ids = bytearray(len(frames) // size * ID_SIZE)
    for octet in range(ID_SIZE):
        ids[octet::ID_SIZE] = frames[ID_AT + octet :: size]
    return ids
