r"""Dialogues with sans-io codecs, written down as lines and played in every cut.

A dialogue is a list of pairs; the first member says which way the second goes::

    [
        (">>", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"),     octets come in
        ("<<", ["1 head GET / end"]),                     these events come out
        (">>", lambda codec: codec.responseHead(1, head, True)),  the layer above acts
        ("<<", b"HTTP/1.1 204 No Content\r\n\r\n"),         these octets come out
        (">>", EOF),
    ]

Events and octets are collected between the lines that expect them; whatever is left at the end of
the dialogue is a failure. `describe` gives the lines for events; an expected failure needs no
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    GOAWAY,
    HEAD,
    HEARTBEAT,
    HEARTBEAT_ACK,
    INFORMATIONAL,
    MESSAGE,
    PUSH,
    RESET,
    TRAILERS,
    Event,
    ICodec,
)
from mosntx.contracts.stream import RESET_NAMES

#: The peer sends no more.
EOF = "eof"
#: The wait named by `ICodec.waitLimit` lasted too long.
TIMEOUT = "timeout"

Line = tuple[str, Any]
#: Divides octets into what single calls of `ICodec.receive` get.
Cut = Callable[[bytes], Iterable[bytes]]


def whole(octets: bytes) -> Iterator[bytes]:
    """Give all octets at once."""
    yield octets


def single(octets: bytes) -> Iterator[bytes]:
    """Give one octet after the other."""
    for position in range(len(octets)):
        yield octets[position : position + 1]


def pieces(sizes: Sequence[int]) -> Cut:
    """Return a cut into pieces of the given sizes, over and over again.

    :param sizes: not empty, each above 0.
    """

    def cut(octets: bytes) -> Iterator[bytes]:
        position = 0
        turn = 0
        while position < len(octets):
            size = sizes[turn % len(sizes)]
            yield octets[position : position + size]
            position += size
            turn += 1

    return cut


def halves(position: int) -> Cut:
    """Return a cut into two parts, the first ``position`` octets long."""

    def cut(octets: bytes) -> Iterator[bytes]:
        for part in (octets[:position], octets[position:]):
            if part:
                yield part

    return cut


def merge(events: Iterable[Event]) -> list[Event]:
    """Join data that only the cut has divided."""
    merged: list[Event] = []
    for event in events:
        kind, number, part, end = event
        if kind == DATA:
            if merged and merged[-1][0] == DATA and merged[-1][1] == number:
                event = (DATA, number, merged.pop()[2] + part, end)
            elif not part and not end:
                continue
        merged.append(event)
    return merged


def describe(event: Event) -> str:
    """Return one event as a line: stream, kind, what matters, and ``end``."""
    kind, number, part, end = event
    if kind in (HEAD, INFORMATIONAL):
        word = "head" if kind == HEAD else "informational"
        text = f"{word} {_start(part)}"
    elif kind == MESSAGE:
        text = f"message {_start(part)} {part.content!r}"
    elif kind == DATA:
        text = f"data {bytes(part)!r}"
    elif kind == TRAILERS:
        fields = ", ".join(f"{_text(name)}: {_text(value)}" for name, value in part.items())
        text = f"trailers {fields}"
    elif kind == RESET:
        text = f"reset {RESET_NAMES[part]}"
    elif kind == FAILED:
        return f"{number} failed {part.status}: {part.reason}"
    else:
        names = {PUSH: "push", HEARTBEAT: "heartbeat", HEARTBEAT_ACK: "heartbeat ack"}
        text = f"goaway {part}" if kind == GOAWAY else names[kind]
    return f"{number} {text}{' end' if end and kind in (HEAD, DATA, MESSAGE) else ''}"


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")


def _start(head: Any) -> str:
    status = getattr(head, "status", None)
    if status is not None:
        return str(status)
    return f"{_text(head.method)} {_text(head.path)}"


def play(codec: Any, dialogue: Sequence[Line], cut: Cut = whole) -> None:
    """Play a dialogue with a fresh codec.

    :param codec: provides `ICodec`.
    :param cut: divides the octets of each incoming line.
    :raises AssertionError: when something else comes out than is written down.
    """
    events: list[Event] = []
    octets = bytearray()
    for place, (direction, what) in enumerate(dialogue, 1):
        if direction == ">>":
            _say(codec, what, cut, events, octets)
        elif isinstance(what, bytes):
            _expect(place, bytes(octets), what)
            octets.clear()
        else:
            seen = [describe(event) for event in merge(events)]
            _expect(place, [_asExpected(*pair) for pair in _pairs(seen, what)], list(what))
            events.clear()
    _expect(len(dialogue), [describe(event) for event in events], [])
    _expect(len(dialogue), bytes(octets), b"")


def _say(codec: ICodec, what: Any, cut: Cut, events: list[Event], octets: bytearray) -> None:
    if isinstance(what, bytes):
        for part in cut(what):
            events += codec.receive(part)
            octets += codec.bytesToSend()
        return
    if what == EOF:
        events += codec.receiveEof()
    elif what == TIMEOUT:
        events += codec.timeout()
    else:
        answer = what(codec)
        if isinstance(answer, tuple):
            answer = answer[1]
        if isinstance(answer, bytes):
            octets += answer
        elif isinstance(answer, list):
            events += answer
    octets += codec.bytesToSend()


def _pairs(seen: list[str], expected: Sequence[str]) -> Iterator[tuple[str, str]]:
    for position, line in enumerate(seen):
        yield line, expected[position] if position < len(expected) else ""


def _asExpected(seen: str, expected: str) -> str:
    """Leave out the reason of a failure when none is expected."""
    return expected if expected and seen.startswith(f"{expected}: ") else seen


def _expect(place: int, seen: object, expected: object) -> None:
    if seen != expected:
        raise AssertionError(f"line {place} of the dialogue:\n  seen {seen!r}\n  not  {expected!r}")


def playEveryWay(makeCodec: Callable[[], Any], dialogue: Sequence[Line], *cuts: Cut) -> None:
    """Play a dialogue whole, octet by octet, cut once at each place, and in further cuts.

    :param makeCodec: makes a fresh codec for each time.
    :raises AssertionError: as `play`.
    """
    play(makeCodec(), dialogue)
    play(makeCodec(), dialogue, single)
    longest = max((len(what) for _, what in dialogue if isinstance(what, bytes)), default=0)
    step = max(1, longest // 256)
    for position in range(1, longest, step):
        play(makeCodec(), dialogue, halves(position))
    for cut in cuts:
        play(makeCodec(), dialogue, cut)


def transcript(codec: Any, octets: bytes, cut: Cut = whole) -> tuple[list[str], bytes]:
    """Feed a codec that nobody answers: its events as lines, and its own octets."""
    events: list[Event] = []
    out = bytearray()
    _say(codec, octets, cut, events, out)
    return [describe(event) for event in merge(events)], bytes(out)
