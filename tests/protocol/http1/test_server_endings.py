"""Tests of the server codec: how connections and requests come to their end."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEAD, IServerCodec
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.errors import EncodeError
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


class EndingTests(SynchronousTestCase):
    """Closes, drains, resets and early ends in every cut."""

    def play(self, *lines: tuple[str, Any], **limits: Any) -> None:
        """Play a dialogue, and check at its end whether the connection stays open."""
        playEveryWay(Http1Protocol(Http1Limits(**limits)).serverCodec, lines)

    def closes(self, expected: bool) -> tuple[str, Any]:
        """Return the step that checks `closing`."""
        return ">>", lambda codec: self.assertIs(codec.closing, expected) and b""

    def test_answeredEarly(self) -> None:
        """An answer that is over before its request is closes the connection."""
        post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"
        self.play(
            (">>", post),
            ("<<", ["1 head POST /", "1 data b'he'"]),
            (">>", head(response(), True)),
            ("<<", OK + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            self.closes(True),
        )
        for trailers in (True, False):
            last = (
                (lambda codec: codec.responseTrailers(1, Headers()))
                if trailers
                else data(b"", True)
            )
            self.play(
                (">>", post),
                ("<<", ["1 head POST /", "1 data b'he'"]),
                (">>", head(response())),
                (">>", last),
                ("<<", OK + b"\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                self.closes(True),
            )

    def test_maxRequests(self) -> None:
        """The last request that a connection may have is answered with the close."""
        self.play(
            (">>", GET + GET + GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(response(), True)),
            (">>", following),
            ("<<", ["2 head GET / end"]),
            (">>", head(response(), True)),
            (
                "<<",
                OK
                + b"\r\nContent-Length: 0\r\n\r\n"
                + OK
                + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            (">>", following),
            self.closes(True),
            max_requests_per_connection=2,
        )

    def test_drain(self) -> None:
        """Draining closes after the present answer, or after the next when it has begun."""
        self.play(
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", lambda codec: codec.drain()),
            self.closes(False),
            (">>", head(relayed(OK + b"\r\nContent-Length: 0\r\n\r\n"), True)),
            ("<<", OK + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
            self.closes(True),
        )
        self.play(
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(response((b"Content-Length", b"1")))),
            (">>", lambda codec: codec.drain()),
            (">>", data(b"x", True)),
            self.closes(False),
            (">>", following),
            (">>", GET),
            ("<<", ["2 head GET / end"]),
            (">>", head(response(), True)),
            (
                "<<",
                OK
                + b"\r\nContent-Length: 1\r\n\r\nx"
                + OK
                + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
        )

    def test_drainIdle(self) -> None:
        """An idle connection may close at once; a request that comes before is served."""
        self.play(
            (">>", lambda codec: codec.drain()),
            self.closes(True),
            (">>", GET),
            ("<<", ["1 head GET / end"]),
            (">>", head(response(), True)),
            ("<<", OK + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        )

    def test_eofHalfway(self) -> None:
        """A client that stops within a body resets its request; within a head it never was."""
        self.play(
            (">>", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe"),
            ("<<", ["1 head POST /", "1 data b'he'"]),
            (">>", EOF),
            ("<<", ["1 reset downstream gone"]),
            self.closes(True),
            (">>", b"llo"),
        )
        self.play((">>", GET[:-4]), (">>", EOF), self.closes(True), (">>", b"\r\n\r\n"))

    def test_halfClose(self) -> None:
        """A client that only stopped sending gets its answers, also those still waiting."""
        self.play(
            (">>", GET + GET + GET[:10]),
            ("<<", ["1 head GET / end"]),
            (">>", EOF),
            self.closes(False),
            (">>", head(response(), True)),
            (">>", following),
            ("<<", ["2 head GET / end"]),
            (">>", head(response(), True)),
            self.closes(False),
            (">>", following),
            self.closes(True),
            ("<<", (OK + b"\r\nContent-Length: 0\r\n\r\n") * 2),
        )

    def test_reset(self) -> None:
        """A response can only be broken off by closing."""
        codec = Http1Protocol().serverCodec()
        codec.receive(GET)
        self.assertIsNone(codec.responseReset(1, LOCAL_RESET))
        self.assertTrue(codec.closing)
        self.assertEqual(codec.receive(GET) + codec.next(), [])

    def test_splitting(self) -> None:
        """A head that would break the framing raises and leaves nothing behind."""
        codec = Http1Protocol().serverCodec()
        codec.receive(GET)
        bad = ResponseHead(200, Headers.trusted([(b"A", b"b\r\nC: d")]))
        with self.assertRaises(EncodeError):
            codec.responseHead(1, bad, True)
        with self.assertRaises(EncodeError):
            codec.responseHead(1, ResponseHead(100, Headers()), True)
        self.assertIn(b" 200 ", codec.responseHead(1, response(), True))

    def test_sharedParser(self) -> None:
        """One broken or closing connection does not disturb the others of its listener."""
        protocol = Http1Protocol()
        for octets in (
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
        ):
            protocol.serverCodec().receive(octets)
            event = protocol.serverCodec().receive(GET)[0]
            self.assertEqual((event[0], event[2].headers.items()), (HEAD, [(b"Host", b"a")]))
