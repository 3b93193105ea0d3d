"""Tests of the server codec: dialogues with well-behaved clients."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import IServerCodec
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import EOF, playEveryWay

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK"


def response(*fields: tuple[bytes, bytes], status: int = 200) -> ResponseHead:
    """Make the head of a response."""
    return ResponseHead(status, Headers(fields))


def relayed(octets: bytes) -> Any:
    """Return the head of a response as an upstream's codec gives it."""
    codec = Http1Protocol().clientCodec()
    codec.requestHead(Http1Protocol().serverCodec().receive(GET)[0][2], True)
    return codec.receive(octets)[0][2]


def head(what: ResponseHead, end: bool = False) -> Any:
    """Return the step in which the layer above sends a response head."""
    return lambda codec: codec.responseHead(1, what, end)


def data(octets: bytes, end: bool = False) -> Any:
    """Return the step in which the layer above sends octets of the body."""
    return lambda codec: codec.responseData(1, octets, end)


def following(codec: IServerCodec) -> Any:
    """Step on to the next request."""
    return codec.next()


class DialogueTests(SynchronousTestCase):
    """Requests and responses in every cut."""

    def play(self, *lines: tuple[str, Any], **limits: Any) -> None:
        """Play a dialogue, and check at its end whether the connection stays open."""
        playEveryWay(Http1Protocol(Http1Limits(**limits)).serverCodec, lines)

    def closes(self, expected: bool) -> tuple[str, Any]:
        """Return the step that checks `closing`."""
        return ">>", lambda codec: self.assertIs(codec.closing, expected) and b""

    def test_keepAlive(self) -> None:
        """Two requests on one connection, with bodies of declared length."""
        post = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        length = response((b"Content-Length", b"2"))
        self.play(
            (">>", post),
            ("<<", ["1 head POST /a", "1 data b'hello' end"]),
            (">>", head(length)),
            (">>", data(b"ok", True)),
            ("<<", OK + b"\r\nContent-Length: 2\r\n\r\nok"),
            (">>", following),
            (">>", GET),
            ("<<", ["2 head GET / end"]),
            (">>", head(response(), True)),
            ("<<", OK + b"\r\nContent-Length: 0\r\n\r\n"),
            (">>", following),
            (">>", EOF),
        )

    def test_pipelined(self) -> None:
        """The second request appears when the first is over, not before."""
        self.play(
            (">>", GET + GET.replace(b"/ ", b"/2 ")),
            ("<<", ["1 head GET / end"]),
            (">>", head(response(), True)),
            (">>", following),
            ("<<", ["2 head GET /2 end"]),
            (">>", head(response(status=204), True)),
            ("<<", OK + b"\r\nContent-Length: 0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
            self.closes(False),
        )

    def test_chunked(self) -> None:
        """A chunked request with trailers, a chunked response with trailers."""
        self.play(
            (">>", b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"),
            (">>", b"5;a=b\r\nhello\r\n0006\r\n world\r\n0\r\nX-Sum: 7 \r\n\r\n"),
            ("<<", ["1 head PUT /", "1 data b'hello world'", "1 trailers X-Sum: 7"]),
            (">>", head(response((b"A", b"1")))),
            (">>", data(b"")),
            (">>", data(b"0123456789abcdef")),
            (">>", lambda codec: codec.responseTrailers(1, Headers([(b"X", b"y"), (b"TE", b"z")]))),
            (
                "<<",
                OK + b"\r\nTransfer-Encoding: chunked\r\nA: 1\r\n\r\n"
                b"10\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n",
            ),
            self.closes(False),
        )

    def test_http10(self) -> None:
        """HTTP/1.0: the close ends the body, trailers are dropped, no interim response."""
        interim = Http1Protocol().interimHead(100)
        self.play(
            (">>", b"GET / HTTP/1.0\r\n\r\n"),
            ("<<", ["1 head GET / end"]),
            (">>", lambda codec: codec.responseInformational(1, interim)),
            ("<<", b""),
            (">>", head(response())),
            (">>", data(b"abc")),
            (">>", lambda codec: codec.responseTrailers(1, Headers([(b"X", b"y")]))),
            ("<<", OK + b"\r\nConnection: close\r\n\r\nabc"),
            self.closes(True),
        )

    def test_http10KeepAlive(self) -> None:
        """HTTP/1.0 clients that ask for it keep the connection, and are told so."""
        self.play(
            (">>", b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
            ("<<", ["1 head GET / end"]),
            (">>", head(response((b"Content-Length", b"1")))),
            (">>", data(b"a", True)),
            ("<<", OK + b"\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"),
            self.closes(False),
            (">>", following),
            (">>", GET),
            ("<<", ["2 head GET / end"]),
        )

    def test_connectionClose(self) -> None:
        """A client that asks for the close is told so, and nothing more is read."""
        self.play(
            (">>", b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n" + GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(response(), True)),
            ("<<", OK + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            self.closes(True),
            (">>", following),
            (">>", GET),
        )

    def test_head(self) -> None:
        """The answer to HEAD keeps its length and has no body, even when one is given."""
        self.play(
            (">>", b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("<<", ["1 head HEAD / end"]),
            (">>", head(response((b"Content-Length", b"5")))),
            (">>", data(b"hello", True)),
            ("<<", OK + b"\r\nContent-Length: 5\r\n\r\n"),
            self.closes(False),
        )

    def test_bodyless(self) -> None:
        """204 has neither body nor length; 304 keeps its length."""
        for status, out in (
            (204, b"HTTP/1.1 204 No Content\r\n\r\n"),
            (304, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
        ):
            for what in (
                response((b"Content-Length", b"5"), status=status),
                relayed(b"HTTP/1.1 %d\r\nContent-Length: 5\r\n\r\n" % status),
            ):
                what.status = status
                self.play(
                    (">>", GET),
                    ("<<", ["1 head GET / end"]),
                    (">>", head(what)),
                    (">>", data(b"hello", True)),
                    ("<<", out),
                    self.closes(False),
                )

    def test_relayed(self) -> None:
        """An unchanged response keeps its octets, without what was for the other hop."""
        what = relayed(
            b"HTTP/1.0 200 Fine\r\nconnection: Keep-Alive\r\nSERVER:  x\r\n"
            b"Keep-Alive: 5\r\nContent-Length: 2\r\n\r\n"
        )
        self.play(
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(what)),
            (">>", data(b"ok", True)),
            ("<<", b"HTTP/1.1 200 Fine\r\nSERVER:  x\r\nContent-Length: 2\r\n\r\nok"),
            self.closes(False),
        )

    def test_relayedChanged(self) -> None:
        """A changed response is written field by field, a changed status with its own phrase."""
        what = relayed(b"HTTP/1.1 200 Fine\r\nA:1\r\nContent-Length: 2\r\nB: 2\r\n\r\n")
        what.headers.set(b"a", b"3")
        what.headers.add(b"Keep-Alive", b"4")
        what.status = 404
        self.play(
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(what)),
            ("<<", b"HTTP/1.1 404 Not Found\r\na: 3\r\nContent-Length: 2\r\nB: 2\r\n\r\n"),
        )

    def test_interim(self) -> None:
        """Interim responses come before the final one; 101 and later ones are left out."""
        protocol = Http1Protocol()
        hints = ResponseHead(103, Headers([(b"Link", b"</a>")]))
        self.play(
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", lambda codec: codec.responseInformational(1, protocol.interimHead(100))),
            (">>", lambda codec: codec.responseInformational(1, protocol.interimHead(101))),
            (">>", lambda codec: codec.responseInformational(1, hints)),
            (">>", head(response(), True)),
            (">>", lambda codec: codec.responseInformational(1, hints)),
            (
                "<<",
                b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                + OK
                + b"\r\nContent-Length: 0\r\n\r\n",
            ),
        )

    def test_options(self) -> None:
        """OPTIONS may ask about the server as a whole."""
        self.play(
            (">>", b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
            ("<<", ["1 head OPTIONS * end"]),
        )

    def test_tunnel(self) -> None:
        """A CONNECT that succeeds has no framing and ends with the close; a refusal has both."""
        self.play(
            (">>", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
            ("<<", ["1 head CONNECT "]),
            (">>", head(response((b"Content-Length", b"3")))),
            (">>", data(b"abcdef")),
            ("<<", OK + b"\r\n\r\nabcdef"),
            self.closes(True),
            (">>", b"\x16\x03\x01\r\n\r\n"),
            ("<<", ["1 data b'\\x16\\x03\\x01\\r\\n\\r\\n'"]),
        )
        self.play(
            (">>", b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
            ("<<", ["1 head CONNECT "]),
            (">>", head(response(status=405), True)),
            ("<<", b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n"),
            self.closes(False),
        )

    def test_emptyLine(self) -> None:
        """One empty line before a request is passed over and is not waited upon."""
        self.play(
            (">>", b"\r\n"),
            (">>", lambda codec: self.assertEqual(codec.waitLimit, 0.0) and b""),
            (">>", GET),
            ("<<", ["1 head GET / end"]),
        )

    def test_lengths(self) -> None:
        """Octets beyond the declared length are cut off, missing ones close the connection."""
        for body, kept in ((b"abcd", b"ab"), (b"a", b"a")):
            self.play(
                (">>", GET),
                ("<<", ["1 head GET / end"]),
                (">>", head(response((b"Content-Length", b"2")))),
                (">>", data(body, True)),
                ("<<", OK + b"\r\nContent-Length: 2\r\n\r\n" + kept),
                self.closes(True),
            )

    def test_noBodyAfterAll(self) -> None:
        """A head that ends the response says length 0, whatever its fields said."""
        for what in (
            response((b"Content-Length", b"7")),
            relayed(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"),
            relayed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ):
            self.play(
                (">>", GET),
                ("<<", ["1 head GET / end"]),
                (">>", head(what, True)),
                ("<<", OK + b"\r\nContent-Length: 0\r\n\r\n"),
                self.closes(False),
            )
