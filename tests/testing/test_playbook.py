"""Tests of the playbook."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, GOAWAY, HEARTBEAT, RESET, TRAILERS
from mosntx.contracts.stream import UPSTREAM_RESET
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import (
    EOF,
    TIMEOUT,
    describe,
    halves,
    merge,
    pieces,
    play,
    playEveryWay,
    single,
    transcript,
    whole,
)

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class CutTests(SynchronousTestCase):
    """Ways to divide octets."""

    def test_cuts(self) -> None:
        """Nothing is lost, added or empty."""
        for cut, expected in (
            (whole, [b"abcde"]),
            (single, [b"a", b"b", b"c", b"d", b"e"]),
            (pieces([2, 1]), [b"ab", b"c", b"de"]),
            (halves(2), [b"ab", b"cde"]),
            (halves(0), [b"abcde"]),
            (halves(9), [b"abcde"]),
        ):
            self.assertEqual(list(cut(b"abcde")), expected)


class DescriptionTests(SynchronousTestCase):
    """Events as lines."""

    def test_merge(self) -> None:
        """Data that only the cut divided is joined; an end is never lost."""
        self.assertEqual(
            merge([(DATA, 1, b"a", False), (DATA, 1, b"b", False), (DATA, 1, b"", True)]),
            [(DATA, 1, b"ab", True)],
        )
        self.assertEqual(merge([(DATA, 1, b"", False)]), [])
        apart: list[Any] = [(DATA, 1, b"a", False), (DATA, 2, b"b", True)]
        self.assertEqual(merge(apart), apart)

    def test_lines(self) -> None:
        """Each kind has its words."""
        for event, line in (
            ((DATA, 3, b"a", True), "3 data b'a' end"),
            ((TRAILERS, 1, Headers([(b"A", b"b")]), True), "1 trailers A: b"),
            ((RESET, 1, UPSTREAM_RESET, True), "1 reset upstream reset"),
            ((GOAWAY, 0, 7, False), "0 goaway 7"),
            ((HEARTBEAT, 5, None, False), "5 heartbeat"),
        ):
            self.assertEqual(describe(event), line)


class PlayTests(SynchronousTestCase):
    """Dialogues."""

    def fails(self, *lines: tuple[str, Any]) -> None:
        """Check that a dialogue does not come true."""
        with self.assertRaises(AssertionError):
            play(Http1Protocol().serverCodec(), lines)

    def test_good(self) -> None:
        """A dialogue that comes true passes in every cut."""
        reply = Http1Protocol().localReply(None, 204, b"")
        playEveryWay(
            Http1Protocol().serverCodec,
            [
                (">>", TIMEOUT),
                (">>", GET),
                ("<<", ["1 head GET / end"]),
                (">>", lambda codec: codec.responseHead(1, reply.head, True)),
                ("<<", b"HTTP/1.1 204 No Content\r\n\r\n"),
                (">>", lambda codec: codec.next()),
                (">>", b"x\n"),
                ("<<", ["0 failed 400"]),
                ("<<", transcript(Http1Protocol().serverCodec(), b"x\n")[1]),
                (">>", EOF),
            ],
            pieces([3]),
        )

    def test_bad(self) -> None:
        """Missing, other and further events and octets are failures."""
        self.fails((">>", GET), ("<<", []))
        self.fails((">>", GET), ("<<", ["1 head GET /"]))
        self.fails((">>", GET), ("<<", ["1 head GET / end", "2 head GET / end"]))
        self.fails((">>", GET))
        self.fails((">>", GET), ("<<", ["1 head GET / end"]), ("<<", b"x"))
        self.fails((">>", b"\n"), ("<<", ["0 failed 400"]))
        self.fails((">>", b"\n"), ("<<", ["0 failed 40"]), ("<<", b""))
        self.fails((">>", lambda codec: b"x"))
