"""Tests of both codecs: a change to WebSocket, accepted or refused."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, HEAD
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http2.heads import Http2RequestHead
from mosntx.protocol.websocket import acceptFor
from mosntx.testing.playbook import EOF, pieces, playEveryWay

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
ASK = b"GET /chat HTTP/1.1\r\nHost: a\r\n" + UPGRADE + b"Sec-WebSocket-Key: k\r\n\r\n"
UP = b"GET /chat HTTP/1.1\r\n" + UPGRADE + b"Host: a\r\nSec-WebSocket-Key: k\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"Sec-WebSocket-Accept: x\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#: Octets that are no HTTP, among them some that look like it.
RAW = b"\x81\x05hello\r\n\r\n\0" + GET


def answer(status: int, *fields: tuple[bytes, bytes], end: bool = False) -> Any:
    """Return the step in which the layer above sends a response head."""
    return lambda codec: codec.responseHead(1, ResponseHead(status, Headers(fields)), end)


def waiting(codec: Any) -> Any:
    """Step on to what waits in a server codec."""
    return codec.next()


def asked(codec: Any) -> Any:
    """Send the request as an upstream gets it."""
    head = Http1Protocol().serverCodec().receive(ASK)[0][2]
    return codec.requestHead(head, False)


class ServerTests(SynchronousTestCase):
    """The end that reads the offer."""

    def play(self, *lines: tuple[str, Any], **limits: Any) -> None:
        """Play a dialogue in every cut."""
        protocol = Http1Protocol(Http1Limits(**limits))
        playEveryWay(protocol.serverCodec, lines, pieces((7, 1, 30)))

    def test_accepted(self) -> None:
        """After the 101 everything is raw, in both directions, until the client ends."""
        self.play(
            (">>", ASK),
            ("<<", ["1 head GET /chat"]),
            (">>", answer(101, (b"Sec-WebSocket-Accept", b"x"))),
            ("<<", SWITCH),
            (">>", RAW),
            ("<<", [f"1 data {RAW!r}"]),
            (">>", lambda codec: codec.responseData(1, RAW, False)),
            ("<<", RAW),
            (">>", EOF),
            ("<<", ["1 data b'' end"]),
            (">>", lambda codec: codec.responseData(1, b"bye", True)),
            ("<<", b"bye"),
            (">>", lambda codec: self.assertTrue(codec.closing and codec.tunnel)),
        )

    def test_octetsBeforeTheAnswer(self) -> None:
        """What a client sends too early waits, and nobody takes it for a request."""
        self.play(
            (">>", ASK + RAW),
            ("<<", ["1 head GET /chat"]),
            (">>", answer(101)),
            ("<<", b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n"),
            (">>", waiting),
            (">>", waiting),
            (">>", b"more"),
            ("<<", [f"1 data {RAW + b'more'!r}"]),
        )

    def test_lastRequest(self) -> None:
        """They wait also when no further request would be taken."""
        self.play(
            (">>", ASK + b"abc"),
            (">>", answer(101)),
            ("<<", b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"\r\n"),
            (">>", waiting),
            ("<<", ["1 head GET /chat", "1 data b'abc'"]),
            max_requests_per_connection=1,
        )

    def test_refused(self) -> None:
        """Another status is an ordinary response; the request has no body."""
        self.play(
            (">>", ASK + GET),
            ("<<", ["1 head GET /chat"]),
            (">>", answer(426, (b"Content-Length", b"0"), end=True)),
            ("<<", b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n"),
            (">>", lambda codec: self.assertFalse(codec.closing or codec.tunnel)),
            (">>", waiting),
            ("<<", ["2 head GET / end"]),
        )

    def test_clientLeaves(self) -> None:
        """A client that ends before the answer has left."""
        self.play((">>", ASK), (">>", EOF), ("<<", ["1 head GET /chat", "1 reset downstream gone"]))

    def test_unsayable(self) -> None:
        """A 101 that nobody asked for, or that ends, cannot be sent; a 502 can."""
        for octets, end in ((ASK, True), (GET, False)):
            codec = Http1Protocol().serverCodec()
            codec.receive(octets)
            with self.assertRaises(EncodeError):
                codec.responseHead(1, ResponseHead(101, Headers(())), end)
            sent = codec.responseHead(1, ResponseHead(502, Headers(())), True)
            self.assertTrue(sent.startswith(b"HTTP/1.1 502"))

    def test_notOffered(self) -> None:
        """Offers in other shapes are none."""
        field = b"Upgrade: websocket\r\n"
        for octets in (
            b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n",
            b"GET / HTTP/1.0\r\nHost: a\r\nConnection: upgrade\r\n" + field + b"\r\n",
            b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n" + field + b"\r\n",
        ):
            event = Http1Protocol().serverCodec().receive(octets)[0]
            self.assertEqual((event[2].upgrade, event[3]), (b"", True))

    def test_spelling(self) -> None:
        """Names of protocols are compared without regard to case."""
        octets = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, UPGRADE\r\n"
        event = Http1Protocol().serverCodec().receive(octets + b"Upgrade: x, WebSocket\r\n\r\n")[0]
        self.assertEqual((event[2].upgrade, event[3]), (b"websocket", False))


class ClientTests(SynchronousTestCase):
    """The end that sends the offer on."""

    def play(self, *lines: tuple[str, Any]) -> None:
        """Play a dialogue in every cut."""
        playEveryWay(Http1Protocol().clientCodec, lines, pieces((5, 1, 41)))

    def test_accepted(self) -> None:
        """After the 101 everything is raw, in both directions, each with its own end."""
        self.play(
            (">>", asked),
            ("<<", UP),
            (">>", b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCH + RAW),
            ("<<", ["1 informational 103", "1 head 101", f"1 data {RAW!r}"]),
            (">>", lambda codec: codec.requestData(1, RAW, False)),
            ("<<", RAW),
            (">>", EOF),
            ("<<", ["1 data b'' end"]),
            (">>", lambda codec: codec.requestData(1, b"rest", True)),
            ("<<", b"rest"),
            (">>", lambda codec: self.assertEqual((codec.reusable, codec.tunnel), (False, True))),
        )

    def test_fieldsOfTheHop(self) -> None:
        """Fields of a 101 that are for this hop, or that frame a body, go no further."""
        codec = Http1Protocol().clientCodec()
        asked(codec)
        framing = b"Content-Length: 5\r\nKeep-Alive: 6\r\n\r\n"
        head = codec.receive(SWITCH[:-2] + framing + b"abc")[0][2]
        self.assertEqual(head.headers.items(), [(b"Sec-WebSocket-Accept", b"x")])

    def test_refused(self) -> None:
        """Another status is an ordinary response, and the connection is used again."""
        self.play(
            (">>", asked),
            ("<<", UP),
            (">>", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"),
            ("<<", ["1 head 403", "1 data b'no' end"]),
            (">>", lambda codec: self.assertEqual((codec.reusable, codec.tunnel), (True, False))),
        )

    def test_dataBeforeTheAnswer(self) -> None:
        """Nothing goes up before the upstream has agreed (RFC 9110 7.8)."""
        codec = Http1Protocol().clientCodec()
        asked(codec)
        self.assertEqual(codec.requestData(1, b"abc", False), b"")

    def test_notWhatWasOffered(self) -> None:
        """An upstream that changes to something else, or unasked, has broken the protocol."""
        other = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"
        none = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        for octets in (other, none):
            self.play((">>", asked), ("<<", UP), (">>", octets), ("<<", ["1 failed 502"]))
        codec = Http1Protocol().clientCodec()
        codec.requestHead(RequestHead(b"GET", b"/", b"a", Headers(())), True)
        self.assertEqual(codec.receive(SWITCH)[0][2].status, 502)

    def test_connect(self) -> None:
        """A CONNECT that is sent on has no offer to write, and is accepted by a 200."""
        wire = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
        head = Http1Protocol().serverCodec().receive(wire)[0][2]
        self.play(
            (">>", lambda codec: codec.requestHead(head, False)),
            ("<<", wire),
            (">>", b"HTTP/1.1 200 OK\r\n\r\n" + RAW),
            ("<<", ["1 head 200", f"1 data {RAW!r}"]),
            (">>", lambda codec: codec.requestData(1, RAW, True)),
            ("<<", RAW),
        )

    def test_ofAnotherProtocol(self) -> None:
        """A name of a protocol that is none is not written."""
        head = RequestHead(b"GET", b"/chat", b"a", Headers(()))
        head.upgrade = b"x\r\ny"
        self.assertRaises(EncodeError, Http1Protocol().clientCodec().requestHead, head, False)


class KeyTests(SynchronousTestCase):
    """A client on HTTP/2 has no key: it is made here, and its answer is looked at."""

    def ask(self, *fields: tuple[bytes, bytes]) -> tuple[Any, bytes]:
        """Send such an offer; return codec and octets."""
        codec = Http1Protocol(entropy=bytes).clientCodec()
        head = Http2RequestHead(b"GET", b"/chat", b"a", Headers(fields), upgrade=b"websocket")
        return codec, codec.requestHead(head, False)[1]

    def switch(self, accept: bytes) -> bytes:
        """Return a 101."""
        return SWITCH.replace(b"Accept: x", b"Accept: " + accept)

    def test_made(self) -> None:
        """The upstream gets one fresh key, whatever the client has sent as such."""
        _, sent = self.ask((b"sec-websocket-version", b"13"), (b"sec-websocket-key", b"stale"))
        self.assertEqual(
            sent,
            b"GET /chat HTTP/1.1\r\nHost: a\r\n"
            + UPGRADE
            + b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n",
        )

    def test_answered(self) -> None:
        """The right answer opens the tunnel."""
        codec, _ = self.ask()
        events = codec.receive(self.switch(acceptFor(b"AAAAAAAAAAAAAAAAAAAAAA==")) + RAW)
        self.assertEqual([event[0] for event in events], [HEAD, DATA])
        self.assertTrue(codec.tunnel)

    def test_wrong(self) -> None:
        """A wrong answer, and none, is a broken upstream."""
        for octets in (self.switch(b"x"), SWITCH.replace(b"Sec-WebSocket-Accept", b"X-Other")):
            codec, _ = self.ask()
            ((kind, _, error, _),) = codec.receive(octets)
            self.assertEqual((kind, error.status), (FAILED, 502))
            self.assertFalse(codec.tunnel)

    def test_fresh(self) -> None:
        """Two handshakes have two keys."""
        keys = []
        for _ in range(2):
            head = Http2RequestHead(b"GET", b"/", b"a", Headers(()), upgrade=b"websocket")
            keys.append(Http1Protocol().clientCodec().requestHead(head, False)[1])
        self.assertNotEqual(*keys)

    def test_notForOthers(self) -> None:
        """What a client on HTTP/1.1 sends stays unread, its lack too."""
        head = Http1Protocol().serverCodec().receive(ASK.replace(b"Sec-WebSocket-Key", b"K"))[0][2]
        codec = Http1Protocol().clientCodec()
        self.assertNotIn(b"Sec-WebSocket-Key", codec.requestHead(head, False)[1])
        self.assertEqual(codec.receive(SWITCH)[0][0], HEAD)
