"""What a case may expect: functions that look at a dialogue and return what is wrong, or ``''``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from mosntx.contracts.codec import RESET
from mosntx.testing import h2frames as h2
from mosntx.testing.h2frames import Frame

#: Returns a complaint, ``''`` when all is well.
Expectation = Callable[[Any], str]

#: Octets, or a function of the settings of the codec that returns them.
Step = bytes | Callable[[dict[int, int]], bytes]


@attrs.frozen
class Case:
    """What is sent, and what is wanted.

    :param section: of an RFC: "5.1" of RFC 9113, others with their number in front.
    :param title: what the peer does.
    :param steps: fed one after another.
    :param expect: looks at the dialogue afterwards.
    :param options: of the dialogue.
    """

    section: str
    title: str
    steps: tuple[Step, ...]
    expect: Expectation
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """Section and title, unique."""
        return f"{self.section} {self.title}"


def case(section: str, title: str, expect: Expectation, *steps: Step, **options: Any) -> Case:
    """Make a case."""
    return Case(section, title, steps, expect, options)


def run(case: Case, dialogue: Any) -> str:
    """Play a case; return what is wrong."""
    for step in case.steps:
        dialogue.feed(step if isinstance(step, bytes) else step(dialogue.settings))
    complaint = case.expect(dialogue)
    return f"{complaint} (said: {dialogue.said()})" if complaint else ""


def connectionError(*codes: int) -> Expectation:
    """The connection ends with a GOAWAY of one of these codes (5.4.1)."""

    def check(dialogue: Any) -> str:
        return _ended(dialogue, codes)

    return check


def _ended(dialogue: Any, codes: tuple[int, ...]) -> str:
    if not dialogue.failed:
        return f"wanted a connection error {codes}, but the connection goes on"
    farewells = dialogue.of(h2.GOAWAY)
    if not farewells:
        return "ended without GOAWAY"
    if farewells[-1].code not in codes:
        return f"GOAWAY has code {farewells[-1].code}, wanted {codes}"
    return ""


def ended(dialogue: Any) -> str:
    """The connection ends, in whatever way (3.4 allows to leave GOAWAY out)."""
    return "" if dialogue.failed else "the connection goes on"


def streamError(*codes: int, stream: int = 1, only: bool = False) -> Expectation:
    """The stream is reset with one of these codes and the connection lives.

    A connection error of such a code is accepted (5.4: "can choose"), unless ``only``.
    """

    def check(dialogue: Any) -> str:
        if dialogue.failed and not only:
            dialogue.note = "connection error"
            return _ended(dialogue, codes)
        resets = [frame.code for frame in dialogue.of(h2.RST_STREAM, stream=stream)]
        if not resets:
            return f"stream {stream} is not reset"
        if resets[0] not in codes:
            return f"RST_STREAM has code {resets[0]}, wanted {codes}"
        return "" if dialogue.alive() else "reset, but the connection is dead"

    return check


def malformed(dialogue: Any) -> str:
    """Stream 1 has a malformed message (8.1.1): reset, or answered with 4xx; not delivered."""
    if dialogue.delivered(1) and not dialogue.failed:
        return "the malformed message was delivered"
    if not dialogue.failed:
        statuses = dict(dialogue.statuses())
        if statuses.get(1, b"")[:1] == b"4":
            dialogue.note = "answered with " + statuses[1].decode()
            return "" if dialogue.alive() else "answered, but the connection is dead"
    return streamError(h2.PROTOCOL_ERROR)(dialogue)


def closedStream(dialogue: Any, stream: int = 1) -> str:
    """A frame for a stream that is over (5.1): STREAM_CLOSED, or no effect at all.

    A HEADERS frame reuses its number, which is a connection error PROTOCOL_ERROR (5.1.1).
    """
    if dialogue.failed:
        dialogue.note = "connection error"
        return _ended(dialogue, (h2.STREAM_CLOSED, h2.PROTOCOL_ERROR))
    resets = [frame.code for frame in dialogue.of(h2.RST_STREAM, stream=stream)]
    if resets and resets[-1] != h2.STREAM_CLOSED:
        return f"RST_STREAM has code {resets[-1]}"
    if not resets:
        dialogue.note = "ignored"
    return "" if dialogue.alive() else "the connection is dead without having failed"


def lives(dialogue: Any) -> str:
    """Nothing is said, and the connection lives."""
    if dialogue.of(h2.GOAWAY, h2.RST_STREAM) or dialogue.failed:
        return "an error where none is"
    if any(event[0] == RESET for event in dialogue.events):
        return "a stream was reset"
    return "" if dialogue.alive() else "the connection does not answer a PING"


def answered(*streams: int) -> Expectation:
    """These streams, 1 without any named, are answered with a 200 and nothing goes wrong."""

    def check(dialogue: Any) -> str:
        found = dialogue.statuses()
        wanted = [(stream, b"200") for stream in streams or (1,)]
        if sorted(found) != sorted(wanted):
            return f"responses are {found}, wanted {wanted}"
        return lives(dialogue)

    return check


def received(body: bytes, stream: int = 1) -> Expectation:
    """A request with this body came in, and is answered."""

    def check(dialogue: Any) -> str:
        got = b"".join(bytes(part) for kind, number, part, _ in dialogue.events if kind == 1)
        if got != body:
            return f"the body has {len(got)} octets, wanted {len(body)}"
        return answered(stream)(dialogue)

    return check


def fields(*wanted: tuple[bytes, bytes]) -> Expectation:
    """The request of stream 1 has these fields, and is answered."""

    def check(dialogue: Any) -> str:
        heads = [event[2] for event in dialogue.events if event[0] == 0 and event[1] == 1]
        for name, value in wanted:
            if not heads or heads[0].headers.get(name) != value:
                return f"{name!r} is not {value!r}"
        return answered()(dialogue)

    return check


def said(*wanted: Frame) -> Expectation:
    """These frames are among what was said, and nothing goes wrong."""

    def check(dialogue: Any) -> str:
        for frame in wanted:
            if frame not in dialogue.frames:
                return f"{frame} was not said"
        return lives(dialogue)

    return check


def sizes(*wanted: int, stream: int = 1, whole: bool = True) -> Expectation:
    """The DATA of a stream has these sizes; ``whole`` says whether it has ended.

    An empty frame with nothing but the end counts for nothing.
    """

    def check(dialogue: Any) -> str:
        frames = dialogue.of(h2.DATA, stream=stream)
        found = tuple(len(frame.payload) for frame in frames if frame.payload)
        if found != wanted:
            return f"DATA of {found} octets, wanted {wanted}"
        ends = any(frame.flags & h2.END_STREAM for frame in frames)
        if ends != whole:
            return "the end came too early" if ends else "the end is missing"
        return lives(dialogue)

    return check
