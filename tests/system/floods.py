"""Floods of HTTP/2: what attackers send, each with the word that the daemon's log has for it.

Cases 36 to 46 of the usual catalogue of attacks, their relatives, and some that cost us more to
answer than the client to ask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from mosntx.testing import h2frames as h2

#: Frames, or rounds of frames, that are made: many times what any limit lets pass.
MANY = 20_000
#: As many as a client sends in some seconds.
ENDLESS = 300_000
#: The largest payload of a frame.
FRAME = 16_384
#: Octets of an answer that nobody takes.
UNTAKEN = 1 << 20


@attrs.frozen
class Flood:
    """What one attacker sends.

    :param octets: behind the preface; sent once.
    :param frames: how many those are.
    :param reads: the attacker takes what it is sent.
    :param cut: the connection has to end. Otherwise all is answered, refused or left standing;
        ``None`` when it depends on how fast the upstream is.
    :param stubborn: the attacker goes on when its connection has ended, as long as it can.
    """

    name: str
    octets: bytes
    frames: int
    reads: bool = True
    cut: bool | None = True
    stubborn: bool = False


def _fields(path: bytes, method: bytes = b"GET") -> tuple[tuple[bytes, bytes], ...]:
    """The fields of a request."""
    rest = tuple(pair for pair in h2.GET if pair[0] not in (b":path", b":method"))
    return ((b":method", method), (b":path", path), *rest)


#: A request that takes long at the upstream, and one whose body is to come.
SLOW = h2.fieldBlock(_fields(b"/sleep/30"))
BODY = h2.fieldBlock(_fields(b"/x", b"POST"))
HELLO = h2.settings()


def _rounds(
    name: str, each: Callable[[int], bytes], frames: int, many: int = MANY, **how: Any
) -> Flood:
    """Many streams, each with the same frames."""
    octets = b"".join(each(2 * i + 1) for i in range(many))
    return Flood(name, HELLO + octets, frames * many, **how)


def _same(name: str, frame: bytes, before: bytes = b"", many: int = MANY, **how: Any) -> Flood:
    """The same frame many times."""
    return Flood(name, HELLO + before + frame * many, many, **how)


def resets() -> list[Flood]:
    """Streams that the client resets, or makes us reset (CVE-2023-44487, CVE-2025-8671)."""
    upper = h2.fieldBlock((*_fields(b"/x"), (b"X-Upper", b"1")))
    length = h2.fieldBlock((*_fields(b"/x", b"POST"), (b"content-length", b"1")))
    most = 0x7FFFFFFF

    def slow(number: int, *frames: bytes) -> bytes:
        return h2.headers(number, SLOW, True) + b"".join(frames)

    return [
        _rounds("rapid reset", lambda n: slow(n, h2.rstStream(n)), 2),
        _rounds("reset of a request without end", lambda n: post(n, h2.rstStream(n)), 2),
        _rounds("made you reset: WINDOW_UPDATE of 0", lambda n: slow(n, h2.windowUpdate(n, 0)), 2),
        _rounds("made you reset: window too large", lambda n: slow(n, h2.windowUpdate(n, most)), 2),
        _rounds("made you reset: DATA after the end", lambda n: slow(n, h2.data(n, b"x")), 2),
        _rounds("made you reset: HEADERS after the end", lambda n: slow(n, slow(n)), 2),
        _rounds("made you reset: PRIORITY too short", lambda n: slow(n, shortPriority(n)), 2),
        _rounds("made you reset: depends on itself", lambda n: slow(n, h2.priority(n, n)), 2),
        _rounds("made you reset: field in upper case", lambda n: h2.headers(n, upper, True), 1),
        _rounds("made you reset: head without fields", lambda n: h2.headers(n, b"", True), 1),
        _rounds(
            "made you reset: longer than Content-Length",
            lambda n: h2.headers(n, length) + h2.data(n, b"xx"),
            2,
        ),
        _rounds("more streams than allowed", slow, 1),
        _same("WINDOW_UPDATE of a stream that is over", h2.windowUpdate(1, 1), over()),
    ]


def post(number: int, *frames: bytes) -> bytes:
    """A request whose body does not end, and what follows."""
    return h2.headers(number, BODY) + b"".join(frames)


def over() -> bytes:
    """A stream that the client has given up."""
    return h2.headers(1, SLOW, True) + h2.rstStream(1)


def shortPriority(number: int) -> bytes:
    """A PRIORITY frame of a wrong length: an error of its stream only (RFC 9113 6.3)."""
    return h2.rawFrame(h2.PRIORITY, 0, number, b"\0\0\0\0")


def blocks() -> list[Flood]:
    """Field blocks without end, or larger when decoded than they came."""
    begin = h2.headers(1, SLOW, whole=False)
    field = h2.literal(b"x-more", b"v" * 80)
    piece = h2.continuation(1, field, whole=False)
    large = h2.continuation(1, field * (FRAME // len(field)), whole=False)
    # One entry of 4 000 octets, then 16 000 octets which each mean that entry: 64 MB.
    entry = h2.indexed(b"x-bomb", b"b" * 3950)
    bomb = (h2.fieldBlock(_fields(b"/x")) + entry).ljust(FRAME, h2.fieldIndex(62))
    many = h2.fieldBlock(_fields(b"/x")) + h2.literal(b"a", b"") * 4000
    long = h2.fieldBlock((*_fields(b"/x"), (b"x-long", b"l" * 16_000)))
    empty = h2.continuation(1, b"", whole=False)

    def few(name: str, block: bytes, **how: Any) -> Flood:
        frames = [h2.headers(2 * i + 1, block, True) for i in range(2000)]
        return Flood(name, HELLO + b"".join(frames), len(frames), **how)

    return [
        _same("CONTINUATION", piece, begin),
        _same("CONTINUATION without octets", empty, begin),
        Flood("CONTINUATION of 16 KiB", HELLO + begin + large * 500, 501),
        few("HPACK bomb", bomb),
        few("4000 fields", many),
        few("a field of 16000 octets, without reading", long, reads=False, cut=None),
    ]


def frames() -> list[Flood]:
    """Frames which cost an answer, or work, each (CVE-2019-9511 to -9518)."""
    changed = h2.settings(*[(h2.INITIAL_WINDOW_SIZE, size) for size in range(1, 33)])
    return [
        _same("SETTINGS", h2.settings()),
        _same("SETTINGS of 32 entries", changed),
        _same("SETTINGS with ACK", h2.settingsAck()),
        _same("PING", h2.ping()),
        _same("PING without reading", h2.ping(), reads=False),
        _same("PING with ACK", h2.ping(ack=True)),
        _same("DATA without data", h2.data(1), h2.headers(1, BODY)),
        _same("DATA of padding", h2.data(1, padding=9), h2.headers(1, BODY)),
        _same("PRIORITY", h2.priority(3, 1)),
        _same("PRIORITY_UPDATE", h2.priorityUpdate(1, b"u=1")),
        _same("WINDOW_UPDATE of the connection", h2.windowUpdate(0, 1)),
        _same("WINDOW_UPDATE of a stream", h2.windowUpdate(1, 1), h2.headers(1, SLOW, True)),
        _same("frames of an unknown type", h2.rawFrame(0xFA, 0, 0, b"what")),
        _same("GOAWAY", h2.goAway()),
        _same("PING, and on after the end", h2.ping(), many=ENDLESS, reads=False, stubborn=True),
    ]


def stalls() -> list[Flood]:
    """Attackers that let us do work, within all limits."""
    shut = h2.settings((h2.INITIAL_WINDOW_SIZE, 0))
    large = h2.fieldBlock(_fields(b"/bytes/%d" % UNTAKEN))
    small = h2.data(1, b"x")
    asked = b"".join(h2.headers(2 * i + 1, large, True) for i in range(100))
    return [
        Flood("100 answers with a window of 0", shut + asked, 101, cut=False),
        Flood("100 answers that are not read", HELLO + asked, 101, reads=False, cut=False),
        _same("DATA of one octet", small, post(1), ENDLESS, cut=False),
        _same("DATA of a stream that is over", small, over(), ENDLESS, reads=False, cut=False),
    ]
