"""The client codec against upstreams that lie."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import pieces, single, transcript

WIRE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def received(octets: bytes = WIRE) -> Any:
    """Return a request head as a listener's codec gives it."""
    return Http1Protocol().serverCodec().receive(octets)[0][2]


class AttackTests(SynchronousTestCase):
    """Upstreams that lie: cases 17, 18 and their kin."""

    def failed(self, octets: bytes, before: list[str], wire: bytes = WIRE, **limits: Any) -> None:
        """Check that a response fails in every cut."""
        for cut in (pieces([100_000]), single, pieces([3]), pieces([7, 2])):
            codec = Http1Protocol(Http1Limits(**limits)).clientCodec()
            codec.requestHead(received(wire), True)
            events, out = transcript(codec, octets, cut)
            self.assertEqual(events[:-1], before, octets[:80])
            self.assertIn(" failed 502: ", events[-1])
            self.assertEqual(out, b"")
            self.assertFalse(codec.reusable)
            self.assertEqual(codec.receive(OK) + codec.receiveEof(), [])

    def test_case17Framing(self) -> None:
        """Two framings, two lengths, odd lengths, codings that nobody knows."""
        for fields in (
            b"Content-Length: 3\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: chunked\r\nContent-Length: 3",
            b"Content-Length: 3\r\nContent-Length: 4",
            b"Content-Length: 3, 3",
            b"Content-Length: +3",
            b"Content-Length: 0x3",
            b"Content-Length: " + b"0" * 5000 + b"3",
            b"Transfer-Encoding: gzip, chunked",
            b"Transfer-Encoding: identity",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding : chunked",
            b"X: a\r\n Content-Length: 3",
            b"X: a\rb",
            b"X: a\nContent-Length: 3",
            b"X: a\0b",
        ):
            self.failed(OK + fields + b"\r\n\r\nabc", [])
        self.failed(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [])

    def test_case17Excess(self) -> None:
        """Octets behind the end are never taken for a response, now or later."""
        head = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
        more = OK + b"Content-Length: 0\r\n\r\n"
        self.failed(OK + b"Content-Length: 1\r\n\r\nab", ["1 head 200", "1 data b'a' end"])
        self.failed(OK + b"Content-Length: 0\r\n\r\n" + more, ["1 head 200 end"])
        self.failed(OK + b"Content-Length: 5\r\n\r\nhello", ["1 head 200 end"], head)
        self.failed(b"HTTP/1.1 204 No Content\r\n\r\nx", ["1 head 204 end"])
        self.failed(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1\r\n\r\nx", ["1 head 304 end"])
        self.failed(
            OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n",
            ["1 head 200", "1 data b'' end"],
        )

    def test_unasked(self) -> None:
        """Octets without a request fail, before the first and between two."""
        codec = Http1Protocol().clientCodec()
        self.assertEqual(codec.receive(b"H")[0][0], FAILED)
        self.assertFalse(codec.reusable)

    def test_statusLines(self) -> None:
        """Status lines that are not exactly right, and 101 that nobody asked for."""
        for line in (
            b"",
            b"\r\nHTTP/1.1 200 OK",
            b"HTTP/1.1 20 OK",
            b"HTTP/1.1 2000 OK",
            b"HTTP/1.1 000 OK",
            b"HTTP/2.0 200 OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 200 O\x01K",
            b"ICY 200 OK",
            b"HTTP/1.1 200\tOK",
            b"HTTP/1.1 101 Switching Protocols",
        ):
            self.failed(line + b"\r\nContent-Length: 0\r\n\r\n", [])

    def test_oddStatusLines(self) -> None:
        """No phrase, an unknown status and foreign letters are all right."""
        for line in (b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.1 799 \xe4", b"HTTP/1.0 200 a b"):
            codec = Http1Protocol().clientCodec()
            codec.requestHead(received(), True)
            head = codec.receive(line + b"\r\nContent-Length: 0\r\n\r\n")[0][2]
            self.assertEqual(head.status, int(line[9:12]))
            self.assertEqual(head.line, b"HTTP/1.1 " + line[9:12] + b" " + line[13:])

    def test_limits(self) -> None:
        """Heads of responses, and the number of interim ones, are limited as well."""
        self.failed(OK + b"X: " + b"y" * 200, [], max_header_size=100)
        self.failed(OK + b"X: y\r\n" * 4 + b"\r\n", [], max_headers=3)
        self.failed(b"HTTP/1.1 200 " + b"x" * 100, [], max_request_line=50)
        interim = b"HTTP/1.1 102 Processing\r\n\r\n"
        self.failed(interim * 3, ["1 informational 102"] * 2, max_informational=2)

    def test_chunks(self) -> None:
        """Chunked bodies are read as strictly as those of requests."""
        chunked = OK + b"Transfer-Encoding: chunked\r\n\r\n"
        self.failed(chunked + b"0x1\r\n", ["1 head 200"])
        self.failed(chunked + b"1\r\nab\r\n", ["1 head 200", "1 data b'a'"])
        self.failed(chunked + b"0\r\nX : y\r\n\r\n", ["1 head 200"])
        self.failed(chunked + b"0\r\n" + b"X: y\r\n" * 40 + b"\r\n", ["1 head 200"])

    def test_case18(self) -> None:
        """A request with line ends in a value, a path or a name is not written."""
        codec = Http1Protocol().clientCodec()
        bad: list[Any] = [
            RequestHead(b"GET", b"/", b"a", Headers.trusted([(b"A", b"b\r\nC: d")])),
            RequestHead(b"GET", b"/", b"a", Headers.trusted([(b"A", b"b\0")])),
            RequestHead(b"GET", b"/", b"a", Headers.trusted([(b"A b", b"c")])),
            RequestHead(b"GET", b"/", b"a", Headers.trusted([(b"", b"c")])),
            RequestHead(b"GET", b"/ x", b"a", Headers()),
            RequestHead(b"GET", b"/\r\nA: b", b"a", Headers()),
            RequestHead(b"G T", b"/", b"a", Headers()),
            RequestHead(b"GET", b"/", b"a\r\nB: c", Headers()),
            RequestHead(b"GET", b"/", b"a", Headers([(b"Content-Length", b"x")])),
            RequestHead(
                b"GET", b"/", b"a", Headers([(b"Content-Length", b"1"), (b"content-length", b"2")])
            ),
        ]
        for head in bad:
            with self.assertRaises(EncodeError):
                codec.requestHead(head, False)
        self.assertTrue(codec.reusable)
        self.assertEqual(codec.requestHead(received(), True), (1, WIRE))
