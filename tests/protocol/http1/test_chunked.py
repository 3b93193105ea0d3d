"""Tests of the chunked coding."""

from __future__ import annotations

import gc
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.http1.chunked import ChunkedReader
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.testing.playbook import halves, pieces, single

PARTS = st.lists(st.binary(min_size=1, max_size=20), max_size=5)
SIZES = st.lists(st.integers(1, 30), min_size=1, max_size=6)
#: What chunked streams are made of, whole and broken.
FRAGMENTS = st.sampled_from(
    (
        *(b"1\r\nx\r\n", b"8\r\n\r\n\r\n\r\n\r\n\r\n", b"5\r\n0\r\n\r\n\r\n", b"3;a=b\r\nxyz\r\n"),
        *(b'1;a="b;"\r\nx\r\n', b"00002\r\n", b"0\r\n", b"\r\n", b"\r\n\r\n", b"A: b\r\n"),
        *(b"Content-Length: 3\r\n", b"\r", b"\n", b"0", b"F", b";", b":", b" ", b"x", b'"', b"\0"),
        b"\xff",
    )
)
SMALL = Http1Limits(max_chunk_line=6, max_trailer_size=20, max_chunk_overhead=30)

Outcome = tuple[bytes, bytes | None, bytes, int, str]


def outcome(feeds: Iterable[bytes], limits: Http1Limits, maxBody: int = 0) -> Outcome:
    """Return body, what follows, trailers, and status and reason of the fault, if there is one."""
    reader = ChunkedReader(limits, maxBody, 400)
    parts: list[bytes] = []
    rest: bytes | None = None
    status, reason = 0, ""
    try:
        for piece in feeds:
            rest = reader.feed(piece, parts) if rest is None else rest + piece
    except ProtocolError as error:
        status, reason = error.status, error.reason
    return b"".join(parts), rest, reader.trailers, status, reason


class ChunkedTests(SynchronousTestCase):
    """See `ChunkedReader`."""

    @given(PARTS, SIZES, st.booleans())
    def test_cuts(self, chunks: list[bytes], sizes: list[int], trailers: bool) -> None:
        """The body, the trailers and what follows are told apart in every cut."""
        tail = b"A: b\r\nC: d\r\n\r\n" if trailers else b"\r\n"
        octets = b"".join(b"%X;a\r\n%b\r\n" % (len(part), part) for part in chunks)
        octets += b"000\r\n" + tail + b"rest"
        self.assertEqual(
            outcome(pieces(sizes)(octets), Http1Limits()),
            (b"".join(chunks), b"rest", b"\r\n" + tail if trailers else b"", 0, ""),
        )

    @given(st.lists(FRAGMENTS, max_size=12), SIZES, st.booleans())
    def test_brokenCuts(self, fragments: list[bytes], sizes: list[int], small: bool) -> None:
        """Whatever comes, the outcome does not depend on the cut: body, end, or fault."""
        limits, most = (SMALL, 9) if small else (Http1Limits(), 0)
        octets = b"".join(fragments)
        expected = outcome([octets] if octets else [], limits, most)
        self.assertEqual(outcome(pieces(sizes)(octets), limits, most), expected)
        self.assertEqual(outcome(single(octets), limits, most), expected)

    def test_straddling(self) -> None:
        """An end that comes in two reads is found, and nothing behind it is taken."""
        rest = b"\r\n\r\n\0GET"
        for octets, body, trailers in (
            (b"0\r\n\r\n", b"", b""),
            (b"0;a\r\n\r\n", b"", b""),
            (b"4\r\n\r\n\r\n\r\n0\r\n\r\n", b"\r\n\r\n", b""),
            (b"5\r\n0\r\n\r\n\r\n0\r\nA: b\r\n\r\n", b"0\r\n\r\n", b"\r\nA: b\r\n\r\n"),
            (b"0\r\nA:\r\nB: \r\n\r\n", b"", b"\r\nA:\r\nB: \r\n\r\n"),
        ):
            for position in range(1, len(octets) + len(rest)):
                self.assertEqual(
                    outcome(halves(position)(octets + rest), Http1Limits()),
                    (body, rest, trailers, 0, ""),
                )

    def test_payloadUnsearched(self) -> None:
        """A payload that looks like ends is one piece: its octets cost nothing of their own."""
        for payload in (b"\r\n\r\n" * 16384, b"0\r\n\r\n" * 13107, b"\n" * 65536):
            reader = ChunkedReader(Http1Limits(), 0, 400)
            parts: list[bytes] = []
            octets = b"%x\r\n%b\r\n0\r\n\r\n" % (len(payload), payload)
            self.assertEqual(reader.feed(octets, parts), b"")
            self.assertEqual(parts, [payload])

    def test_limits(self) -> None:
        """Every limit is exact and has its status."""
        limits = Http1Limits(max_chunk_line=5, max_trailer_size=10, max_chunk_overhead=20)
        for octets, status in (
            (b"1;abc\r\nx\r\n", 0),
            (b"1;abcd\r\nx\r\n", 400),
            (b"0\r\nA: bcd\r\n\r\n", 0),
            (b"0\r\nA: bcde\r\n\r\n", 400),
            (b"8\r\nabcdefgh\r\n", 0),
            (b"9\r\nabcdefghi\r\n", 413),
            (b"1\r\nx\r\n" * 4, 0),
            (b"1\r\nx\r\n" * 5, 400),
        ):
            reader = ChunkedReader(limits, 8, 400)
            seen = 0
            try:
                reader.feed(octets, [])
            except LimitError as error:
                seen = error.status
            self.assertEqual(seen, status, octets)

    def test_noTrailers(self) -> None:
        """Trailers can be forbidden altogether; a message without them still ends."""
        limits = Http1Limits(max_trailer_size=0)
        self.assertEqual(outcome(single(b"0\r\n\r\n"), limits), (b"", b"", b"", 0, ""))
        self.assertEqual(outcome([b"0\r\nA: b\r\n\r\n"], limits)[3:], (400, "trailers too large"))

    def test_kept(self) -> None:
        """What came before a fault is not lost."""
        parts: list[bytes] = []
        reader = ChunkedReader(Http1Limits(), 0, 502)
        with self.assertRaises(ProtocolError) as caught:
            reader.feed(b"3\r\nabc\r\nz\r\n", parts)
        self.assertEqual((parts, caught.exception.status), ([b"abc"], 502))

    def test_noCycles(self) -> None:
        """A reader goes away without the garbage collector, in the middle and after a fault."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        ChunkedReader(Http1Limits(), 0, 400).feed(b"5\r\nabc", [])
        outcome([b"5\r\nabcx\r\n\r\n"], Http1Limits())
        self.assertEqual(gc.collect(), 0)


class StrictTests(SynchronousTestCase):
    """What we rely on llhttp for; all of it depends on its version."""

    def test_firstOctet(self) -> None:
        """A fault is found at the first octet that is wrong, the last one here."""
        for octets in (
            *(b"\r", b"\n", b";", b" ", b"\0", b"+", b"-", b"g", b"0x", b"1_", b"1 ", b"1\t"),
            *(b"1\n", b"1\r\r", b"1\rx", b"F" * 17, b"1; ", b"1;\0", b"1;a\n", b"1;a\0"),
            *(b"1;a ", b"1;a=\n", b"1;a=b\n", b"1;a=b\r;", b"1;a=b ", b'1;a="\r', b'1;a="\n'),
            *(b'1;a="\0', b'1;a="\\\n', b'1;a="b"c', b'1;a="b"\n', b"1;\x80", b"1;;\r", b"1;\r"),
            *(b"1\r\nxx", b"1\r\nx\n", b"1\r\nx\r\r", b"1\r\nx0"),
            *(b"0\r\n\n", b"0\r\n\rx", b"0\r\n ", b"0\r\n:", b"0\r\nA ", b"0\r\nA\r", b"0\r\nA\0"),
            *(b"0\r\nA:\n", b"0\r\nA: b\n", b"0\r\nA: b\rc", b"0\r\nA: b\r\n ", b"0\r\nA: b\r\n\n"),
            *(b"0\r\nA: \0", b"0\r\nA: b\r\n\rx", b"0\r\nContent-Length: x"),
        ):
            reader = ChunkedReader(Http1Limits(), 0, 400)
            self.assertIsNone(reader.feed(octets[:-1], []), octets)
            with self.assertRaises(ProtocolError) as caught:
                reader.feed(octets[-1:], [])
            self.assertNotIsInstance(caught.exception, LimitError)

    def test_accepted(self) -> None:
        """Sizes with zeros in front, in any case, and extensions by the grammar are all right."""
        for line in (
            b"a",
            b"A",
            b"0" * 20 + b"a",
            b"a;b",
            b"a;b=c",
            b"a;b;c=d",
            b'a;b="c \\" \xe4"',
        ):
            octets = line + b"\r\n0123456789\r\n0\r\n\r\n"
            self.assertEqual(
                outcome(single(octets), Http1Limits()), (b"0123456789", b"", b"", 0, "")
            )

    def test_hugeSizes(self) -> None:
        """Sizes that others would take for negative ones are refused, whatever the body limit."""
        for size in (b"1000000000000000", b"8000000000000000", b"FFFFFFFFFFFFFFFF"):
            self.assertEqual(outcome([size + b"\r\nx"], Http1Limits())[3:], (400, "body too large"))
            self.assertEqual(outcome([size + b"\r\nx"], Http1Limits(), 9)[3], 413)
        self.assertEqual(
            outcome([b"FFFFFFFFFFFFFFF\r\nx"], Http1Limits())[:4], (b"x", None, b"", 0)
        )

    def test_framingTrailers(self) -> None:
        """Trailers that look like framing frame nothing here; who reads trailers drops them."""
        for field in (b"Content-Length: 3", b"Transfer-Encoding: x", b"Connection: close"):
            octets = b"1\r\nx\r\n0\r\n" + field + b"\r\n\r\nrest"
            self.assertEqual(
                outcome(single(octets), Http1Limits()),
                (b"x", b"rest", b"\r\n" + field + b"\r\n\r\n", 0, ""),
            )
