"""Tests of writing."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1 import encode
from mosntx.protocol.http1.fields import HOP_BY_HOP, FieldParser
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.http2.encode import fieldPairs
from mosntx.protocol.http2.fields import SPECIAL, FieldReader
from mosntx.protocol.websocket import KEY_FIELD


class EncodeTests(SynchronousTestCase):
    """Heads, fields and chunks."""

    def test_chunk(self) -> None:
        """Empty data is no chunk, for that would end the body."""
        self.assertEqual(encode.chunk(b"", False), b"")
        self.assertEqual(encode.chunk(b"", True), b"0\r\n\r\n")
        self.assertEqual(encode.chunk(b"a" * 17, False), b"11\r\n" + b"a" * 17 + b"\r\n")
        self.assertEqual(encode.chunk(b"a", True), b"1\r\na\r\n0\r\n\r\n")

    def test_fields(self) -> None:
        """Fields are written in order, without those to skip."""
        pairs = [(b"A", b"1"), (b"TE", b"2"), (b"b", b"")]
        self.assertEqual(encode.writeFields(pairs, {b"te"}), b"\r\nA: 1\r\nb: ")
        for name, value in ((b"A", b"\r\nB: 1"), (b"A", b"\0"), (b"A:", b"1"), (b"", b"1")):
            with self.assertRaises(EncodeError):
                encode.writeFields([(name, value)], ())
        self.assertEqual(encode.writeFields([(b"A:", b"\n")], {b"a:"}), b"")

    def test_block(self) -> None:
        """Octets are kept while they hold and say no length that must go."""
        octets = b"\r\nA:1\r\nContent-Length: 2\r\n\r\n"
        headers = FieldParser(400, 431).parse(octets, 9)
        self.assertIs(encode.block(headers, False), headers.wire)
        self.assertEqual(encode.block(headers, True), b"\r\nA: 1\r\n\r\n")
        headers.add(b"B", b"3")
        self.assertEqual(
            encode.block(headers, False), b"\r\nA:1\r\nContent-Length: 2\r\nB: 3\r\n\r\n"
        )
        headers.set(b"b", b"4")
        self.assertEqual(
            encode.block(headers, False), b"\r\nA: 1\r\nContent-Length: 2\r\nb: 4\r\n\r\n"
        )

    def test_declaredLength(self) -> None:
        """One plain number, or an error."""
        self.assertIsNone(encode.declaredLength(Headers()))
        self.assertEqual(encode.declaredLength(Headers([(b"content-length", b"07")])), 7)
        same = Headers([(b"Content-Length", b"7"), (b"content-length", b"7")])
        with self.assertRaises(EncodeError):
            encode.declaredLength(same)
        for value in (b"", b"-1", b"+1", b"1,1", b"1" * 20, b"\xb2"):
            with self.assertRaises(EncodeError):
                encode.declaredLength(Headers([(b"Content-Length", value)]))

    def test_trailers(self) -> None:
        """Forbidden trailers are left out, octets are kept otherwise."""
        self.assertEqual(
            encode.trailerBlock(Headers([(b"A", b"1"), (b"Host", b"b")])), b"0\r\nA: 1\r\n\r\n"
        )
        wire = FieldParser(400, 431).parse(b"\r\na:1\r\n\r\n", 9)
        self.assertEqual(encode.trailerBlock(wire), b"0\r\na:1\r\n\r\n")
        wire.add(b"Cookie", b"2")
        self.assertEqual(encode.trailerBlock(wire), b"0\r\na: 1\r\n\r\n")

    def test_informational(self) -> None:
        """Only interim responses are written, without a length."""
        head = ResponseHead(103, Headers([(b"Content-Length", b"1"), (b"A", b"b")]))
        self.assertEqual(encode.informational(head), b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
        for status in (101, 200):
            self.assertEqual(encode.informational(ResponseHead(status, Headers())), b"")


class BetweenVersionsTests(SynchronousTestCase):
    """Fields that one version of HTTP has checked are written in the other as they are."""

    PSEUDO = ((b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/"), (b":authority", b"a"))

    def fromHttp2(self, *pairs: tuple[bytes, bytes]) -> bytes:
        """What HTTP/1 makes of a request of HTTP/2."""
        head = FieldReader(20, 400, 4000).request([*self.PSEUDO, *pairs])
        return encode.request(head, True)[0]

    def fromHttp1(self, block: bytes, *skip: bytes) -> list[tuple[bytes, bytes]]:
        """What HTTP/2 makes of a block of HTTP/1."""
        return list(fieldPairs(FieldParser(400, 431).parse(block, 9), frozenset(skip)))

    def test_http2ToHttp1(self) -> None:
        """All fields in their order, without those of the connection."""
        octets = self.fromHttp2((b"x", b"1"), (b"te", b"trailers"), (b"y", b""), (b"x", b"2"))
        self.assertTrue(octets.endswith(b"\r\nx: 1\r\ny: \r\nx: 2\r\n\r\n"), octets)
        self.assertEqual(octets.count(b"\r\n"), 7, octets)

    def test_cookies(self) -> None:
        """There is one Cookie field."""
        octets = self.fromHttp2((b"cookie", b"a=1"), (b"cookie", b"b=2"))
        self.assertEqual(octets.count(b"ookie: a=1; b=2\r\n"), 1, octets)

    def test_special(self) -> None:
        """Whatever HTTP/1 may have to leave out is known as special to the reader of HTTP/2."""
        leftOut = HOP_BY_HOP | {b"host", b"content-length", b"cookie", KEY_FIELD}
        self.assertEqual(leftOut - SPECIAL, frozenset())

    def test_http1ToHttp2(self) -> None:
        """Names in lower case, values without the spaces around them."""
        pairs = self.fromHttp1(b"\r\nHost: a\r\nX-A:  1 \r\nX-B:\r\n\r\n", b"host")
        self.assertEqual(pairs, [(b"x-a", b"1"), (b"x-b", b"")])

    def test_repeated(self) -> None:
        """Fields of one name stay as many as they were."""
        pairs = self.fromHttp1(b"\r\nX-A: 1\r\nB: 2\r\nx-a: 3\r\n\r\n", b"b")
        self.assertEqual(pairs, [(b"x-a", b"1"), (b"x-a", b"3")])

    def test_capitals(self) -> None:
        """In HTTP/1 they stay, also where the octets of a head cannot be used again."""
        headers = FieldParser(502, 502).parse(b"\r\nX-A: 1\r\nContent-Length: 1\r\n\r\n", 9)
        self.assertEqual(encode.block(headers, True), b"\r\nX-A: 1\r\n\r\n")
