"""Tests of `mosntx.proxy.exchange`: tunnels from, to and between HTTP/2."""

from __future__ import annotations

from random import Random
from typing import Any

from mosntx.contracts.filters import UPSTREAM_CONNECTION_FAILURE, UPSTREAM_LOCAL_RESET
from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.contracts.stream import IDLE_TIMEOUT
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2RequestHead
from tests.proxy.build import MeshTestCase, toCluster
from tests.proxy.http2ends import Http1Client, Http1Upstream, Http2Client, Http2End, Http2Upstream

HTTP1, HTTP2 = "Http1", "Http2"
PAIRS = ((HTTP2, HTTP1), (HTTP1, HTTP2), (HTTP2, HTTP2))


class TunnelTestCase(MeshTestCase):
    """A test with a client and an upstream, each of one protocol."""

    def offer(self, speaks: str, onward: str, **settings: Any) -> tuple[Any, Any]:
        """Let a client make an offer."""
        route = toCluster(upstream_protocol=onward, **settings.pop("route", {}))
        proxy = {"downstream_protocol": speaks, **settings.pop("proxy", {})}
        mesh = self.begin(route, proxy=proxy, **settings)
        makeClient: Any = Http2Client if speaks == HTTP2 else Http1Client
        client = makeClient(mesh.client("front"))
        client.ask()
        makeUpstream: Any = Http2Upstream if onward == HTTP2 else Http1Upstream
        return client, makeUpstream(mesh.upstream())

    def tunnel(self, speaks: str, onward: str, **settings: Any) -> tuple[Any, Any]:
        """Let a client and an upstream agree."""
        client, upstream = self.offer(speaks, onward, **settings)
        upstream.agree()
        client.look()
        self.assertEqual(client.status, 101)
        self.assertEnded()
        return client, upstream

    def again(self) -> None:
        """Begin anew in one test."""
        self.tearDown()
        self.mesh = None


class AcceptedTests(TunnelTestCase):
    """Octets both ways, for each pair."""

    def test_random(self) -> None:
        """Octets in any cut arrive the same, in turns or not."""
        for pair in PAIRS:
            client, upstream = self.tunnel(*pair)
            random = Random(7)
            up = down = b""
            for _ in range(200):
                part = random.randbytes(random.randrange(1, 30000))
                if random.random() < 0.5:
                    up += part
                    client.send(part)
                    upstream.look()
                else:
                    down += part
                    upstream.send(part)
                    client.look()
            self.settle(client, upstream)
            self.assertEqual((upstream.got == up, client.got == down), (True, True))
            client.send(b"", True)
            upstream.send(b"", True)
            self.settle(client, upstream)
            self.assertEnded((101, 0))
            self.assertEqual((self.last.bytesReceived, self.last.bytesSent), (len(up), len(down)))
            self.again()

    def settle(self, *ends: Any) -> None:
        """Let everything arrive."""
        for _ in range(5):
            for end in ends:
                end.look()

    def test_eachDirectionEnds(self) -> None:
        """Either end may finish first, and still gets what the other says."""
        for pair in PAIRS:
            for clientFirst in (True, False):
                ends = self.tunnel(*pair)
                first, last = ends if clientFirst else ends[::-1]
                first.send(b"question", True)
                last.look()
                self.assertEqual((last.got, last.ended), (b"question", True))
                self.assertEnded()
                last.send(b"an")
                last.send(b"swer", True)
                first.look()
                self.assertEqual((first.got, first.ended), (b"answer", True))
                self.assertEnded((101, 0))
                self.assertFalse(any(isinstance(end, Http2End) and end.gone for end in ends))
                self.again()

    def test_earlyOctets(self) -> None:
        """What the client sends before the answer goes up after it; an end does too."""
        for pair in PAIRS:
            client, upstream = self.offer(*pair)
            if pair[0] == HTTP2:  # in HTTP/1.1 a client that has finished has left
                client.send(b"early", True)
            else:
                client.send(b"early")
            upstream.agree()
            upstream.look()
            self.assertEqual((upstream.got, upstream.ended), (b"early", pair[0] == HTTP2))
            self.again()

    def test_broken(self) -> None:
        """When one side fails the other is cut, in whatever half."""
        for pair in PAIRS:
            for clientFails in (True, False):
                for halfClosed in (True, False):
                    ends = self.tunnel(*pair)
                    failing, other = ends if clientFails else ends[::-1]
                    if halfClosed:
                        failing.send(b"", True)
                        other.look()
                    failing.reset()
                    self.running.advance(5.0)  # an HTTP/1.1 client that may still send is read
                    other.look()
                    self.assertTrue(other.gone, (pair, clientFails, halfClosed))
                    self.assertEnded((101, 0))
                    self.again()

    def test_keys(self) -> None:
        """The key of HTTP/1.1 does not pass HTTP/2; each side has its own."""
        client, upstream = self.tunnel(HTTP1, HTTP2)
        self.assertIn(b"sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", client.head)
        self.assertIn(b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n", client.head)
        self.assertIsNone(upstream.head.headers.get(b"sec-websocket-key"))
        self.again()
        client, upstream = self.tunnel(HTTP2, HTTP1)
        self.assertIsNone(client.head.headers.get(b"sec-websocket-accept"))
        self.assertTrue(upstream.head.startswith(b"GET /chat HTTP/1.1\r\n"))

    def test_slowReaders(self) -> None:
        """Whoever does not read is not sent more and more, and gets all in the end."""
        for pair in PAIRS:
            client, upstream = self.tunnel(*pair)
            if pair[0] == HTTP2:
                client.codec.pauseData(client.number)
            else:
                client.peer.block()
            sent = 0
            while self.mayGoOn(upstream) and sent < 10_000_000:
                upstream.send(bytes(50_000))
                client.look()
                sent += 50_000
            self.assertLess(sent, 1_000_000)
            if pair[0] == HTTP2:
                client.codec.resumeData(client.number)
            else:
                client.peer.unblock()
            self.settle(client, upstream)
            self.assertEqual(len(client.got), sent)
            self.again()

    def mayGoOn(self, upstream: Any) -> bool:
        """Whether the sidecar takes more from the upstream."""
        if isinstance(upstream, Http2Upstream):
            return bool(upstream.codec.queued(upstream.number) == 0)
        return bool(upstream.peer.reading)

    def test_idle(self) -> None:
        """A tunnel in which nothing moves ends on both sides."""
        for pair in PAIRS:
            client, upstream = self.tunnel(*pair, proxy={"stream_idle_timeout": "20s"})
            for _ in range(5):
                self.running.advance(15.0)
                client.send(b"ping")
                upstream.look()
            self.assertEnded()
            self.running.advance(40.1)
            self.assertEqual(self.witness.resets, [IDLE_TIMEOUT])
            client.look()
            upstream.look()
            self.assertTrue(client.gone and upstream.gone)
            self.again()

    def test_idleHalf(self) -> None:
        """Half a tunnel whose other end never finishes does not stay for ever."""
        for pair in PAIRS:
            for clientFirst in (True, False):
                ends = self.tunnel(*pair, proxy={"stream_idle_timeout": "20s"})
                first, last = ends if clientFirst else ends[::-1]
                first.send(b"bye", True)
                last.look()
                self.assertEnded()
                self.running.advance(45.0)
                first.look()
                last.look()
                self.assertEnded((101, 0))
                self.assertTrue(first.gone and last.gone, (pair, clientFirst))
                self.again()


class RefusedTests(TunnelTestCase):
    """No tunnel, for each pair."""

    def test_refused(self) -> None:
        """A refusal comes down as it is."""
        for pair in PAIRS:
            client, upstream = self.offer(*pair)
            upstream.refuse()
            client.look()
            self.assertEqual((client.status, client.got), (403, b"no"))
            self.assertEnded((403, 0))
            self.again()

    def test_page(self) -> None:
        """A page that an upstream sends instead of a 101 is no yes in HTTP/2, but a 502."""
        client, upstream = self.offer(HTTP2, HTTP1)
        upstream.refuse(200)
        client.look()
        self.assertEqual(client.status, 502)

    def test_wrongAccept(self) -> None:
        """An upstream that does not know the answer to the key is broken."""
        client, upstream = self.offer(HTTP2, HTTP1)
        upstream.agree(accept=b"x")
        client.look()
        self.assertEqual(client.status, 502)
        self.assertEnded((502, UPSTREAM_LOCAL_RESET))

    def test_upstreamTakesNone(self) -> None:
        """An upstream that has not announced extended CONNECT is not asked: 501."""
        mesh = self.begin(toCluster(upstream_protocol=HTTP2))
        client = Http1Client(mesh.client("front"))
        client.ask()
        upstream = Http2Upstream(mesh.upstream(), takesOffers=False)
        client.look()
        self.assertEqual(client.status, 501)
        self.assertIsNone(upstream.head)
        self.assertEnded((501, 0))

    def test_upstreamSaysNothing(self) -> None:
        """Without SETTINGS an offer waits as long as a connect may take; then 502."""
        route = toCluster(upstream_protocol=HTTP2, retry_policy={"num_retries": 1})
        mesh = self.begin(route, cluster={"connect_timeout": "3s"})
        client = Http1Client(mesh.client("front"))
        client.ask()
        mesh.upstream()
        mesh.advance(2.9)
        client.look()
        self.assertEqual(client.status, 0)
        mesh.advance(10.0)
        client.look()
        self.assertEqual(client.status, 502)
        self.assertEnded((502, UPSTREAM_CONNECTION_FAILURE))

    def test_clientLeavesWhileWaiting(self) -> None:
        """A client that does not wait for the SETTINGS leaves nothing behind."""
        mesh = self.begin(toCluster(upstream_protocol=HTTP2))
        client = Http1Client(mesh.client("front"))
        client.ask()
        upstream = mesh.upstream()
        client.reset()
        self.assertEnded((504, 0))
        self.assertIsNone(Http2Upstream(upstream).head)

    def test_upstreamDiesWhileWaiting(self) -> None:
        """The connection ends before it has said what it takes: another one is tried."""
        mesh = self.begin(toCluster(upstream_protocol=HTTP2))
        client = Http1Client(mesh.client("front"))
        client.ask()
        mesh.upstream().reset()
        mesh.advance(1.0)
        upstream = Http2Upstream(mesh.upstream())
        upstream.agree()
        client.look()
        self.assertEqual(client.status, 101)


class ConnectTests(TunnelTestCase):
    """CONNECT in HTTP/2, to a host that speaks anything."""

    def connect(self, **action: Any) -> Http2Client:
        """Let a client ask for a tunnel."""
        mesh = self.begin(toCluster(**action), proxy={"downstream_protocol": HTTP2})
        client = Http2Client(mesh.client("front"))
        tunnel = CONNECT_TUNNEL
        client.ask(Http2RequestHead(b"CONNECT", b"", b"db:5432", Headers(), upgrade=tunnel))
        return client

    def test_connected(self) -> None:
        """Octets go both ways, and each end is one for itself."""
        client = self.connect(allow_connect=True)
        self.assertEqual(client.status, 0)
        upstream = Http1Upstream(self.running.upstream())
        client.look()
        self.assertEqual((client.status, client.head.headers.items()), (200, []))
        client.send(b"question", True)
        upstream.look()
        self.assertEqual((upstream.got, upstream.ended), (b"question", True))
        upstream.send(b"answer", True)
        client.look()
        self.assertEqual((client.got, client.ended), (b"answer", True))
        self.assertEnded((200, 0))

    def test_notAllowed(self) -> None:
        """Where the route does not allow it: 405."""
        self.assertEqual(self.connect().status, 405)

    def test_noHost(self) -> None:
        """A host that cannot be reached is 502."""
        client = self.connect(allow_connect=True, retry_policy={"num_retries": 1})
        for _ in range(2):
            self.running.refuse()
            self.running.advance(1.0)
        client.look()
        self.assertEqual(client.status, 502)

    def test_broken(self) -> None:
        """A host that breaks off breaks the stream off."""
        client = self.connect(allow_connect=True)
        upstream = Http1Upstream(self.running.upstream())
        upstream.reset()
        client.look()
        self.assertTrue(client.gone)
