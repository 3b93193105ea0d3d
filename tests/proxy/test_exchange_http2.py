"""Exchanges with HTTP/2 on one side: 100-continue, GOAWAY, requests that an upstream refused."""

from __future__ import annotations

from typing import Any

from mosntx.contracts.codec import DATA, HEAD, INFORMATIONAL
from mosntx.contracts.stream import REFUSED
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.testing import h2frames
from mosntx.testing.mesh import Peer
from tests.proxy.build import OK, MeshTestCase, response, toCluster

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EXPECTING = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"

#: Targets that nobody may spell in another way, each without and with a query (MOSN's cases).
TARGETS = [
    path + query
    for path in (b"/", b"/abc", b"/aa%20bb", b"/aa%20bb%26cc", b"/abc+def", b"/10%25", b"/1%41")
    for query in (b"", b"?k=v%20w")
]


class Http2Peer:
    """A peer that speaks HTTP/2.

    :ivar events: all that it has heard.
    """

    def __init__(self, peer: Peer, codec: Any) -> None:
        self.peer = peer
        self.codec = codec
        self.events: list[Any] = []
        self.settle()

    def settle(self) -> None:
        """Let octets go back and forth until there are none."""
        while True:
            said = b""
            while more := self.codec.bytesToSend():
                said += more
            if said:
                self.peer.send(said)
            heard = self.peer.take()
            self.events += self.codec.receive(heard) if heard else []
            if not said and not heard:
                return

    def heard(self) -> list[tuple[int, Any]]:
        """Return and forget kind and part of what was heard; the status instead of a head."""
        events = [(kind, getattr(part, "status", part)) for kind, _, part, _ in self.events]
        self.events.clear()
        return events

    def post(self, *fields: tuple[bytes, bytes], end: bool = False) -> int:
        """Send the head of a request; return its number."""
        head = Http2RequestHead(b"POST", b"/", b"a", Headers(fields))
        number, _ = self.codec.requestHead(head, end)
        self.settle()
        return int(number)

    def answer(self, number: int, body: bytes) -> None:
        """Send a response."""
        self.codec.responseHead(number, Http2ResponseHead(200, Headers([])), False)
        self.codec.responseData(number, body, True)
        self.settle()


class FromHttp1Tests(MeshTestCase):
    """Clients of HTTP/1.1, an upstream of HTTP/2."""

    def connect(self, request: bytes) -> tuple[Peer, Http2Peer]:
        """Send a request; return both ends."""
        client, upstream = self.get(request)
        return client, Http2Peer(upstream, Http2Protocol().serverCodec())

    def start(self, **action: Any) -> None:
        """Start the Sidecar."""
        self.begin(toCluster(upstream_protocol="Http2", **action))

    def test_expectContinue(self) -> None:
        """100 is ours to say; the upstream is not asked, and its own is not passed on."""
        self.start()
        client, upstream = self.connect(EXPECTING)
        self.assertEqual(client.take(), CONTINUE)
        _, number, head, end = upstream.events.pop()
        self.assertEqual((head.headers.get(b"expect"), end), (None, False))
        upstream.codec.responseInformational(number, Http2ResponseHead(100, Headers([])))
        upstream.settle()
        self.assertEqual(client.take(), b"")
        client.send(b"abc")
        upstream.settle()
        self.assertEqual(b"".join(part for kind, part in upstream.heard() if kind == DATA), b"abc")
        upstream.answer(number, b"ok")
        self.assertStatus(client.take(), 200)

    def test_targets(self) -> None:
        """Path and query reach the upstream octet by octet (scenarios 4 and 5)."""
        self.start()
        client, upstream = self.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _, number, _, _ = upstream.events.pop()
        for target in TARGETS:
            upstream.answer(number, b"")
            client.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % target)
            upstream.settle()
            _, number, head, _ = upstream.events.pop()
            self.assertEqual(head.path, target)

    def test_refused(self) -> None:
        """A request that was not looked at is sent once more; the client notices nothing."""
        self.start()
        client, upstream = self.connect(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")
        for answered in (False, True):
            heads = [number for kind, number, *_ in upstream.events if kind == HEAD]
            self.assertEqual(len(heads), 1)
            upstream.events.clear()
            if answered:
                upstream.answer(heads[0], b"ok")
            else:
                upstream.peer.send(h2frames.rstStream(heads[0], h2frames.REFUSED_STREAM))
                upstream.settle()
        self.assertStatus(client.take(), 200)

    def test_refusedForEver(self) -> None:
        """The first repetition is hidden, the others are the route's: then it is a failure."""
        self.start(retry_policy={"retry_on": True, "num_retries": 1})
        client, upstream = self.connect(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for number in (1, 3, 5):
            upstream.peer.send(h2frames.rstStream(number, h2frames.REFUSED_STREAM))
            upstream.settle()
            self.running.advance(0.05)
        self.assertEqual(len([kind for kind, *_ in upstream.events if kind == HEAD]), 3)
        self.assertStatus(client.take(), 503)
        self.assertEqual(self.witness.resets, [REFUSED])


class FromHttp2Tests(MeshTestCase):
    """A client of HTTP/2, upstreams of HTTP/1.1."""

    def connect(self) -> Http2Peer:
        """Start the Sidecar; return the client."""
        self.begin(toCluster(upstream_protocol="Http1"), proxy={"downstream_protocol": "Http2"})
        return Http2Peer(self.running.client("front"), Http2Protocol().clientCodec())

    def test_expectContinue(self) -> None:
        """100 is ours to say; the upstream is not asked, and its own is not passed on."""
        client = self.connect()
        number = client.post((b"content-length", b"3"), (b"expect", b"100-continue"))
        self.assertEqual(client.heard(), [(INFORMATIONAL, 100)])
        upstream = self.running.upstream()
        self.assertNotIn(b"xpect", upstream.take())
        upstream.send(CONTINUE)
        client.settle()
        self.assertEqual(client.heard(), [])
        client.codec.requestData(number, b"abc", True)
        client.settle()
        self.assertEqual(upstream.take(), b"abc")
        upstream.send(OK)
        client.settle()
        self.assertEqual(client.heard(), [(HEAD, 200), (DATA, b"ok")])

    def test_expectContinueRefused(self) -> None:
        """A request that is refused is not asked for its body."""
        self.begin(toCluster(prefix="/known"), proxy={"downstream_protocol": "Http2"})
        client = Http2Peer(self.running.client("front"), Http2Protocol().clientCodec())
        client.post((b"content-length", b"3"), (b"expect", b"100-continue"))
        self.assertEqual(client.heard()[0], (HEAD, 404))

    def test_targets(self) -> None:
        """Path and query reach the upstream octet by octet (scenario 5)."""
        client = self.connect()
        upstream = None
        for target in TARGETS:
            head = Http2RequestHead(b"GET", target, b"a", Headers())
            client.codec.requestHead(head, True)
            client.settle()
            upstream = upstream or self.running.upstream()
            self.assertEqual(upstream.take().split(b"\r\n")[0], b"GET %b HTTP/1.1" % target)
            upstream.send(OK)

    def test_directResponse(self) -> None:
        """A route may answer by itself, its cluster without hosts or not (scenario 44)."""
        for status in (200, 500):
            route = {**toCluster(), "direct_response": {"status": status, "body": "mosn"}}
            self.begin(route, hosts=0, proxy={"downstream_protocol": "Http2"})
            client = Http2Peer(self.running.client("front"), Http2Protocol().clientCodec())
            client.post(end=True)
            self.assertEqual(client.heard(), [(HEAD, status), (DATA, b"mosn")])
            self.tearDown()
        self.mesh = None

    def test_goAway(self) -> None:
        """A client that says it will ask no more gets what it asked for, then it is over."""
        client = self.connect()
        client.post(end=True)
        client.peer.send(h2frames.goAway())
        client.settle()
        self.assertFalse(client.peer.closed)
        self.running.upstream().send(response(b"still here"))
        client.settle()
        self.assertIn((DATA, b"still here"), client.heard())
        self.assertTrue(client.peer.closed)

    def test_goAwayWhileIdle(self) -> None:
        """Without a request under way it is over at once."""
        client = self.connect()
        client.peer.send(h2frames.goAway())
        self.assertTrue(client.peer.closed)
