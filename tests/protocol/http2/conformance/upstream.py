"""RFC 9113 for clients: what an upstream may answer, and what it may not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mosntx.contracts.codec import GOAWAY, HEAD, INFORMATIONAL, PUSH
from mosntx.contracts.stream import REFUSED
from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    Case,
    case,
    closedStream,
    connectionError,
    lives,
    said,
    streamError,
)

Pair = tuple[bytes, bytes]

_OK = ((b":status", b"200"),)
_HEAD = h2.request(1, _OK, end=False)
_DONE = h2.request(1, _OK)
_PROTOCOL = connectionError(h2.PROTOCOL_ERROR)
_SIZE = connectionError(h2.FRAME_SIZE_ERROR)
_PROMISE = h2.pushPromise(1, 2, h2.fieldBlock(h2.GET))
_MOST = (1 << 31) - 1


def _came(*wanted: tuple[int, int, int]) -> Callable[[Any], str]:
    """These heads came in, and nothing goes wrong."""

    def check(dialogue: Any) -> str:
        found = dialogue.responses()
        return lives(dialogue) if found == list(wanted) else f"heads are {found}"

    return check


def _whole(body: bytes) -> Callable[[Any], str]:
    """The response came whole with this body."""

    def check(dialogue: Any) -> str:
        got = b"".join(bytes(part) for kind, _, part, _ in dialogue.events if kind == 1)
        if got != body or not dialogue.delivered(1):
            return f"the response is not whole: {got!r}"
        return "the connection ended" if dialogue.failed else ""

    return check


def _bad(dialogue: Any) -> str:
    """Stream 1 is given up and reset with PROTOCOL_ERROR; no response was delivered whole."""
    if dialogue.delivered(1):
        return "the malformed response was delivered"
    if not dialogue.failed and 1 not in dialogue.resets():
        return "the one who asked was not told"
    if dialogue.over and not dialogue.failed and not dialogue.of(h2.RST_STREAM):
        dialogue.note = "given up without RST_STREAM: both halves have ended"
        return "" if dialogue.alive() else "the connection is dead"
    return streamError(h2.PROTOCOL_ERROR)(dialogue)


def _response(*pairs: Pair, end: bool = True) -> bytes:
    return h2.request(1, (*_OK, *pairs), end)


def _wrong(section: str, title: str, *steps: bytes, **options: Any) -> Case:
    return case(section, title, _bad, *steps, **options)


def _lastTold(last: int) -> Callable[[Any], str]:
    """The GOAWAY event names the last stream; who uses the codec gives up those above."""

    def check(dialogue: Any) -> str:
        found = [event[2] for event in dialogue.events if event[0] == GOAWAY]
        if last not in found:
            return f"GOAWAY was told as {found}"
        return "more streams may be opened" if dialogue.codec.capacity else ""

    return check


def _promised(dialogue: Any) -> str:
    kinds = [event[0] for event in dialogue.events]
    return lives(dialogue) if PUSH in kinds else "the promise was not told"


BEGINNING = (
    case("3.4", "the server begins with SETTINGS", lives),
    case("3.4", "the server begins with PING", _PROTOCOL, h2.ping(), server=None, methods=()),
    case(
        "3.4",
        "the server begins with HTTP/1.1",
        connectionError(*range(14)),
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        server=None,
        methods=(),
    ),
    case("4.1", "a frame of an unknown type", lives, h2.rawFrame(0xF0, 0xFF, 0, b"x")),
    case(
        "4.2",
        "DATA over SETTINGS_MAX_FRAME_SIZE",
        streamError(h2.FRAME_SIZE_ERROR),
        _HEAD,
        h2.data(1, bytes(16385)),
    ),
    case(
        "4.3",
        "a header block that cannot be decoded",
        connectionError(h2.COMPRESSION_ERROR),
        h2.headers(1, b"\xff\xff\xff", True),
    ),
    case(
        "4.3",
        "DATA within a header block",
        _PROTOCOL,
        h2.headers(1, h2.fieldBlock(_OK), whole=False) + h2.data(1),
    ),
    case("5.1", "idle: HEADERS", _PROTOCOL, h2.request(9, _OK)),
    case("5.1", "idle: DATA", _PROTOCOL, h2.data(9, b"x")),
    case("5.1", "idle: RST_STREAM", _PROTOCOL, h2.rstStream(9)),
    case("5.1", "idle: WINDOW_UPDATE", _PROTOCOL, h2.windowUpdate(9, 1)),
    case("5.1", "closed: DATA", closedStream, _DONE, h2.data(1, b"x")),
    case("5.1", "closed: HEADERS", closedStream, _DONE, _DONE),
    case("5.1", "closed: RST_STREAM", _came((HEAD, 1, 200)), _DONE, h2.rstStream(1)),
    case("5.1.1", "an even stream that was not promised", _PROTOCOL, h2.request(2, _OK)),
)

RESPONSES = (
    case("8.1", "a response", _came((HEAD, 1, 200)), _DONE),
    case("8.1", "a response with a body", _whole(b"abc"), _HEAD, h2.data(1, b"abc", True)),
    case(
        "8.1",
        "a response with trailers",
        _whole(b"abc"),
        _HEAD,
        h2.data(1, b"abc"),
        h2.request(1, ((b"x-sum", b"1"),)),
    ),
    case(
        "8.1",
        "responses in another order",
        _came((HEAD, 3, 200), (HEAD, 1, 200)),
        h2.request(3, _OK),
        _DONE,
        methods=(b"GET", b"GET"),
    ),
    case(
        "8.1",
        "interim responses",
        _came((INFORMATIONAL, 1, 103), (INFORMATIONAL, 1, 100), (HEAD, 1, 200)),
        h2.request(1, ((b":status", b"103"),), False),
        h2.request(1, ((b":status", b"100"),), False),
        _DONE,
    ),
    _wrong("8.1", "DATA before HEADERS", h2.data(1, b"x", True)),
    _wrong(
        "8.1",
        "DATA after an interim response",
        h2.request(1, ((b":status", b"103"),), False),
        h2.data(1, b"x", True),
    ),
    _wrong("8.1", "an interim response with END_STREAM", h2.request(1, ((b":status", b"103"),))),
    _wrong("8.1", "trailers without END_STREAM", _HEAD, h2.request(1, ((b"x-sum", b"1"),), False)),
    _wrong("8.1", "a second head", _HEAD, _DONE),
    _wrong("8.6", "101", h2.request(1, ((b":status", b"101"),), False)),
    _wrong(
        "8.1.1",
        "content-length is more than DATA",
        _response((b"content-length", b"4"), end=False),
        h2.data(1, b"abc", True),
    ),
    _wrong(
        "8.1.1",
        "content-length is less than DATA",
        _response((b"content-length", b"2"), end=False),
        h2.data(1, b"abc", True),
    ),
    _wrong(
        "8.1.1",
        "content-length is less than the first of two DATA frames",
        _response((b"content-length", b"2"), end=False),
        h2.data(1, b"abc"),
        h2.data(1, b"", True),
    ),
    _wrong("8.1.1", "content-length without a body", _response((b"content-length", b"4"))),
    _wrong(
        "8.1.1",
        "content-length is wrong before trailers",
        _response((b"content-length", b"4"), end=False),
        h2.data(1, b"abc"),
        h2.request(1, ((b"x", b"y"),)),
    ),
    _wrong(
        "8.1.1",
        "content-length twice",
        _response((b"content-length", b"3"), (b"content-length", b"4"), end=False),
        h2.data(1, b"abc", True),
    ),
    case(
        "8.1.1",
        "content-length without a body, to HEAD",
        _came((HEAD, 1, 200)),
        _response((b"content-length", b"4")),
        methods=(b"HEAD",),
    ),
    case(
        "8.1.1",
        "content-length without a body, with 304",
        _came((HEAD, 1, 304)),
        h2.request(1, ((b":status", b"304"), (b"content-length", b"4"))),
    ),
    case(
        "8.1",
        "RST_STREAM with NO_ERROR behind a whole response",
        _came((HEAD, 1, 200)),
        _DONE + h2.rstStream(1, h2.NO_ERROR),
    ),
    case(
        "8.7",
        "REFUSED_STREAM may be sent again",
        lambda dialogue: (
            ""
            if (3, 1, REFUSED, True) in dialogue.events and dialogue.alive()
            else f"{dialogue.events}"
        ),
        h2.rstStream(1, h2.REFUSED_STREAM),
    ),
)

FIELDS = (
    _wrong("8.2.1", "a name in upper case", _response((b"X-Test", b"1"))),
    _wrong("8.2.1", "a value with LF", _response((b"x-test", b"a\nb"))),
    _wrong("8.2.1", "a name with a space", _response((b"x test", b"1"))),
    _wrong("8.2.1", "a value that begins with a space", _response((b"x-test", b" 1"))),
    _wrong("8.2.2", "the field connection", _response((b"connection", b"close"))),
    _wrong("8.2.2", "the field transfer-encoding", _response((b"transfer-encoding", b"chunked"))),
    _wrong("8.3", "a pseudo field after others", h2.request(1, ((b"x", b"y"), *_OK))),
    _wrong("8.3", "a pseudo field that is unknown", _response((b":test", b"1"))),
    _wrong("8.3", "a pseudo field of requests", _response((b":path", b"/"))),
    _wrong("8.3", "a pseudo field in trailers", _HEAD, h2.data(1, b"x"), _DONE),
    _wrong("8.3.2", "no :status", h2.request(1, ((b"x", b"y"),))),
    _wrong("8.3.2", ":status twice", _response(*_OK)),
    _wrong("8.3.2", ":status is no number", h2.request(1, ((b":status", b"2x0"),))),
    _wrong("8.3.2", ":status of four digits", h2.request(1, ((b":status", b"2000"),))),
    _wrong("8.3.2", "no fields at all", h2.headers(1, b"", True)),
)

CONTROL = (
    case(
        "6.5",
        "SETTINGS are acknowledged",
        said(h2.Frame(h2.SETTINGS, h2.ACK, 0, b"")),
        h2.settings((3, 7)),
    ),
    case("6.5.2", "ENABLE_PUSH of 1 from a server", _PROTOCOL, h2.settings((h2.ENABLE_PUSH, 1))),
    case("6.5.2", "ENABLE_PUSH of 0 from a server", lives, h2.settings((h2.ENABLE_PUSH, 0))),
    case(
        "6.5.2",
        "INITIAL_WINDOW_SIZE over 2^31-1",
        connectionError(h2.FLOW_CONTROL_ERROR),
        h2.settings((4, 1 << 31)),
    ),
    case("6.5.2", "MAX_FRAME_SIZE under 2^14", _PROTOCOL, h2.settings((5, 100))),
    case(
        "6.5.2",
        "MAX_CONCURRENT_STREAMS is kept",
        lambda dialogue: (
            ""
            if dialogue.codec.capacity == 1
            else f"{dialogue.codec.capacity} streams may be opened"
        ),
        h2.settings((3, 2)),
    ),
    case(
        "6.5.2",
        "MAX_CONCURRENT_STREAMS under what is open",
        lambda dialogue: (
            f"{dialogue.codec.capacity} streams may be opened"
            if dialogue.codec.capacity
            else lives(dialogue)
        ),
        h2.settings((3, 0)),
    ),
    case(
        "6.7", "PING is answered", said(h2.Frame(h2.PING, 1, 0, b"12345678")), h2.ping(b"12345678")
    ),
    case("6.7", "PING of seven octets", _SIZE, h2.rawFrame(h2.PING, 0, 0, bytes(7))),
    case("6.8", "GOAWAY below the open streams", _lastTold(1), h2.goAway(1), methods=(b"GET",) * 3),
    case(
        "6.8",
        "GOAWAY, then a lower one",
        _lastTold(1),
        h2.goAway(_MOST),
        h2.goAway(1),
        methods=(b"GET",) * 2,
    ),
    case(
        "6.8",
        "what GOAWAY leaves goes on",
        _whole(b"abc"),
        h2.goAway(1),
        _HEAD,
        h2.data(1, b"abc", True),
    ),
    case("6.8", "GOAWAY of seven octets", _SIZE, h2.rawFrame(h2.GOAWAY, 0, 0, bytes(7))),
    case("6.8", "GOAWAY on a stream", _PROTOCOL, h2.rawFrame(h2.GOAWAY, 0, 1, bytes(8))),
    case("6.9", "WINDOW_UPDATE by 0", _PROTOCOL, h2.windowUpdate(0, 0)),
    case(
        "6.9.1",
        "WINDOW_UPDATE over 2^31-1",
        connectionError(h2.FLOW_CONTROL_ERROR),
        h2.windowUpdate(0, _MOST),
    ),
    case(
        "6.9.1",
        "DATA over the window of the stream",
        streamError(h2.FLOW_CONTROL_ERROR),
        _HEAD,
        lambda settings: (
            h2.data(1, bytes(16384)) * (settings.get(4, 65535) // 16384) + h2.data(1, bytes(16384))
        ),
        pauses=True,
    ),
)

PUSHED = (
    case("8.4", "a promise", _promised, _PROMISE),
    case("8.4", "a promised response", _came((HEAD, 2, 200)), _PROMISE, h2.request(2, _OK)),
    case(
        "8.4",
        "a promise is refused",
        streamError(h2.CANCEL, h2.REFUSED_STREAM, stream=2, only=True),
        _PROMISE,
        takesPush=False,
    ),
    case("8.4", "a promise when push is off", _PROTOCOL, _PROMISE, push=False),
    case(
        "8.4",
        "a promise with an odd number",
        _PROTOCOL,
        h2.pushPromise(1, 3, h2.fieldBlock(h2.GET)),
    ),
    case("8.4", "a promise of stream 0", _PROTOCOL, h2.pushPromise(1, 0, h2.fieldBlock(h2.GET))),
    case("8.4", "a number promised twice", _PROTOCOL, _PROMISE, _PROMISE),
    case(
        "8.4",
        "a smaller number promised",
        _PROTOCOL,
        h2.pushPromise(1, 4, h2.fieldBlock(h2.GET)),
        _PROMISE,
    ),
    case("8.4", "a promise on stream 0", _PROTOCOL, h2.pushPromise(0, 2, h2.fieldBlock(h2.GET))),
    case(
        "8.4", "a promise on an idle stream", _PROTOCOL, h2.pushPromise(9, 2, h2.fieldBlock(h2.GET))
    ),
    case(
        "8.4",
        "a promise for POST",
        streamError(h2.PROTOCOL_ERROR, h2.CANCEL, stream=2),
        h2.pushPromise(1, 2, h2.fieldBlock(h2.POST)),
    ),
    case(
        "8.4",
        "a promise without :path",
        streamError(h2.PROTOCOL_ERROR, h2.CANCEL, stream=2),
        h2.pushPromise(1, 2, h2.fieldBlock(h2.GET[:2])),
    ),
    case("5.1", "reserved (remote): DATA", _PROTOCOL, _PROMISE, h2.data(2, b"x")),
)

CASES = BEGINNING + RESPONSES + FIELDS + CONTROL + PUSHED
