"""The attack table against the server codec: framing, cases 1 to 18 and 22 to 25."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, HEAD, TRAILERS
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import pieces, single, transcript

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /admin HTTP/1.1\r\nHost: a\r\n\r\n"


def upstreamOctets(octets: bytes) -> list[bytes]:
    """Return what a proxy would write upstream for each request in ``octets``."""
    protocol = Http1Protocol()
    server = protocol.serverCodec()
    written = []
    events = server.receive(octets)
    while events:
        client = protocol.clientCodec()
        number = 0
        out = b""
        for kind, _, part, end in events:
            if kind == HEAD:
                number, out = client.requestHead(part, end)
            elif kind == DATA:
                out += client.requestData(number, part, end)
            elif kind == TRAILERS:
                out += client.requestTrailers(number, part)
        written.append(out)
        if not events[-1][3] or events[-1][0] == FAILED:
            break
        reply = protocol.localReply(None, 200, b"")
        server.responseHead(number, reply.head, True)
        events = server.next()
    return written


class AttackCase(SynchronousTestCase):
    """Shared checks."""

    def refused(
        self, octets: bytes, status: int, before: list[str] | None = None, **limits: Any
    ) -> None:
        """Check that octets fail in every cut with a farewell, and nothing comes after them."""
        protocol = Http1Protocol(Http1Limits(**limits))
        events, out = transcript(protocol.serverCodec(), octets + SMUGGLED)
        number = 1 if before else 0
        self.assertEqual(events[:-1], before or [], octets[:80])
        self.assertTrue(events[-1].startswith(f"{number} failed {status}: "), events[-1])
        self.assertTrue(out.startswith(b"HTTP/1.1 %d " % status))
        self.assertIn(b"\r\nConnection: close\r\n", out)
        if len(octets) > 4096:
            cuts = [pieces([1000]), pieces([4096])]
        else:
            cuts = [single, pieces([3]), pieces([7, 2])]
        for cut in cuts:
            codec = protocol.serverCodec()
            self.assertEqual(transcript(codec, octets + SMUGGLED, cut), (events, out), octets)
            self.assertTrue(codec.closing)

    def fieldsRefused(self, *fields: bytes, status: int = 400) -> None:
        """Check that a POST with each of these field lines fails."""
        for field in fields:
            self.refused(POST + field + b"\r\n\r\n", status)


class FramingTests(AttackCase):
    """Cases 1 to 18 and 22 to 25."""

    def test_case1(self) -> None:
        """Content-Length and Transfer-Encoding together, in any order and spelling."""
        length, chunked = b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"
        for fields in (
            length + chunked,
            chunked + length,
            length + b"tRANSFER-eNCODING: Chunked\r\n",
            b"Content-Length: 0\r\n" + chunked,
        ):
            self.refused(POST + fields + b"\r\n", 400)

    def test_case2(self) -> None:
        """Every Transfer-Encoding but chunked alone."""
        name = b"Transfer-Encoding: "
        self.fieldsRefused(
            name + b"xchunked",
            name + b"identity",
            name + b"gzip, chunked",
            name + b"chunked, identity",
            name + b'"chunked"',
            name + b"chunked;q=1",
            status=501,
        )
        self.fieldsRefused(
            name + b"chunked\r\n" + name + b"chunked",
            name + b"chunked\r\ntransfer-encoding: identity",
            name + b"chunked, chunked",
            name + b"\x0bchunked",
            name + b"chunked\x00",
            name + b",chunked",
            name,
        )

    def test_case3(self) -> None:
        """A space or tab before the colon."""
        self.fieldsRefused(
            b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b"X : y"
        )

    def test_case4(self) -> None:
        """Transfer-Encoding by line folding."""
        self.fieldsRefused(
            b"Transfer-Encoding:\r\n chunked",
            b"Transfer-Encoding: \r\n\tchunked",
            b"X: y\r\n Transfer-Encoding: chunked",
        )

    def test_case5(self) -> None:
        """Transfer-Encoding in HTTP/1.0."""
        self.refused(b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400)

    def test_case6(self) -> None:
        """More than one Content-Length."""
        self.fieldsRefused(
            b"Content-Length: 3\r\nContent-Length: 5",
            b"Content-Length: 3\r\ncontent-length: 3",
            b"Content-Length: 3, 5",
            b"Content-Length: 3, 3",
        )

    def test_case7(self) -> None:
        """A Content-Length that is no plain number, or does not fit."""
        for value in (b"+3", b"-1", b"0x3", b"0_3", b"18446744073709551619", b"3 3", b"", b"3;"):
            self.fieldsRefused(b"Content-Length: " + value)
        self.fieldsRefused(b"Content-Length: " + b"0" * 5000 + b"3")

    def test_case8(self) -> None:
        """Bare LF as line end: refused when it comes, not when a deadline passes."""
        self.refused(b"GET / HTTP/1.1\nHost: a\n\n", 400)
        self.refused(b"GET / HTTP/1.1\r\nHost: a\n\r\n", 400)
        codec = Http1Protocol().serverCodec()
        self.assertEqual(codec.receive(b"GET / HTTP/1.1\r\nHost: a\n")[0][2].status, 400)
        self.refused(b"\n" + GET + b"\r\n", 400)

    def test_case9(self) -> None:
        """Bare LF that hides a Content-Length."""
        self.fieldsRefused(b"X: y\nContent-Length: 31", b"X:\nContent-Length: 31")

    def test_case10(self) -> None:
        """Bare CR in a value or at its end."""
        self.fieldsRefused(b"X: a\rb", b"X: a\r", b"X: \rContent-Length: 31", b"X\r: a")

    def test_case11(self) -> None:
        """NUL and other controls in names, values and the request line."""
        self.fieldsRefused(b"X: a\0b", b"X\0: a", b"X: a\x0bb", b"X: a\x7fb", b"X: \x01")
        for line in (b"GET /\0 HTTP/1.1", b"GET /\x01 HTTP/1.1", b"GET /\x7f HTTP/1.1"):
            self.refused(line + b"\r\nHost: a\r\n\r\n", 400)

    def test_case12(self) -> None:
        """Folded lines, leading space, empty names, no colon, names that are no tokens."""
        self.fieldsRefused(
            b"X: a\r\n b", b"X: a\r\n\tb", b": a", b"a", b"X(: a", b"X\x80: a", b"a b: c"
        )
        self.refused(b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400)
        self.refused(b"GET / HTTP/1.1\r\n\tX: y\r\nHost: a\r\n\r\n", 400)

    def test_case13(self) -> None:
        """Missing, double and invalid Host."""
        self.refused(b"GET / HTTP/1.1\r\n\r\n", 400)
        self.refused(b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400)
        self.refused(b"GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400)
        for host in (
            b"",
            b"a b",
            b"a/b",
            b"u@a",
            b"a:b",
            b"a:99999",
            b"[::1",
            b"a,b",
            b"a:1:2",
            b"a#",
        ):
            self.refused(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400)
            self.refused(b"GET http://a/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n", 400)
        self.refused(b"GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400)

    def test_case13Absolute(self) -> None:
        """The target in absolute form decides, and the Host field is rewritten."""
        octets = b"GET http://B:81/x?y HTTP/1.1\r\nX: 1\r\nhost: a\r\nZ: 2\r\n\r\n"
        head = Http1Protocol().serverCodec().receive(octets)[0][2]
        self.assertEqual((head.authority, head.path), (b"b:81", b"/x?y"))
        self.assertEqual(head.headers.get(b"host"), b"b:81")
        self.assertEqual(
            upstreamOctets(octets), [b"GET /x?y HTTP/1.1\r\nX: 1\r\nhost: b:81\r\nZ: 2\r\n\r\n"]
        )

    def test_case14(self) -> None:
        """Chunk sizes and line ends that are not exactly right."""
        for body in (
            b"0x3\r\nabc\r\n",
            b"+3\r\nabc\r\n",
            b"-3\r\nabc\r\n",
            b"3 \r\nabc\r\n",
            b" 3\r\nabc\r\n",
            b"3_0\r\nabc\r\n",
            b"\r\nabc\r\n",
            b";x\r\nabc\r\n",
            b"10000000000000003\r\nabc\r\n",
            b"FFFFFFFFFFFFFFFFF\r\nabc\r\n",
            b"3\nabc\r\n",
            b"3;a\nb\r\nabc\r\n",
            b"3;a\rb\r\nabc\r\n",
            b"3;\0\r\nabc\r\n",
            b"3\r\r\nabc\r\n",
            b"g\r\n",
        ):
            self.refused(CHUNKED + body, 400, ["1 head POST /"])
        for body in (b"3\r\nabcX\r\n", b"3\r\nabc\n", b"3\r\nabc\rX", b"3\r\nabc0\r\n\r\n"):
            self.refused(CHUNKED + body, 400, ["1 head POST /", "1 data b'abc'"])

    def test_case15(self) -> None:
        """Floods of chunk extensions and of tiny chunks."""
        flood = b"1;ext=%b\r\nx\r\n" % (b"y" * 200)
        codec = Http1Protocol().serverCodec()
        codec.receive(CHUNKED)
        seen = 0
        while not codec.closing:
            seen += len(flood)
            events = codec.receive(flood)
            self.assertLess(seen, 100_000)
        self.assertEqual(events[-1][2].status, 400)
        self.refused(CHUNKED + b"1;" + b"e" * 300 + b"\r\nx\r\n", 400, ["1 head POST /"])
        self.refused(CHUNKED + b"1;" + b"e" * 300, 400, ["1 head POST /"])
        codec = Http1Protocol().serverCodec()
        events = codec.receive(CHUNKED + b"1\r\nx\r\n" * 20_000)
        self.assertEqual(events[-1][2].status, 400)

    def test_case15Honest(self) -> None:
        """Many chunks of a few octets each are not a flood."""
        codec = Http1Protocol().serverCodec()
        events = codec.receive(CHUNKED + b"8\r\n{'a': 1}\r\n" * 20_000 + b"0\r\n\r\n")
        self.assertEqual([event[0] for event in events], [HEAD, DATA])
        self.assertEqual(len(events[1][2]), 160_000)

    def test_case16(self) -> None:
        """Trailers that would change framing, routing or rights are dropped, others pass."""
        octets = (
            CHUNKED + b"1\r\nx\r\n0\r\nX-Sum: 1\r\nHost: b\r\nContent-Length: 5\r\n"
            b"Authorization: b\r\nCookie: c\r\nX-Forwarded-For: d\r\nY: 2\r\n\r\n"
        )
        protocol = Http1Protocol()
        events, _ = transcript(protocol.serverCodec(), octets, single)
        self.assertEqual(events, ["1 head POST /", "1 data b'x'", "1 trailers X-Sum: 1, Y: 2"])
        self.assertTrue(upstreamOctets(octets)[0].endswith(b"\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n"))
        events, _ = transcript(
            protocol.serverCodec(), CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        self.assertEqual(events, ["1 head POST /", "1 data b'' end"])

    def test_case16Limits(self) -> None:
        """Trailers are limited in size and number, and have to be well formed."""
        head = ["1 head POST /"]
        self.refused(CHUNKED + b"0\r\nX: " + b"y" * 9000 + b"\r\n\r\n", 400, head)
        self.refused(CHUNKED + b"0\r\n" + b"X: y\r\n" * 33 + b"\r\n", 431, head)
        self.refused(CHUNKED + b"0\r\nX: y\n\r\n", 400, head)
        self.refused(CHUNKED + b"0\r\nX: y\r\n z\r\n\r\n", 400, head)
        self.refused(CHUNKED + b"0\r\n\nX: y\r\n\r\n", 400, head)

    def test_case22(self) -> None:
        """Of all offers to change the protocol, only that of WebSocket goes further."""
        octets = (
            GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
        )
        head = Http1Protocol().serverCodec().receive(octets)[0][2]
        self.assertEqual(head.upgrade, b"")
        self.assertEqual(upstreamOctets(octets), [GET + b"\r\n"])
        octets = GET + b"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n\r\n"
        head = Http1Protocol().serverCodec().receive(octets)[0][2]
        self.assertEqual(head.upgrade, b"websocket")
        start, fields = GET.split(b"\r\n", 1)
        up = start + b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + fields + b"\r\n"
        self.assertEqual(upstreamOctets(octets), [up])
        octets = GET + b"Connection: Upgrade\r\nUpgrade: spdy/3, TLS/1.2\r\n\r\n"
        self.assertEqual(upstreamOctets(octets), [GET + b"\r\n"])
        octets = POST + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc"
        self.assertEqual(upstreamOctets(octets), [POST + b"Content-Length: 3\r\n\r\nabc"])

    def test_case23(self) -> None:
        """Fields named by Connection go, but not those that others rely on."""
        octets = (
            GET + b"Connection: X-Drop, host, AUTHORIZATION, Cookie, X-Forwarded-For\r\n"
            b"X-Drop: 1\r\nAuthorization: 2\r\nCookie: 3\r\nX-Forwarded-For: 4\r\nx-drop: 5\r\n"
            b"Keep-Alive: 6\r\nProxy-Connection: 7\r\nTE: trailers\r\n\r\n"
        )
        self.assertEqual(
            upstreamOctets(octets),
            [GET + b"Authorization: 2\r\nCookie: 3\r\nX-Forwarded-For: 4\r\n\r\n"],
        )
        octets = POST + b"Connection: content-length\r\nContent-Length: 3\r\n\r\nabc"
        self.assertEqual(upstreamOctets(octets), [POST + b"Content-Length: 3\r\n\r\nabc"])

    def test_case24(self) -> None:
        """Names with underscores are tokens and pass under their own name only."""
        octets = GET + b"X_Forwarded_For: 1\r\n\r\n"
        head = Http1Protocol().serverCodec().receive(octets)[0][2]
        self.assertIsNone(head.headers.get(b"x-forwarded-for"))
        self.assertEqual(upstreamOctets(octets), [octets])

    def test_case25(self) -> None:
        """Paths pass octet for octet; deciding about them is the router's business."""
        for path in (b"/a/%2e%2e/b", b"//a", b"/%2f", b"/a;b", b"/a\\b", b"/\xc3\xa4?\xff=1"):
            octets = b"GET " + path + b" HTTP/1.1\r\nHost: a\r\n\r\n"
            self.assertEqual(upstreamOctets(octets), [octets])

    def test_requestTargets(self) -> None:
        """Targets in no known form are refused."""
        for target in (b"*", b"a", b"ftp://a/", b"http:///", b"http://", b"/a#b", b"a:80", b"?x"):
            self.refused(b"GET " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400)
        for target in (b"/", b"a", b"a:", b"http://a:80/", b"a:1/", b"u@a:80", b":80"):
            self.refused(b"CONNECT " + target + b" HTTP/1.1\r\nHost: a\r\n\r\n", 400)

    def test_requestLines(self) -> None:
        """Request lines that are not exactly method, target and version."""
        for line in (
            b"GET",
            b"GET /",
            b"GET  / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b" GET / HTTP/1.1",
            b"GET\t/\tHTTP/1.1",
            b"GET / http/1.1",
            b"GET / HTTP/1.",
            b"GET / HTTP/11",
            b"G(T / HTTP/1.1",
            b"GET / HTTP/1.1\r",
            b"GET / a HTTP/1.1",
        ):
            self.refused(line + b"\r\nHost: a\r\n\r\n", 400)
        for version in (b"0.9", b"2.0", b"1.2", b"3.0"):
            self.refused(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n", 505)
        self.refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)

    def test_expectations(self) -> None:
        """Only 100-continue can be expected."""
        self.fieldsRefused(b"Expect: 200-ok", b"Expect: 100-continue, x", status=417)
