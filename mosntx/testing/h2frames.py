"""Frames of HTTP/2, made octet by octet and apart from the codecs that they test.

Header blocks are literals that leave the tables of HPACK alone, so frames can be put together in
any order. What breaks the protocol can be said as well as what keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

#: What a client says before its first frame (RFC 9113 3.4).
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: Types of frames (RFC 9113 6, RFC 9218 7.1).
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE = range(6)
PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(6, 10)
PRIORITY_UPDATE = 0x10

#: Flags.
END_STREAM = ACK = 0x1
END_HEADERS = 0x4
PADDED = 0x8
WITH_PRIORITY = 0x20

#: Settings (RFC 9113 6.5.2).
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS = 1, 2, 3
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = 4, 5, 6

#: Error codes (RFC 9113 7).
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT = range(5)
STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR = range(5, 10)
CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY, HTTP_1_1_REQUIRED = range(10, 14)

#: The fields of a plain request.
GET = (
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":path", b"/"),
    (b":authority", b"example.com"),
)
POST = ((b":method", b"POST"), *GET[1:])

_HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


class Frame(NamedTuple):
    """A frame as it was on the wire."""

    type: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self) -> int:
        """The error code of an RST_STREAM or GOAWAY."""
        start = 4 if self.type == GOAWAY else 0
        return int.from_bytes(self.payload[start : start + 4], "big")


def parseFrames(octets: bytes) -> list[Frame]:
    """Return the frames in ``octets``, which hold no preface.

    :raises ValueError: when the last frame is cut off.
    """
    frames = []
    place = 0
    while place < len(octets):
        end = place + 9 + int.from_bytes(octets[place : place + 3], "big")
        if end > len(octets) or place + 9 > len(octets):
            raise ValueError(f"a frame is cut off at octet {place}")
        stream = int.from_bytes(octets[place + 5 : place + 9], "big") & 0x7FFFFFFF
        frames.append(Frame(octets[place + 3], octets[place + 4], stream, octets[place + 9 : end]))
        place = end
    return frames


def rawFrame(
    frameType: int,
    flags: int = 0,
    stream: int = 0,
    payload: bytes = b"",
    *,
    length: int | None = None,
    reserved: bool = False,
) -> bytes:
    """Return any frame.

    :param length: what the header says, when it is to lie.
    :param reserved: set the bit before the number of the stream.
    """
    size = len(payload) if length is None else length
    octets = size.to_bytes(3, "big") + bytes([frameType, flags])
    return octets + (stream | (1 << 31 if reserved else 0)).to_bytes(4, "big") + payload


def _padded(content: bytes, padding: int | None) -> bytes:
    return content if padding is None else bytes([padding]) + content + bytes(padding)


def data(stream: int, content: bytes = b"", end: bool = False, padding: int | None = None) -> bytes:
    """Return a DATA frame.

    :param padding: octets of it; ``None`` for a frame without the flag.
    """
    flags = (END_STREAM if end else 0) | (0 if padding is None else PADDED)
    return rawFrame(DATA, flags, stream, _padded(content, padding))


def headers(
    stream: int,
    block: bytes,
    end: bool = False,
    *,
    whole: bool = True,
    padding: int | None = None,
    priority: tuple[int, int, bool] | None = None,
) -> bytes:
    """Return a HEADERS frame.

    :param block: see `fieldBlock`.
    :param whole: no CONTINUATION follows.
    :param priority: the stream depended on, the weight (1 to 256) and whether exclusively.
    """
    flags = (END_STREAM if end else 0) | (END_HEADERS if whole else 0)
    if priority is not None:
        flags |= WITH_PRIORITY
        block = _dependency(*priority) + block
    if padding is not None:
        flags |= PADDED
    return rawFrame(HEADERS, flags, stream, _padded(block, padding))


def request(
    stream: int = 1, fields: Iterable[tuple[bytes, bytes]] = GET, end: bool = True
) -> bytes:
    """Return a whole HEADERS frame with ``fields``."""
    return headers(stream, fieldBlock(fields), end)


def continuation(stream: int, block: bytes, whole: bool = True) -> bytes:
    """Return a CONTINUATION frame."""
    return rawFrame(CONTINUATION, END_HEADERS if whole else 0, stream, block)


def _dependency(parent: int, weight: int, exclusive: bool) -> bytes:
    return (parent | (exclusive << 31)).to_bytes(4, "big") + bytes([weight - 1])


def priority(stream: int, parent: int = 0, weight: int = 16, exclusive: bool = False) -> bytes:
    """Return a PRIORITY frame, which RFC 9113 gives no meaning any more."""
    return rawFrame(PRIORITY, 0, stream, _dependency(parent, weight, exclusive))


def priorityUpdate(stream: int, value: bytes) -> bytes:
    """Return a PRIORITY_UPDATE frame (RFC 9218 7.1), for example with ``u=1, i``."""
    return rawFrame(PRIORITY_UPDATE, 0, 0, stream.to_bytes(4, "big") + value)


def rstStream(stream: int, code: int = CANCEL) -> bytes:
    """Return an RST_STREAM frame."""
    return rawFrame(RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def settings(*pairs: tuple[int, int]) -> bytes:
    """Return a SETTINGS frame of ids and values."""
    payload = b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs)
    return rawFrame(SETTINGS, 0, 0, payload)


def settingsAck() -> bytes:
    """Return the answer to a SETTINGS frame."""
    return rawFrame(SETTINGS, ACK)


def readSettings(payload: bytes) -> dict[int, int]:
    """Return ids and values in the payload of a SETTINGS frame; the last of a repeated id."""
    return {
        int.from_bytes(payload[place : place + 2], "big"): int.from_bytes(
            payload[place + 2 : place + 6], "big"
        )
        for place in range(0, len(payload), 6)
    }


def pushPromise(stream: int, promised: int, block: bytes, whole: bool = True) -> bytes:
    """Return a PUSH_PROMISE frame."""
    flags = END_HEADERS if whole else 0
    return rawFrame(PUSH_PROMISE, flags, stream, promised.to_bytes(4, "big") + block)


def ping(octets: bytes = b"\0" * 8, ack: bool = False) -> bytes:
    """Return a PING frame; eight octets are right."""
    return rawFrame(PING, ACK if ack else 0, 0, octets)


def goAway(last: int = 0, code: int = NO_ERROR, text: bytes = b"") -> bytes:
    """Return a GOAWAY frame."""
    return rawFrame(GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + text)


def windowUpdate(stream: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame; 0 is for the connection."""
    return rawFrame(WINDOW_UPDATE, 0, stream, increment.to_bytes(4, "big"))


def fieldBlock(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return a header block of plain literals, none of them for the table."""
    return b"".join(literal(name, value) for name, value in fields)


def literal(
    name: bytes | int, value: bytes, *, first: int = 0x00, prefix: int = 4, huffman: bool = False
) -> bytes:
    """Return a literal field (RFC 7541 6.2).

    :param name: or its index in the tables.
    :param first: the bits before the prefix: 0x00 not indexed, 0x10 never, 0x40 for the table.
    :param prefix: bits of the index: 4, or 6 when it is for the table.
    """
    if isinstance(name, int):
        octets = hpackInteger(name, prefix, first)
    else:
        octets = bytes([first]) + hpackString(name, huffman)
    return octets + hpackString(value, huffman)


def indexed(name: bytes | int, value: bytes, huffman: bool = False) -> bytes:
    """Return a literal field that goes to the table (RFC 7541 6.2.1)."""
    return literal(name, value, first=0x40, prefix=6, huffman=huffman)


def fieldIndex(index: int) -> bytes:
    """Return a field that stands in the tables (RFC 7541 6.1)."""
    return hpackInteger(index, 7, 0x80)


def tableSize(size: int) -> bytes:
    """Return a change of the size of the table (RFC 7541 6.3)."""
    return hpackInteger(size, 5, 0x20)


def hpackInteger(value: int, prefix: int, first: int = 0) -> bytes:
    """Return an integer (RFC 7541 5.1).

    :param prefix: bits of the first octet that it begins in.
    :param first: the other bits of that octet.
    """
    limit = (1 << prefix) - 1
    if value < limit:
        return bytes([first | value])
    octets = bytearray([first | limit])
    value -= limit
    while value >= 128:
        octets.append(value & 127 | 128)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def hpackString(octets: bytes, huffman: bool = False) -> bytes:
    """Return a string (RFC 7541 5.2)."""
    if huffman:
        octets = _HUFFMAN.encode(octets)
    return hpackInteger(len(octets), 7, 0x80 if huffman else 0) + octets
