"""Tests of writing."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1 import encode
from mosntx.protocol.http1.fields import FieldParser
from mosntx.protocol.http1.heads import ResponseHead


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
            encode.block(headers, False), b"\r\nA: 1\r\nContent-Length: 2\r\nB: 3\r\n\r\n"
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

    def test_informational(self) -> None:
        """Only interim responses are written, without a length."""
        head = ResponseHead(103, Headers([(b"Content-Length", b"1"), (b"A", b"b")]))
        self.assertEqual(encode.informational(head), b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
        for status in (101, 200):
            self.assertEqual(encode.informational(ResponseHead(status, Headers())), b"")
