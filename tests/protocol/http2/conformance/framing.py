"""RFC 9113, sections 3 and 4: starting, and the frame layout."""

from __future__ import annotations

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    answered,
    case,
    connectionError,
    ended,
    lives,
    received,
    said,
    streamError,
)

_BLOCK = h2.fieldBlock(h2.GET)
_BIG = h2.fieldBlock([(b"x-big", b"a" * 16384)])
_SIZE = (h2.FRAME_SIZE_ERROR,)


def _speaksFirst(dialogue: object) -> str:
    frames = dialogue.frames  # type: ignore[attr-defined]
    right = frames and frames[0].type == h2.SETTINGS and frames[0].flags == 0
    return "" if right else "the first frame is no SETTINGS"


STARTING = (
    case("3.4", "a connection begins", lives),
    case("3.4", "the server's first frame is SETTINGS", _speaksFirst, client=None),
    case(
        "3.4",
        "preface and SETTINGS in one piece are acknowledged",
        said(h2.Frame(h2.SETTINGS, h2.ACK, 0, b"")),
        h2.PREFACE + h2.settings(),
        client=None,
    ),
    case(
        "3.4",
        "a request follows the SETTINGS at once",
        answered(),
        h2.PREFACE + h2.settings() + h2.request(),
        client=None,
    ),
    case("3.4", "no preface", ended, h2.settings() + bytes(20), client=None),
    case("3.4", "HTTP/1.1", ended, b"GET / HTTP/1.1\r\nHost: example.com\r\n\r\n", client=None),
    case(
        "3.4",
        "the last octets of the preface are wrong",
        ended,
        h2.PREFACE[:-2] + b"XX" + h2.settings(),
        client=None,
    ),
    case(
        "3.4",
        "the first frame is HEADERS",
        connectionError(h2.PROTOCOL_ERROR),
        h2.PREFACE + h2.request(),
        client=None,
    ),
    case(
        "3.4",
        "the first frame is PING",
        connectionError(h2.PROTOCOL_ERROR),
        h2.PREFACE + h2.ping(),
        client=None,
    ),
)

LAYOUT = (
    case("4.1", "a frame of an unknown type", lives, h2.rawFrame(0xF0, 0, 0, bytes(8))),
    case("4.1", "a frame of an unknown type for an idle stream", lives, h2.rawFrame(0xF0, 0, 9)),
    case(
        "4.1",
        "flags without a meaning for PING",
        said(h2.Frame(h2.PING, h2.ACK, 0, b"12345678")),
        h2.rawFrame(h2.PING, 0xFE, 0, b"12345678"),
    ),
    case(
        "4.1",
        "flags without a meaning for SETTINGS",
        said(h2.Frame(h2.SETTINGS, h2.ACK, 0, b"")),
        h2.rawFrame(h2.SETTINGS, 0xFE, 0, b""),
    ),
    case(
        "4.1",
        "flags without a meaning for HEADERS",
        answered(),
        h2.rawFrame(h2.HEADERS, 0x5 | 0xD2, 1, _BLOCK),
    ),
    case(
        "4.1",
        "the reserved bit is set on PING",
        said(h2.Frame(h2.PING, h2.ACK, 0, b"12345678")),
        h2.rawFrame(h2.PING, 0, 0, b"12345678", reserved=True),
    ),
    case(
        "4.1",
        "the reserved bit is set on HEADERS",
        answered(),
        h2.rawFrame(h2.HEADERS, 0x5, 1, _BLOCK, reserved=True),
    ),
)

SIZES = (
    case(
        "4.2",
        "DATA of 2^14 octets",
        received(b"x" * 16384),
        h2.request(1, h2.POST, end=False) + h2.data(1, b"x" * 16384, end=True),
    ),
    case(
        "4.2",
        "HEADERS of 2^14 octets",
        answered(),
        h2.headers(1, (_BLOCK + _BIG)[:16384], end=True, whole=False)
        + h2.continuation(1, (_BLOCK + _BIG)[16384:]),
    ),
    case(
        "4.2",
        "DATA over SETTINGS_MAX_FRAME_SIZE",
        streamError(*_SIZE),
        h2.request(1, h2.POST, end=False),
        lambda settings: h2.data(1, b"x" * (settings.get(h2.MAX_FRAME_SIZE, 16384) + 1), end=True),
    ),
    case(
        "4.2",
        "HEADERS over SETTINGS_MAX_FRAME_SIZE",
        connectionError(*_SIZE),
        lambda settings: h2.rawFrame(
            h2.HEADERS, 5, 1, bytes(settings.get(h2.MAX_FRAME_SIZE, 16384) + 1)
        ),
    ),
    case(
        "4.2",
        "SETTINGS over SETTINGS_MAX_FRAME_SIZE",
        connectionError(*_SIZE),
        lambda settings: h2.settings(
            *[(0xF000, 1)] * (settings.get(h2.MAX_FRAME_SIZE, 16384) // 6 + 1)
        ),
    ),
    case(
        "4.2",
        "an unknown frame over SETTINGS_MAX_FRAME_SIZE",
        connectionError(*_SIZE),
        lambda settings: h2.rawFrame(0xF0, 0, 0, bytes(settings.get(h2.MAX_FRAME_SIZE, 16384) + 1)),
    ),
    case(
        "4.2",
        "HEADERS of the largest length there is",
        connectionError(*_SIZE),
        h2.rawFrame(h2.HEADERS, 5, 1, bytes(64), length=(1 << 24) - 1),
    ),
)

BLOCKS = (
    case(
        "4.3",
        "a header block that cannot be decoded",
        connectionError(h2.COMPRESSION_ERROR),
        h2.headers(1, h2.literal(b"a", b"b")[:-2] + b"\x7f", end=True),
    ),
    case(
        "4.3",
        "a header block that ends within a field",
        connectionError(h2.COMPRESSION_ERROR),
        h2.headers(1, _BLOCK[:-4], end=True),
    ),
    case(
        "4.3",
        "PRIORITY within a header block",
        connectionError(h2.PROTOCOL_ERROR),
        h2.headers(1, _BLOCK, end=True, whole=False) + h2.priority(1) + h2.continuation(1, b""),
    ),
    case(
        "4.3",
        "HEADERS of another stream within a header block",
        connectionError(h2.PROTOCOL_ERROR),
        h2.headers(1, _BLOCK, end=True, whole=False) + h2.request(3),
    ),
    case(
        "4.3",
        "DATA within a header block",
        connectionError(h2.PROTOCOL_ERROR),
        h2.headers(1, _BLOCK, whole=False) + h2.data(1, b"x"),
    ),
    case(
        "4.3",
        "PING within a header block",
        connectionError(h2.PROTOCOL_ERROR),
        h2.headers(1, _BLOCK, whole=False) + h2.ping(),
    ),
)

CASES = STARTING + LAYOUT + SIZES + BLOCKS
