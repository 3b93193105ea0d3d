"""Tests of the rules of framing and of hops."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http1.fields import FieldParser, WireHeaders
from mosntx.protocol.http1.framing import (
    HeadLimits,
    bareOctet,
    checkChunked,
    connectionOptions,
    cutChunked,
    parseRequestLine,
    parseTrailers,
    stripHopByHop,
)
from mosntx.protocol.http1.limits import Http1Limits


def parse(*lines: bytes) -> WireHeaders:
    """Parse field lines."""
    block = b"".join(b"\r\n" + line for line in lines) + b"\r\n\r\n"
    return FieldParser(400, 431).parse(block, 50)


class RequestLineTests(SynchronousTestCase):
    """See `parseRequestLine`."""

    def test_forms(self) -> None:
        """Origin, absolute, authority and asterisk form, in both versions."""
        for line, expected in (
            (b"GET /a HTTP/1.0", (b"GET", b"/a", b"", False)),
            (b"GET http://A:1 HTTP/1.1", (b"GET", b"/", b"a:1", True)),
            (b"GET HTTPS://a?b HTTP/1.1", (b"GET", b"/?b", b"a", True)),
            (b"GET http://[::1]/a/b?c HTTP/1.1", (b"GET", b"/a/b?c", b"[::1]", True)),
            (b"CONNECT A:1 HTTP/1.1", (b"CONNECT", b"", b"a:1", True)),
            (b"CONNECT [::1]:65535 HTTP/1.0", (b"CONNECT", b"", b"[::1]:65535", False)),
            (b"OPTIONS * HTTP/1.1", (b"OPTIONS", b"*", b"", True)),
            (b"x-y /a HTTP/1.1", (b"x-y", b"/a", b"", True)),
        ):
            self.assertEqual(parseRequestLine(line), expected)

    def test_refused(self) -> None:
        """Bad lines are 400, other versions 505."""
        for line, status in (
            (b"GET /a", 400),
            (b"GET a HTTP/1.1", 400),
            (b"GET * HTTP/1.1", 400),
            (b"CONNECT a HTTP/1.1", 400),
            (b"GET / HTTP/2.0", 505),
            (b"GET / HTTP/0.9", 505),
        ):
            with self.assertRaises(ProtocolError) as caught:
                parseRequestLine(line)
            self.assertEqual(caught.exception.status, status)


class HopTests(SynchronousTestCase):
    """Fields of one hop."""

    def test_options(self) -> None:
        """Options of all Connection fields, in lower case."""
        self.assertEqual(connectionOptions(parse(b"A: b")), {b""})
        self.assertEqual(
            connectionOptions(parse(b"Connection: Close,\tX", b"connection: , y")),
            {b"close", b"x", b"", b"y"},
        )

    def test_strip(self) -> None:
        """Hop-by-hop fields and named ones go, protected ones stay."""
        headers = parse(
            b"Connection: x, Cookie, ,te",
            b"X: 1",
            b"Cookie: 2",
            b"TE: 3",
            b"Keep-Alive: 4",
            b"Y: 5",
        )
        stripHopByHop(headers, connectionOptions(headers))
        self.assertEqual(headers.items(), [(b"Cookie", b"2"), (b"Y", b"5")])

    def test_quickCuts(self) -> None:
        """The usual spelling is cut, others are left to the thorough way."""
        self.assertTrue(cutChunked(parse(b"Transfer-Encoding: chunked")))
        for line in (b"Transfer-Encoding: gzip", b"transfer-encoding: chunked", b"A: b"):
            self.assertFalse(cutChunked(parse(line)))

    def test_codings(self) -> None:
        """Only chunked alone, only in HTTP/1.1."""
        checkChunked(parse(b"transfer-encoding: CHUNKED"), True)
        for value, http11, status in (
            (b"chunked", False, 400),
            (b"chunked, chunked", True, 400),
            (b"", True, 400),
            (b"gzip", True, 501),
        ):
            with self.assertRaises(ProtocolError) as caught:
                checkChunked(parse(b"Transfer-Encoding: " + value), http11)
            self.assertEqual(caught.exception.status, status)

    def test_trailers(self) -> None:
        """Forbidden trailers are dropped; nothing left is nothing."""
        parser, limits = FieldParser(400, 431), Http1Limits()
        trailers = parseTrailers(parser, b"\r\nA: b\r\nHost: c\r\n\r\n", limits)
        assert trailers is not None
        self.assertEqual(trailers.items(), [(b"A", b"b")])
        self.assertIsNone(parseTrailers(parser, b"\r\nHost: c\r\n\r\n", limits))
        self.assertIsNone(parseTrailers(parser, b"", limits))


class HeadLimitsTests(SynchronousTestCase):
    """See `HeadLimits`."""

    def status(self, head: bytes, start: int = 0) -> int:
        """Return the status with which a head is refused, 0 when it is not."""
        limits = Http1Limits(max_request_line=10, max_header_size=20)
        try:
            HeadLimits(limits, 414, 431, 400).check(head, start)
        except ProtocolError as error:
            return error.status
        return 0

    def test_sizes(self) -> None:
        """Lines and blocks up to their limits pass, the next octet does not."""
        self.assertEqual(self.status(b"x" * 10 + b"\r"), 0)
        self.assertEqual(self.status(b"x" * 12), 414)
        self.assertEqual(self.status(b"x" * 11 + b"\r\n"), 414)
        self.assertEqual(self.status(b"x" * 10 + b"\r\n" + b"y" * 18), 0)
        self.assertEqual(self.status(b"x" * 10 + b"\r\n" + b"y" * 19), 431)

    def test_first(self) -> None:
        """Of two faults, the one that shows first is told."""
        self.assertEqual(self.status(b"a\nb" + b"x" * 20), 400)
        self.assertEqual(self.status(b"x" * 12 + b"\n"), 414)
        self.assertEqual(self.status(b"a\r\n" + b"y" * 20 + b"\0"), 431)
        self.assertEqual(self.status(b"a\r\n\0" + b"y" * 20), 400)

    def test_bare(self) -> None:
        """Stray octets are found from the given offset on."""
        self.assertEqual(bareOctet(b"a\r\nb\n"), 4)
        self.assertEqual(bareOctet(bytearray(b"a\r\nb\0"), 2), 4)
        self.assertEqual(bareOctet(b"\nb", 1), -1)
        self.assertEqual(bareOctet(b"a\r\nb", 2), -1)
