"""Tests of the client codec: dialogues with honest upstreams, heads of other protocols."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.message import IRequestHead
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.playbook import EOF, TIMEOUT, playEveryWay

WIRE = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def received(octets: bytes = WIRE) -> Any:
    """Return a request head as a listener's codec gives it."""
    return Http1Protocol().serverCodec().receive(octets)[0][2]


def request(method: bytes = b"GET", *fields: tuple[bytes, bytes]) -> RequestHead:
    """Make a request head."""
    return RequestHead(method, b"/x", b"a", Headers(fields))


def send(head: Any, end: bool = True) -> tuple[str, Any]:
    """Return the line in which the layer above opens a stream."""
    return ">>", lambda codec: codec.requestHead(head, end)


def data(number: int, octets: bytes, end: bool = False) -> tuple[str, Any]:
    """Return the line in which the layer above sends octets of the body."""
    return ">>", lambda codec: codec.requestData(number, octets, end)


class DialogueTests(SynchronousTestCase):
    """Requests and responses in every cut."""

    def play(self, *lines: tuple[str, Any], **limits: Any) -> None:
        """Play a dialogue."""
        playEveryWay(Http1Protocol(Http1Limits(**limits)).clientCodec, lines)

    def reusable(self, expected: bool) -> tuple[str, Any]:
        """Return the line that checks `reusable`."""
        return ">>", lambda codec: self.assertIs(codec.reusable, expected) and b""

    def test_keepAlive(self) -> None:
        """Two exchanges on one connection; unchanged requests keep their octets."""
        wire = b"GET /?a HTTP/1.1\r\nhost:  B\r\nAccept:*/*\r\n\r\n"
        self.play(
            self.reusable(True),
            send(received(wire)),
            ("<<", wire),
            self.reusable(False),
            (">>", OK + b"Content-Length: 5\r\n\r\nhello"),
            ("<<", ["1 head 200", "1 data b'hello' end"]),
            self.reusable(True),
            send(request()),
            ("<<", b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"),
            (">>", OK + b"Content-Length: 0\r\n\r\n"),
            ("<<", ["2 head 200 end"]),
            self.reusable(True),
            (">>", TIMEOUT),
            (">>", EOF),
            self.reusable(False),
        )

    def test_bodies(self) -> None:
        """Bodies go by declared length, or chunked with trailers."""
        self.play(
            send(received(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"), False),
            data(1, b"ab"),
            data(1, b"c", True),
            ("<<", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"),
            (">>", OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n"),
            ("<<", ["1 head 200", "1 data b'abc'", "1 trailers X: y"]),
            send(request(b"POST"), False),
            data(2, b"abc"),
            data(2, b""),
            (">>", lambda codec: codec.requestTrailers(2, Headers([(b"X", b"y")]))),
            (
                "<<",
                b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n0\r\nX: y\r\n\r\n",
            ),
            (">>", b"HTTP/1.1 204 No Content\r\n\r\n"),
            ("<<", ["2 head 204 end"]),
            self.reusable(True),
        )

    def test_bodylessRequests(self) -> None:
        """Requests that end with their head say so where a body is expected."""
        for method, fields, out in (
            (b"POST", (), b"Content-Length: 0\r\n"),
            (b"PUT", ((b"Content-Length", b"7"),), b"Content-Length: 0\r\n"),
            (b"DELETE", (), b""),
            (b"DELETE", ((b"Content-Length", b"0"),), b"Content-Length: 0\r\n"),
        ):
            self.play(
                send(request(method, *fields)),
                ("<<", method + b" /x HTTP/1.1\r\nHost: a\r\n" + out + b"\r\n"),
            )

    def test_lengths(self) -> None:
        """Octets beyond the declared length are dropped; missing ones end the connection."""
        wire = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
        for body, kept, clean in ((b"abcd", b"abc", True), (b"a", b"a", False)):
            self.play(
                send(received(wire), False),
                data(1, body, True),
                ("<<", wire + kept),
                (">>", OK + b"Content-Length: 0\r\n\r\n"),
                ("<<", ["1 head 200 end"]),
                self.reusable(clean),
            )

    def test_untilClose(self) -> None:
        """A response without a length lasts until the close."""
        self.play(
            send(received()),
            ("<<", WIRE),
            (">>", b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nabc"),
            (">>", b"def"),
            ("<<", ["1 head 200", "1 data b'abcdef'"]),
            self.reusable(False),
            (">>", EOF),
            ("<<", ["1 data b'' end"]),
            self.reusable(False),
        )

    def test_brokenOff(self) -> None:
        """A response that is cut short resets its stream."""
        for octets, events in (
            (b"", []),
            (b"HTTP/1.1 2", []),
            (OK + b"Content-Length: 3\r\n\r\na", ["1 head 200", "1 data b'a'"]),
            (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", ["1 head 200", "1 data b'a'"]),
            (b"HTTP/1.1 100 Continue\r\n\r\n", ["1 informational 100"]),
        ):
            self.play(
                send(received()),
                ("<<", WIRE),
                (">>", octets),
                ("<<", events),
                (">>", EOF),
                ("<<", ["1 reset upstream reset"]),
                self.reusable(False),
                (">>", b"x"),
            )

    def test_interim(self) -> None:
        """Interim responses are told and do not end the wait."""
        self.play(
            send(received()),
            ("<<", WIRE),
            (">>", b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n"),
            (">>", b"HTTP/1.1 103 Early Hints\r\nContent-Length: 3\r\nLink: x\r\n\r\n"),
            (">>", OK + b"Content-Length: 0\r\n\r\n"),
            ("<<", ["1 informational 100", "1 informational 103", "1 head 200 end"]),
            self.reusable(True),
        )

    def test_headResponses(self) -> None:
        """Responses to HEAD, 204 and 304 end with their head, whatever it says."""
        length, chunked = b"Content-Length: 5\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"
        wire = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
        for fields in (length, chunked, b"\r\n"):
            for head, line in (
                (wire, b"HTTP/1.1 200 OK\r\n"),
                (WIRE, b"HTTP/1.1 204 No Content\r\n"),
                (WIRE, b"HTTP/1.1 304 Not Modified\r\n"),
            ):
                self.play(
                    send(received(head)),
                    ("<<", head),
                    (">>", line + fields),
                    ("<<", [f"1 head {line[9:12].decode()} end"]),
                    self.reusable(True),
                )

    def test_notReusable(self) -> None:
        """A connection that either side wants to close is not used again."""
        for octets in (
            OK + b"Connection: close\r\nContent-Length: 0\r\n\r\n",
            OK + b"Connection: a, CLOSE\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        ):
            self.play(
                send(received()),
                ("<<", WIRE),
                (">>", octets),
                ("<<", ["1 head 200 end"]),
                self.reusable(False),
            )
        self.play(
            send(received()),
            ("<<", WIRE),
            (">>", b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n"),
            ("<<", ["1 head 200 end"]),
            self.reusable(True),
        )

    def test_answeredEarly(self) -> None:
        """An answer before the end of the request spoils the connection; nothing more is sent."""
        self.play(
            send(request(b"POST"), False),
            data(1, b"abc"),
            (
                "<<",
                b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            ),
            (">>", OK + b"Content-Length: 0\r\n\r\n"),
            ("<<", ["1 head 200 end"]),
            self.reusable(False),
            data(1, b"def", True),
            (">>", lambda codec: codec.requestTrailers(1, Headers([(b"A", b"b")]))),
            ("<<", b""),
            self.reusable(False),
        )

    def test_hopByHop(self) -> None:
        """Fields for this hop are gone from responses, protected ones stay."""
        codec = Http1Protocol().clientCodec()
        codec.requestHead(received(), True)
        events = codec.receive(
            OK + b"Connection: Keep-Alive, X-A, Set-Cookie\r\nKeep-Alive: 5\r\nX-A: 1\r\n"
            b"Set-Cookie: 2\r\nUpgrade: h2c\r\nProxy-Connection: x\r\nContent-Length: 0\r\n\r\n"
        )
        self.assertEqual(
            events[0][2].headers.items(), [(b"Set-Cookie", b"2"), (b"Content-Length", b"0")]
        )

    def test_tunnel(self) -> None:
        """Behind a successful CONNECT everything until the close is one body, whatever is said."""
        wire = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
        self.play(
            send(received(wire)),
            ("<<", wire),
            (">>", OK + b"Content-Length: 1\r\n\r\nabc"),
            ("<<", ["1 head 200", "1 data b'abc'"]),
            (">>", EOF),
            ("<<", ["1 data b'' end"]),
            self.reusable(False),
        )

    def test_reset(self) -> None:
        """A stream can only be given up by closing; what still comes is ignored."""
        codec = Http1Protocol().clientCodec()
        codec.requestHead(received(), True)
        self.assertIsNone(codec.reset(1, LOCAL_RESET))
        self.assertFalse(codec.reusable)
        self.assertEqual(codec.receive(OK + b"\r\n") + codec.receiveEof(), [])


@implementer(IRequestHead)
class ForeignHead:
    """A head of another protocol."""

    protocol = "Http2"
    service = b""
    oneway = False
    timeout = None
    replayable = False

    def __init__(
        self, method: bytes, path: bytes, authority: bytes, scheme: bytes, *fields: Any
    ) -> None:
        self.method = method
        self.path = path
        self.authority = authority
        self.scheme = scheme
        self.headers = Headers(fields)


class ForeignTests(SynchronousTestCase):
    """Heads of other protocols."""

    def written(self, head: ForeignHead, end: bool = True) -> bytes:
        """Return the octets for a head."""
        verifyObject(IRequestHead, head)
        octets: bytes = Http1Protocol().clientCodec().requestHead(head, end)[1]
        return octets

    def test_http2(self) -> None:
        """The authority becomes the Host field, crumbs of cookies are joined."""
        head = ForeignHead(
            b"GET",
            b"/a",
            b"h:1",
            b"https",
            (b"cookie", b"a=1"),
            (b"x", b"y"),
            (b"host", b"z"),
            (b"te", b"trailers"),
            (b"cookie", b"b=2"),
        )
        self.assertEqual(
            self.written(head),
            b"GET /a HTTP/1.1\r\nHost: h:1\r\nx: y\r\nCookie: a=1; b=2\r\n\r\n",
        )

    def test_rpc(self) -> None:
        """A request without HTTP's words becomes a POST."""
        head = ForeignHead(b"sayHello", b"", b"", b"", (b"service", b"s"))
        self.assertEqual(
            self.written(head, False),
            b"POST / HTTP/1.1\r\nHost: \r\nTransfer-Encoding: chunked\r\nservice: s\r\n\r\n",
        )

    def test_connect(self) -> None:
        """CONNECT is written with its authority."""
        wire = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
        self.assertEqual(Http1Protocol().clientCodec().requestHead(received(wire), True)[1], wire)

    def test_changes(self) -> None:
        """Assigned paths and authorities are what is written."""
        head = received(b"GET /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n")
        head.path = b"/c"
        self.assertEqual(
            Http1Protocol().clientCodec().requestHead(head, True)[1],
            b"GET /c HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n",
        )
        head.authority = b"B:80"
        head.headers.remove(b"x")
        self.assertEqual(
            Http1Protocol().clientCodec().requestHead(head, True)[1],
            b"GET /c HTTP/1.1\r\nHost: B:80\r\n\r\n",
        )
