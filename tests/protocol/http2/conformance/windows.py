"""RFC 9113, sections 6.9 and 6.10: flow control and continued header blocks."""

from __future__ import annotations

from typing import Any

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    answered,
    case,
    connectionError,
    lives,
    sizes,
    streamError,
)

_BLOCK = h2.fieldBlock(h2.GET)
_OPEN = h2.request(1, h2.POST, end=False)
_WHOLE = h2.request()
_PROTOCOL = connectionError(h2.PROTOCOL_ERROR)
_FLOW = connectionError(h2.FLOW_CONTROL_ERROR)
_MOST = (1 << 31) - 1
_KEY = h2.INITIAL_WINDOW_SIZE
_NARROW = ((_KEY, 1),)


def _window(settings: dict[int, int]) -> int:
    return settings.get(_KEY, 65535)


def _flood(octets: int, stream: int = 1) -> bytes:
    """Return DATA of so many octets."""
    frames = [h2.data(stream, b"x" * 16384)] * (octets // 16384)
    return b"".join(frames) + h2.data(stream, b"x" * (octets % 16384))


def _body(size: int, stream: int = 1) -> Any:
    def check(dialogue: Any) -> str:
        got = len(dialogue.bodyOf(stream))
        return "" if got == size else f"{got} octets of body, wanted {size}"

    return check


def _credited(*streams: int) -> Any:
    """All that was sent came in, and window was given back to these streams."""

    def check(dialogue: Any) -> str:
        for stream in streams:
            if not dialogue.of(h2.WINDOW_UPDATE, stream=stream):
                return f"no window was given back to stream {stream}"
        return lives(dialogue)

    return check


def _halfWindow(settings: dict[int, int]) -> bytes:
    return _flood(_window(settings) // 2)


def _halfOfPadding(settings: dict[int, int]) -> bytes:
    """Fill half of the window, nearly all of it with padding."""
    return h2.data(1, b"x", padding=255) * (_window(settings) // 257 // 2)


UPDATES = (
    case("6.9", "WINDOW_UPDATE of the connection", lives, h2.windowUpdate(0, 100)),
    case(
        "6.9",
        "WINDOW_UPDATE of a stream",
        answered(),
        _OPEN,
        h2.windowUpdate(1, 100),
        h2.data(1, b"", True),
    ),
    case("6.9", "WINDOW_UPDATE by 0 of the connection", _PROTOCOL, h2.windowUpdate(0, 0)),
    case(
        "6.9",
        "WINDOW_UPDATE by 0 of a stream",
        streamError(h2.PROTOCOL_ERROR),
        _OPEN,
        h2.windowUpdate(1, 0),
    ),
    case(
        "6.9",
        "WINDOW_UPDATE of three octets",
        connectionError(h2.FRAME_SIZE_ERROR),
        h2.rawFrame(8, 0, 0, b"\0\0\1"),
    ),
    case(
        "6.9",
        "WINDOW_UPDATE of five octets on a stream",
        connectionError(h2.FRAME_SIZE_ERROR),
        _OPEN,
        h2.rawFrame(8, 0, 1, b"\0\0\0\0\1"),
    ),
    case(
        "6.9",
        "the reserved bit of WINDOW_UPDATE",
        sizes(1, 1),
        _WHOLE,
        h2.windowUpdate(1, (1 << 31) | 1),
        client=_NARROW,
    ),
)

SENDING = (
    case(
        "6.9.1", "the window of the stream is kept", sizes(1, whole=False), _WHOLE, client=_NARROW
    ),
    case(
        "6.9.1",
        "the rest follows WINDOW_UPDATE",
        sizes(1, 1),
        _WHOLE,
        h2.windowUpdate(1, 1),
        client=_NARROW,
    ),
    case(
        "6.9.1",
        "more window than is needed",
        sizes(1, 1),
        _WHOLE,
        h2.windowUpdate(1, 1000),
        client=_NARROW,
    ),
    case(
        "6.9.1",
        "octet by octet",
        sizes(1, 1, 1, 1),
        _WHOLE,
        *[h2.windowUpdate(1, 1)] * 3,
        client=_NARROW,
        body=b"four",
    ),
    case("6.9.1", "a window of nothing", sizes(whole=False), _WHOLE, client=((_KEY, 0),)),
    case(
        "6.9.1", "heads need no window", answered(1, 3), _WHOLE + h2.request(3), client=((_KEY, 0),)
    ),
    case(
        "6.9.1",
        "the window of the connection is kept",
        _body(65535),
        _WHOLE,
        client=((_KEY, _MOST),),
        body=b"x" * 70000,
    ),
    case(
        "6.9.1",
        "a window of the connection that grows",
        _body(65635),
        _WHOLE,
        h2.windowUpdate(0, 100),
        client=((_KEY, _MOST),),
        body=b"x" * 70000,
    ),
    case(
        "6.9.1",
        "both windows are needed",
        _body(65535),
        _WHOLE,
        h2.windowUpdate(1, 100000),
        body=b"x" * 70000,
    ),
    case(
        "6.9.1",
        "an end without octets needs no window",
        sizes(1, whole=True),
        _WHOLE,
        client=_NARROW,
        body=b"x",
    ),
    case(
        "6.9.1",
        "frames are no larger than MAX_FRAME_SIZE",
        sizes(16384, 16384, 7232),
        _WHOLE,
        body=b"x" * 40000,
    ),
    case(
        "6.9.1",
        "a stream without window does not stop others",
        sizes(1, 1, stream=3),
        _WHOLE + h2.request(3),
        h2.windowUpdate(3, 1),
        client=_NARROW,
    ),
    case("6.9.1", "WINDOW_UPDATE over 2^31-1 on the connection", _FLOW, h2.windowUpdate(0, _MOST)),
    case(
        "6.9.1",
        "WINDOW_UPDATE over 2^31-1 on the connection, in two",
        _FLOW,
        h2.windowUpdate(0, _MOST - 65535) + h2.windowUpdate(0, 1),
    ),
    case(
        "6.9.1",
        "WINDOW_UPDATE over 2^31-1 on a stream",
        streamError(h2.FLOW_CONTROL_ERROR),
        _OPEN,
        h2.windowUpdate(1, _MOST),
    ),
    case(
        "6.9.1",
        "WINDOW_UPDATE to 2^31-1",
        answered(),
        _OPEN,
        h2.windowUpdate(1, _MOST - 65535) + h2.windowUpdate(0, _MOST - 65535),
        h2.data(1, b"", True),
    ),
)

RECEIVING = (
    case(
        "6.9.1",
        "DATA over the window of the stream",
        streamError(h2.FLOW_CONTROL_ERROR),
        h2.request(1, h2.POST, end=False),
        lambda settings: _flood(_window(settings) + 1),
        pauses=True,
    ),
    case(
        "6.9.1",
        "window is given back",
        _credited(1),
        _OPEN,
        *[_halfWindow] * 4,
    ),
    case("6.9.1", "window is given back for padding", _credited(1), _OPEN, *[_halfOfPadding] * 4),
)

INITIAL = (
    case(
        "6.9.2",
        "SETTINGS widen the window of streams that are open",
        sizes(1, 1),
        _WHOLE,
        h2.settings((_KEY, 2)),
        client=_NARROW,
    ),
    case(
        "6.9.2",
        "the last of two values counts",
        sizes(1, whole=False),
        h2.settings((_KEY, 100), (_KEY, 1)),
        _WHOLE,
    ),
    case(
        "6.9.2",
        "a window can become negative",
        sizes(3, 1, whole=False),
        _WHOLE,
        h2.settings((_KEY, 2)),
        h2.windowUpdate(1, 2),
        client=((_KEY, 3),),
        body=b"x" * 9,
    ),
    case(
        "6.9.2",
        "a negative window is made up for first",
        sizes(3, whole=False),
        _WHOLE,
        h2.settings((_KEY, 0)),
        h2.windowUpdate(1, 3),
        client=((_KEY, 3),),
        body=b"x" * 9,
    ),
    case(
        "6.9.2",
        "SETTINGS do not widen the window of the connection",
        _body(65535),
        h2.settings((_KEY, _MOST)),
        _WHOLE,
        body=b"x" * 70000,
    ),
    case(
        "6.9.2",
        "SETTINGS widen the window of a stream over 2^31-1",
        _FLOW,
        _WHOLE,
        h2.windowUpdate(1, 1),
        h2.settings((_KEY, _MOST)),
        answers=False,
    ),
    case(
        "6.9.2",
        "a new value counts for new streams",
        sizes(2, stream=3),
        h2.settings((_KEY, 0)),
        _WHOLE,
        h2.settings((_KEY, 2)),
        h2.request(3),
    ),
)

CONTINUED = (
    case(
        "6.10",
        "one CONTINUATION",
        answered(),
        h2.headers(1, _BLOCK[:5], True, whole=False),
        h2.continuation(1, _BLOCK[5:]),
    ),
    case(
        "6.10",
        "several CONTINUATION",
        answered(),
        h2.headers(1, _BLOCK[:5], True, whole=False),
        h2.continuation(1, _BLOCK[5:9], False),
        h2.continuation(1, _BLOCK[9:20], False),
        h2.continuation(1, _BLOCK[20:]),
    ),
    case(
        "6.10",
        "a last CONTINUATION of nothing",
        answered(),
        h2.headers(1, _BLOCK, True, whole=False),
        h2.continuation(1, b""),
    ),
    case(
        "6.10",
        "CONTINUATION for trailers",
        answered(),
        _OPEN,
        h2.headers(1, h2.literal(b"a", b"b"), True, whole=False),
        h2.continuation(1, h2.literal(b"c", b"d")),
    ),
    case(
        "6.10",
        "CONTINUATION, then DATA before the block ends",
        _PROTOCOL,
        h2.headers(1, _BLOCK, whole=False),
        h2.continuation(1, b"", False),
        h2.data(1, b"x", True),
    ),
    case(
        "6.10",
        "CONTINUATION on stream 0",
        _PROTOCOL,
        h2.headers(1, _BLOCK, True, whole=False),
        h2.continuation(0, b""),
    ),
    case(
        "6.10",
        "CONTINUATION of another stream",
        _PROTOCOL,
        h2.headers(1, _BLOCK, True, whole=False),
        h2.continuation(3, b""),
    ),
    case(
        "6.10",
        "CONTINUATION after the block has ended",
        connectionError(h2.PROTOCOL_ERROR, h2.STREAM_CLOSED),
        _OPEN,
        h2.continuation(1, b""),
    ),
    case(
        "6.10",
        "CONTINUATION after a CONTINUATION that ended the block",
        connectionError(h2.PROTOCOL_ERROR, h2.STREAM_CLOSED),
        h2.headers(1, _BLOCK, whole=False),
        h2.continuation(1, b""),
        h2.continuation(1, b""),
    ),
    case(
        "6.10",
        "CONTINUATION after DATA",
        _PROTOCOL,
        _OPEN,
        h2.data(1, b"x"),
        h2.continuation(1, b""),
    ),
)

CASES = UPDATES + SENDING + RECEIVING + INITIAL + CONTINUED
