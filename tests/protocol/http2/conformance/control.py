"""RFC 9113, sections 6.1 to 6.8 and 7: frames of messages and of control."""

from __future__ import annotations

from typing import Any

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    answered,
    case,
    connectionError,
    lives,
    received,
    said,
    streamError,
)

_BLOCK = h2.fieldBlock(h2.GET)
_OPEN = h2.request(1, h2.POST, end=False)
_WHOLE = h2.request()
_PROTOCOL = connectionError(h2.PROTOCOL_ERROR)
_SIZE = connectionError(h2.FRAME_SIZE_ERROR)
_FLOW = connectionError(h2.FLOW_CONTROL_ERROR)
_ACK = h2.Frame(h2.SETTINGS, h2.ACK, 0, b"")

DATA = (
    case("6.1", "one DATA frame", received(b"abc"), _OPEN, h2.data(1, b"abc", True)),
    case(
        "6.1",
        "several DATA frames",
        received(b"abc"),
        _OPEN,
        h2.data(1, b"a"),
        h2.data(1, b"bc", True),
    ),
    case(
        "6.1",
        "the end is an empty DATA frame",
        received(b"abc"),
        _OPEN,
        h2.data(1, b"abc") + h2.data(1, b"", True),
    ),
    case("6.1", "DATA with padding", received(b"abc"), _OPEN, h2.data(1, b"abc", True, padding=8)),
    case(
        "6.1",
        "DATA with padding of no octets",
        received(b"abc"),
        _OPEN,
        h2.data(1, b"abc", True, padding=0),
    ),
    case(
        "6.1",
        "DATA of nothing but padding",
        received(b""),
        _OPEN,
        h2.data(1, b"", True, padding=255),
    ),
    case("6.1", "DATA on stream 0", _PROTOCOL, h2.data(0, b"x")),
    case(
        "6.1",
        "DATA padded by more than there is",
        _PROTOCOL,
        _OPEN,
        h2.rawFrame(h2.DATA, 9, 1, b"\5four"),
    ),
    case(
        "6.1",
        "DATA padded by exactly what there is",
        _PROTOCOL,
        _OPEN,
        h2.rawFrame(h2.DATA, 9, 1, b"\3abc"[:3]),
    ),
    case(
        "6.1",
        "DATA without the octet of its padding",
        connectionError(h2.FRAME_SIZE_ERROR, h2.PROTOCOL_ERROR),
        _OPEN,
        h2.rawFrame(h2.DATA, 9, 1),
    ),
)

HEADERS = (
    case("6.2", "HEADERS with padding", answered(), h2.headers(1, _BLOCK, True, padding=8)),
    case(
        "6.2",
        "HEADERS with padding and a priority",
        answered(),
        h2.headers(1, _BLOCK, True, padding=8, priority=(0, 9, False)),
    ),
    case("6.2", "HEADERS on stream 0", _PROTOCOL, h2.request(0)),
    case(
        "6.2",
        "HEADERS padded by more than there is",
        _PROTOCOL,
        h2.rawFrame(h2.HEADERS, 0xD, 1, b"\xff" + _BLOCK),
    ),
    case(
        "6.2",
        "HEADERS padded into its priority",
        streamError(h2.PROTOCOL_ERROR, h2.FRAME_SIZE_ERROR),
        h2.rawFrame(h2.HEADERS, 0x2D, 1, b"\2" + bytes(5) + b"\x82"),
    ),
    case(
        "6.2",
        "HEADERS too short for its priority",
        connectionError(h2.FRAME_SIZE_ERROR, h2.PROTOCOL_ERROR),
        h2.rawFrame(h2.HEADERS, 0x25, 1, b"\0\0\0"),
    ),
    case(
        "6.2",
        "HEADERS, then HEADERS of the same stream before the block ends",
        _PROTOCOL,
        h2.headers(1, _BLOCK, True, whole=False) + _WHOLE,
    ),
    case(
        "6.2",
        "HEADERS of nothing, then CONTINUATION",
        answered(),
        h2.headers(1, b"", True, whole=False),
        h2.continuation(1, _BLOCK),
    ),
)

PRIORITY = (
    case("6.3", "PRIORITY on stream 0", _PROTOCOL, h2.priority(0)),
    case(
        "6.3",
        "PRIORITY of four octets",
        streamError(h2.FRAME_SIZE_ERROR),
        _OPEN,
        h2.rawFrame(h2.PRIORITY, 0, 1, bytes(4)),
    ),
    case(
        "6.3",
        "PRIORITY of six octets on an idle stream",
        streamError(h2.FRAME_SIZE_ERROR),
        h2.rawFrame(h2.PRIORITY, 0, 1, bytes(6)),
    ),
)


def _afterReset(dialogue: Any) -> str:
    if not any(event[0] == 3 and event[1] == 1 for event in dialogue.events):
        return "the stream was not given up"
    if dialogue.statuses() != [(3, b"200")] or dialogue.of(h2.RST_STREAM, h2.GOAWAY):
        return "the next request was not answered"
    return "" if dialogue.alive() else "the connection is dead"


def _surplus(dialogue: Any) -> str:
    """No RFC says what to do with an acknowledgement of nothing."""
    if dialogue.failed:
        dialogue.note = "connection error"
        return _PROTOCOL(dialogue)
    return lives(dialogue)


RST_STREAM = (
    case(
        "6.4",
        "RST_STREAM on a stream that is open",
        _afterReset,
        _OPEN,
        h2.rstStream(1),
        h2.request(3),
    ),
    case("6.4", "RST_STREAM on stream 0", _PROTOCOL, h2.rstStream(0)),
    case("6.4", "RST_STREAM on an idle stream", _PROTOCOL, h2.rstStream(3)),
    case(
        "6.4",
        "RST_STREAM of three octets",
        _SIZE,
        _OPEN,
        h2.rawFrame(h2.RST_STREAM, 0, 1, bytes(3)),
    ),
    case(
        "6.4", "RST_STREAM of five octets", _SIZE, _OPEN, h2.rawFrame(h2.RST_STREAM, 0, 1, bytes(5))
    ),
    case(
        "7",
        "RST_STREAM with an unknown code",
        _afterReset,
        _OPEN,
        h2.rstStream(1, 0xFFFF),
        h2.request(3),
    ),
)

SETTINGS = (
    case("6.5", "SETTINGS is acknowledged", said(_ACK), h2.settings((h2.HEADER_TABLE_SIZE, 100))),
    case("6.5", "SETTINGS of nothing is acknowledged", said(_ACK), h2.settings()),
    case(
        "6.5",
        "an acknowledgement with a payload",
        _SIZE,
        h2.rawFrame(h2.SETTINGS, h2.ACK, 0, bytes(6)),
    ),
    case("6.5", "SETTINGS on a stream", _PROTOCOL, h2.rawFrame(h2.SETTINGS, 0, 1, bytes(6))),
    case(
        "6.5", "SETTINGS on a stream that is open", _PROTOCOL, _OPEN, h2.rawFrame(h2.SETTINGS, 0, 1)
    ),
    case("6.5", "SETTINGS of three octets", _SIZE, h2.rawFrame(h2.SETTINGS, 0, 0, bytes(3))),
    case("6.5", "SETTINGS of seven octets", _SIZE, h2.rawFrame(h2.SETTINGS, 0, 0, bytes(7))),
    case("6.5.2", "ENABLE_PUSH of 2", _PROTOCOL, h2.settings((h2.ENABLE_PUSH, 2))),
    case(
        "6.5.2", "ENABLE_PUSH of 0 and of 1", said(_ACK), h2.settings((2, 0)) + h2.settings((2, 1))
    ),
    case(
        "6.5.2",
        "INITIAL_WINDOW_SIZE over 2^31-1",
        _FLOW,
        h2.settings((h2.INITIAL_WINDOW_SIZE, 1 << 31)),
    ),
    case(
        "6.5.2",
        "INITIAL_WINDOW_SIZE of 2^31-1",
        said(_ACK),
        h2.settings((h2.INITIAL_WINDOW_SIZE, (1 << 31) - 1)),
    ),
    case("6.5.2", "MAX_FRAME_SIZE under 2^14", _PROTOCOL, h2.settings((h2.MAX_FRAME_SIZE, 16383))),
    case(
        "6.5.2", "MAX_FRAME_SIZE over 2^24-1", _PROTOCOL, h2.settings((h2.MAX_FRAME_SIZE, 1 << 24))
    ),
    case(
        "6.5.2",
        "MAX_FRAME_SIZE of 2^24-1",
        said(_ACK),
        h2.settings((h2.MAX_FRAME_SIZE, (1 << 24) - 1)),
    ),
    case("6.5.2", "MAX_CONCURRENT_STREAMS of 0", answered(), h2.settings((3, 0)), _WHOLE),
    case("6.5.2", "MAX_HEADER_LIST_SIZE", answered(), h2.settings((6, 1000)), _WHOLE),
    case("6.5.2", "an unknown setting", said(_ACK), h2.settings((0xFF, 1))),
    case("6.5.3", "an acknowledgement too many", _surplus, h2.settingsAck()),
    case(
        "6.5.3",
        "each SETTINGS is acknowledged once",
        lambda dialogue: (
            "" if dialogue.frames.count(_ACK) == 3 and dialogue.alive() else "not three"
        ),
        h2.settings((1, 1)) + h2.settings((1, 2)) + h2.settings((1, 3)),
    ),
    case(
        "6.5.2",
        "HEADER_TABLE_SIZE of 0 stops the table",
        answered(1, 3),
        h2.settings((1, 0)),
        _WHOLE,
        h2.request(3),
    ),
)

PING = (
    case(
        "6.7",
        "PING is answered with its octets",
        said(h2.Frame(h2.PING, 1, 0, b"12345678")),
        h2.ping(b"12345678"),
    ),
    case("6.7", "an answer to no PING", lives, h2.ping(b"12345678", ack=True)),
    case(
        "6.7",
        "an answer is not answered",
        lambda dialogue: "answered" if dialogue.of(h2.PING) else lives(dialogue),
        h2.ping(b"12345678", ack=True),
    ),
    case("6.7", "PING on a stream", _PROTOCOL, h2.rawFrame(h2.PING, 0, 1, bytes(8))),
    case("6.7", "PING of six octets", _SIZE, h2.rawFrame(h2.PING, 0, 0, bytes(6))),
    case("6.7", "PING of nine octets", _SIZE, h2.rawFrame(h2.PING, 0, 0, bytes(9))),
    case(
        "6.7",
        "PING within a message",
        said(h2.Frame(h2.PING, 1, 0, b"12345678")),
        _OPEN,
        h2.ping(b"12345678"),
        h2.data(1, b"x", True),
    ),
)


def _openStreamsEnd(dialogue: Any) -> str:
    """What was begun before the client's GOAWAY is answered."""
    if dialogue.failed:
        return "the connection ended at once"
    return "" if dialogue.statuses() == [(1, b"200")] else "the open stream was not answered"


GOAWAY = (
    case("6.8", "GOAWAY", lambda dialogue: "ended at once" if dialogue.failed else "", h2.goAway()),
    case(
        "6.8",
        "GOAWAY with a text",
        lambda dialogue: "ended at once" if dialogue.failed else "",
        h2.goAway(0, 0, b"bye"),
    ),
    case("6.8", "GOAWAY on a stream", _PROTOCOL, h2.rawFrame(h2.GOAWAY, 0, 1, bytes(8))),
    case("6.8", "GOAWAY of seven octets", _SIZE, h2.rawFrame(h2.GOAWAY, 0, 0, bytes(7))),
    case(
        "6.8",
        "streams that are open go on after GOAWAY",
        _openStreamsEnd,
        _OPEN,
        h2.goAway(),
        h2.data(1, b"x", True),
    ),
    case(
        "7",
        "GOAWAY with an unknown code",
        _openStreamsEnd,
        _OPEN,
        h2.goAway(0, 0xFFFF),
        h2.data(1, b"x", True),
    ),
)

PUSH = (
    case("8.4", "a client promises", _PROTOCOL, h2.pushPromise(1, 2, _BLOCK)),
    case(
        "8.4",
        "a client promises on a stream that is open",
        _PROTOCOL,
        _OPEN,
        h2.pushPromise(1, 2, _BLOCK),
    ),
    case("6.6", "PUSH_PROMISE on stream 0", _PROTOCOL, h2.pushPromise(0, 2, _BLOCK)),
)

CASES = DATA + HEADERS + PRIORITY + RST_STREAM + SETTINGS + PING + GOAWAY + PUSH
