"""The attack table against the server codec: limits and slowness, cases 19 to 21 and 26 to 31."""

from __future__ import annotations

import tracemalloc
from typing import Any

from mosntx.contracts.codec import FAILED
from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import EOF, TIMEOUT, playEveryWay, single, transcript, whole
from tests.protocol.http1.test_server_attacks import (
    CHUNKED,
    GET,
    POST,
    SMUGGLED,
    AttackCase,
    upstreamOctets,
)


def farewellOctets(reason: bytes, status: int = 400) -> bytes:
    """Return the farewell for a reason."""
    words = {400: b"Bad Request", 408: b"Request Timeout"}
    return (
        b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: %d\r\nConnection: close\r\n\r\n%b\n"
    ) % (status, words[status], len(reason) + 1, reason)


class LimitTests(AttackCase):
    """Cases 19, 20, 21, 26, 27 and 31."""

    def test_case19(self) -> None:
        """A thousand pipelined requests come one at a time, in order."""
        octets = b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(1000))
        protocol = Http1Protocol()
        codec = protocol.serverCodec()
        events = codec.receive(octets)
        for number in range(1000):
            self.assertEqual([event[2].path for event in events], [b"/%d" % number])
            before = codec.backlog
            codec.responseHead(number, protocol.localReply(None, 200, b"").head, True)
            events = codec.next()
            self.assertTrue(codec.backlog < before or number == 999)
        self.assertEqual((events, codec.backlog), ([], 0))

    def test_case19Answers(self) -> None:
        """Nothing is read behind a request until its answer is over, whatever stands there."""
        reply = Http1Protocol().localReply(None, 204, b"")
        playEveryWay(
            Http1Protocol().serverCodec,
            [
                (">>", GET + b"\r\n" + b"garbage\n\n"),
                ("<<", ["1 head GET / end"]),
                ("<<", b""),
                (">>", lambda codec: codec.responseHead(1, reply.head, True)),
                ("<<", b"HTTP/1.1 204 No Content\r\n\r\n"),
                (">>", lambda codec: codec.next()),
                ("<<", ["0 failed 400"]),
                ("<<", farewellOctets(b"stray LF or NUL in the head")),
            ],
        )

    def test_case20(self) -> None:
        """100-continue is kept for the layer above and does not go upstream."""
        octets = POST + b"Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx"
        protocol = Http1Protocol()
        codec = protocol.serverCodec()
        head = codec.receive(octets[:-1])[0][2]
        self.assertTrue(head.expectContinue)
        self.assertEqual(
            codec.responseInformational(1, protocol.interimHead(100)),
            b"HTTP/1.1 100 Continue\r\n\r\n",
        )
        self.assertEqual(upstreamOctets(octets), [POST + b"Content-Length: 1\r\n\r\nx"])

    def test_case20Withheld(self) -> None:
        """A final answer while the body is withheld closes the connection."""
        protocol = Http1Protocol()
        codec = protocol.serverCodec()
        codec.receive(POST + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
        out = codec.responseHead(1, protocol.localReply(None, 403, b"").head, True)
        self.assertIn(b"\r\nConnection: close\r\n", out)
        self.assertTrue(codec.closing)
        self.assertEqual(codec.next() + codec.receive(b"0123456789" + SMUGGLED), [])

    def test_case21(self) -> None:
        """CONNECT is recognised for what it is, and never has a body."""
        events = (
            Http1Protocol()
            .serverCodec()
            .receive(b"CONNECT Db:5432 HTTP/1.1\r\nHost: db:5432\r\n\r\n")
        )
        head = events[0][2]
        self.assertEqual((head.method, head.path, head.authority), (b"CONNECT", b"", b"db:5432"))
        self.assertEqual((head.upgrade, events[0][3]), (CONNECT_TUNNEL, False))
        line = b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\n"
        self.refused(line + b"Content-Length: 3\r\n\r\n", 400)
        self.refused(line + b"Transfer-Encoding: chunked\r\n\r\n", 400)

    def test_case26(self) -> None:
        """Heads over the limits: 431 and 414."""
        self.refused(GET + b"X: " + b"y" * 65536 + b"\r\n\r\n", 431)
        self.refused(GET + b"X: " + b"y" * 65536, 431)
        self.refused(GET + b"X: y\r\n" * 5000 + b"\r\n", 431)
        self.refused(GET + b"".join(b"X%d: y\r\n" % n for n in range(5000)) + b"\r\n", 431)
        self.refused(b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414)
        self.refused(b"GET /" + b"x" * 70_000, 414)
        self.refused(b"\r\nGET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414)

    def test_case26Exact(self) -> None:
        """What is just within the limits passes, one octet more does not."""
        limits: dict[str, Any] = {"max_request_line": 20, "max_header_size": 30, "max_headers": 3}
        good = [
            b"GET /123456 HTTP/1.1\r\nHost: a\r\n\r\n",  # a line of 20 octets
            GET + b"X: " + b"y" * 12 + b"\r\n\r\n",  # a block of 30
            GET + b"A:\r\nB:\r\n\r\n",
        ]
        for octets in good:
            for cut in (whole, single):
                codec = Http1Protocol(Http1Limits(**limits)).serverCodec()
                events, _ = transcript(codec, octets, cut)
                self.assertEqual(len(events), 1)
                self.assertIn(" head GET ", events[0])
        self.refused(b"GET /1234567 HTTP/1.1\r\nHost: a\r\n\r\n", 414, **limits)
        self.refused(GET + b"X: " + b"y" * 13 + b"\r\n\r\n", 431, **limits)
        self.refused(GET + b"A:\r\nB:\r\nC:\r\n\r\n", 431, **limits)

    def test_case26Memory(self) -> None:
        """A header that never ends holds less than 100 KiB, and only until the limit."""
        codec = Http1Protocol().serverCodec()
        codec.receive(GET + b"X: ")
        piece = b"y" * 1024
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            for _ in range(30):
                codec.receive(piece)
            held = tracemalloc.get_traced_memory()[1] - before
            for _ in range(34):
                codec.receive(piece)
            after = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        self.assertLess(held, 100 * 1024)
        self.assertLess(after, 4096)
        self.assertTrue(codec.closing)

    def test_case27(self) -> None:
        """A head that has begun must end in time, or it is answered with 408."""
        playEveryWay(
            Http1Protocol(Http1Limits(header_timeout=3.0)).serverCodec,
            [
                (">>", lambda codec: self.assertEqual(codec.waitLimit, 0.0)),
                (">>", TIMEOUT),
                (">>", GET),
                (">>", lambda codec: self.assertEqual(codec.waitLimit, 3.0)),
                (">>", b"X: y\r\n"),
                (">>", lambda codec: self.assertEqual(codec.waitLimit, 3.0)),
                (">>", TIMEOUT),
                ("<<", ["0 failed 408"]),
                ("<<", farewellOctets(b"the head of the request took too long", 408)),
                (">>", lambda codec: self.assertEqual(codec.waitLimit, 0.0)),
                (">>", b"\r\n"),
                (">>", TIMEOUT),
                (">>", EOF),
            ],
        )

    def test_case27Body(self) -> None:
        """A body is not the header deadline's business, a finished head takes it away."""
        codec = Http1Protocol().serverCodec()
        codec.receive(POST)
        self.assertEqual(codec.waitLimit, 10.0)
        codec.receive(b"Content-Length: 10\r\n\r\nabc")
        self.assertEqual(codec.waitLimit, 0.0)
        self.assertEqual(codec.timeout(), [])

    def test_case31(self) -> None:
        """Bodies over the limit: 413, at the head or at the chunk that goes over it."""
        self.refused(POST + b"Content-Length: 11\r\n\r\n", 413, max_body=10)
        self.refused(
            CHUNKED + b"6\r\nabcdef\r\n5\r\nghijk\r\n",
            413,
            ["1 head POST /", "1 data b'abcdef'"],
            max_body=10,
        )
        codec = Http1Protocol(Http1Limits(max_body=10)).serverCodec()
        codec.receive(CHUNKED + b"6\r\nabcdef\r\n4\r\nghij\r\n0\r\n\r\n")
        self.assertFalse(codec.closing)

    def test_case31Answered(self) -> None:
        """There is no farewell behind a response that has begun."""
        protocol = Http1Protocol(Http1Limits(max_body=10))
        codec = protocol.serverCodec()
        codec.receive(CHUNKED)
        codec.responseHead(1, protocol.localReply(None, 200, b"").head, False)
        self.assertEqual(codec.receive(b"B\r\n")[0][0], FAILED)
        self.assertEqual(codec.bytesToSend(), b"")
