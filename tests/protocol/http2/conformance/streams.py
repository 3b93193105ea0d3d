"""RFC 9113, section 5: streams and multiplexing."""

from __future__ import annotations

from typing import Any

from mosntx.testing import h2frames as h2
from tests.protocol.http2.conformance.expect import (
    answered,
    case,
    closedStream,
    connectionError,
    lives,
    streamError,
)

_BLOCK = h2.fieldBlock(h2.GET)
_OPEN = h2.request(1, h2.POST, end=False)
_WHOLE = h2.request()
_PROTOCOL = connectionError(h2.PROTOCOL_ERROR)
_CONTINUED = connectionError(h2.PROTOCOL_ERROR, h2.STREAM_CLOSED)


def _refused(dialogue: Any) -> str:
    """The stream above the limit is refused, those before it are not."""
    last = 2 * dialogue.settings[h2.MAX_CONCURRENT_STREAMS] + 1
    if len(dialogue.of(h2.RST_STREAM)) > 1:
        return "more than one stream was refused"
    return streamError(h2.REFUSED_STREAM, h2.PROTOCOL_ERROR, stream=last)(dialogue)


def _tooMany(settings: dict[int, int]) -> bytes:
    most = settings[h2.MAX_CONCURRENT_STREAMS]
    return b"".join(h2.request(number) for number in range(1, 2 * most + 2, 2))


def _inTurns(settings: dict[int, int]) -> bytes:
    most = settings[h2.MAX_CONCURRENT_STREAMS]
    octets = []
    for number in range(1, 2 * most + 20, 2):
        octets.append(h2.request(number, h2.POST, end=False))
        octets.append(h2.rstStream(number))
    return b"".join(octets)


IDLE = (
    case("5.1", "idle: DATA", _PROTOCOL, h2.data(1, b"x", end=True)),
    case("5.1", "idle: RST_STREAM", _PROTOCOL, h2.rstStream(1)),
    case("5.1", "idle: WINDOW_UPDATE", _PROTOCOL, h2.windowUpdate(1, 100)),
    case("5.1", "idle: CONTINUATION", _PROTOCOL, h2.continuation(1, _BLOCK)),
    case("5.1", "idle: PRIORITY", lives, h2.priority(1)),
    case("5.1", "idle: PRIORITY, then a request", answered(), h2.priority(1) + _WHOLE),
    case(
        "5.1",
        "idle, between streams that were used: DATA",
        connectionError(h2.PROTOCOL_ERROR, h2.STREAM_CLOSED),
        h2.request(5),
        h2.data(7, b"x"),
    ),
)

HALF_CLOSED = (
    case(
        "5.1",
        "half-closed (remote): DATA",
        streamError(h2.STREAM_CLOSED),
        _WHOLE,
        h2.data(1, b"x", end=True),
        answers=False,
    ),
    case(
        "5.1",
        "half-closed (remote): HEADERS",
        streamError(h2.STREAM_CLOSED),
        _WHOLE,
        _WHOLE,
        answers=False,
    ),
    case(
        "5.1",
        "half-closed (remote): CONTINUATION",
        _CONTINUED,
        _WHOLE,
        h2.continuation(1, _BLOCK),
        answers=False,
    ),
    case(
        "5.1",
        "half-closed (remote): WINDOW_UPDATE",
        lives,
        _WHOLE,
        h2.windowUpdate(1, 100),
        answers=False,
    ),
    case("5.1", "half-closed (remote): PRIORITY", lives, _WHOLE, h2.priority(1), answers=False),
)


def _givenUp(dialogue: Any) -> str:
    if not any(event[0] == 3 and event[1] == 1 for event in dialogue.events):
        return "the stream was not given up"
    if dialogue.of(h2.RST_STREAM, h2.GOAWAY) or dialogue.failed:
        return "an RST_STREAM was answered"
    return "" if dialogue.alive() else "the connection is dead"


CLOSED = (
    case(
        "5.1",
        "half-closed (remote): RST_STREAM",
        _givenUp,
        _WHOLE,
        h2.rstStream(1),
        answers=False,
    ),
    case("5.1", "closed by RST_STREAM: DATA", closedStream, _OPEN + h2.rstStream(1), h2.data(1)),
    case("5.1", "closed by RST_STREAM: HEADERS", closedStream, _OPEN + h2.rstStream(1), _WHOLE),
    case(
        "5.1",
        "closed by RST_STREAM: CONTINUATION",
        _CONTINUED,
        _OPEN + h2.rstStream(1),
        h2.continuation(1, _BLOCK),
    ),
    case(
        "5.1",
        "closed by RST_STREAM: PRIORITY",
        _givenUp,
        _OPEN + h2.rstStream(1),
        h2.priority(1),
    ),
    case(
        "5.1",
        "closed by RST_STREAM: RST_STREAM again",
        _givenUp,
        _OPEN + h2.rstStream(1),
        h2.rstStream(1),
    ),
    case("5.1", "closed by END_STREAM: DATA", closedStream, _WHOLE, h2.data(1, b"x", end=True)),
    case("5.1", "closed by END_STREAM: HEADERS", closedStream, _WHOLE, _WHOLE),
    case("5.1", "closed by END_STREAM: CONTINUATION", _CONTINUED, _WHOLE, h2.continuation(1, b"")),
    case("5.1", "closed by END_STREAM: WINDOW_UPDATE", answered(), _WHOLE, h2.windowUpdate(1, 9)),
    case("5.1", "closed by END_STREAM: RST_STREAM", answered(), _WHOLE, h2.rstStream(1)),
    case("5.1", "closed by END_STREAM: PRIORITY", answered(), _WHOLE, h2.priority(1)),
)

NUMBERS = (
    case("5.1.1", "an even number", _PROTOCOL, h2.request(2)),
    case("5.1.1", "a smaller number than before", _CONTINUED, h2.request(5), h2.request(3)),
    case(
        "5.1.1", "numbers left out", answered(1, 9, 2**31 - 1), *map(h2.request, (1, 9, 2**31 - 1))
    ),
    case(
        "5.1.1",
        "a number below one in use that was left out: DATA",
        lambda dialogue: closedStream(dialogue, 3),
        h2.request(5),
        h2.data(3, b"x"),
    ),
    case("5.1.2", "one stream too many", _refused, _tooMany, answers=False),
    case(
        "5.1.2",
        "many streams, one at a time",
        lambda dialogue: (
            "" if not dialogue.of(h2.RST_STREAM, h2.GOAWAY) and dialogue.alive() else "refused"
        ),
        _inTurns,
    ),
)

DEPENDENCIES = (
    case(
        "5.3.2",
        "HEADERS with a priority",
        answered(),
        h2.headers(1, _BLOCK, True, priority=(0, 256, False)),
    ),
    case(
        "5.3.2",
        "HEADERS depend on another stream",
        answered(1, 3),
        _WHOLE,
        h2.headers(3, _BLOCK, True, priority=(1, 1, True)),
    ),
    case(
        "5.3.2",
        "HEADERS depend on an idle stream",
        answered(),
        h2.headers(1, _BLOCK, True, priority=(99, 16, False)),
    ),
    case("5.3.2", "PRIORITY with weight 1", lives, h2.priority(1, 0, 1)),
    case("5.3.2", "PRIORITY with weight 256", lives, h2.priority(1, 0, 256)),
    case("5.3.2", "PRIORITY depends on another stream", lives, h2.priority(3, 1)),
    case("5.3.2", "PRIORITY depends exclusively", lives, h2.priority(3, 1, 16, True)),
    case(
        "5.3.2",
        "PRIORITY within a message",
        answered(),
        _OPEN,
        h2.priority(1, 0, 7),
        h2.data(1, b"x", True),
    ),
)


def _selfish(dialogue: Any) -> str:
    """RFC 7540 made it an error, RFC 9113 ignores it: either is right."""
    if dialogue.failed or dialogue.of(h2.RST_STREAM):
        return streamError(h2.PROTOCOL_ERROR)(dialogue)
    dialogue.note = "ignored"
    return lives(dialogue)


ERRORS = (
    case(
        "5.3.1",
        "HEADERS depend on themselves",
        _selfish,
        h2.headers(1, _BLOCK, True, priority=(1, 16, False)),
    ),
    case("5.3.1", "PRIORITY depends on itself", _selfish, h2.priority(1, 1)),
    case(
        "5.4.1",
        "GOAWAY is said before the connection closes",
        connectionError(h2.FRAME_SIZE_ERROR),
        h2.ping(b"short"),
    ),
    case(
        "5.4.1",
        "nothing is answered after the end",
        lambda dialogue: (
            "answered" if dialogue.statuses() else connectionError(h2.FRAME_SIZE_ERROR)(dialogue)
        ),
        h2.ping(b"short") + _WHOLE,
        _WHOLE,
    ),
    case(
        "5.4.2",
        "RST_STREAM is not answered with RST_STREAM",
        _givenUp,
        _OPEN,
        h2.rstStream(1, h2.PROTOCOL_ERROR),
    ),
    case(
        "5.5",
        "an unknown frame on a stream that is open",
        answered(),
        _OPEN,
        h2.rawFrame(0xF0, 0xFF, 1, b"x"),
        h2.data(1, b"x", True),
    ),
    case(
        "5.5",
        "an unknown frame within a header block",
        _PROTOCOL,
        h2.headers(1, _BLOCK, True, whole=False)
        + h2.rawFrame(0xF0, 0, 1)
        + h2.continuation(1, b""),
    ),
    case("5.5", "an unknown setting", answered(), h2.settings((0xF0F0, 7)), _WHOLE),
)

CASES = IDLE + HALF_CLOSED + CLOSED + NUMBERS + DEPENDENCIES + ERRORS
