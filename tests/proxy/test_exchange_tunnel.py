"""Tests of `mosntx.proxy.exchange`: requests that become tunnels (WebSocket)."""

from __future__ import annotations

from random import Random
from typing import Any

from mosntx.contracts.filters import CONTINUE, REPLIED, IExchange
from mosntx.contracts.stream import IDLE_TIMEOUT
from mosntx.filters.base import StreamFilter
from mosntx.testing.mesh import Peer
from mosntx.testing.requests import httpRequest
from tests.proxy.build import GET, OK, MeshTestCase, response, toCluster
from tests.proxy.fakes import ExchangeTestCase, head

UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
ASK = b"GET /chat HTTP/1.1\r\n" + UPGRADE + b"Host: a\r\nSec-WebSocket-Key: k\r\n\r\n"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\n" + UPGRADE + b"Sec-WebSocket-Accept: x\r\n\r\n"


class TunnelTestCase(MeshTestCase):
    """A test with a tunnel."""

    def tunnel(self, *routes: Any, **settings: Any) -> tuple[Peer, Peer]:
        """Let a client and an upstream agree."""
        self.begin(*routes, **settings)
        client, upstream = self.get(ASK)
        self.assertEqual(upstream.take(), ASK)
        upstream.send(SWITCH)
        self.assertEqual(client.take(), SWITCH)
        self.assertEnded()
        return client, upstream

    def assertTunnelled(self, received: int, sent: int) -> None:
        """Check the accounts of the one exchange."""
        self.assertEnded((101, 0))
        self.assertEqual((self.last.bytesReceived, self.last.bytesSent), (received, sent))


class AcceptedTests(TunnelTestCase):
    """Octets both ways."""

    def test_random(self) -> None:
        """Octets in any cut arrive the same, in turns or not."""
        client, upstream = self.tunnel()
        random = Random(7)
        up = down = gotUp = gotDown = b""
        for _ in range(300):
            part = random.randbytes(random.randrange(1, 3000))
            if random.random() < 0.5:
                up += part
                client.send(part)
            else:
                down += part
                upstream.send(part)
            gotUp += upstream.take()
            gotDown += client.take()
        self.assertEqual((gotUp, gotDown), (up, down))
        client.finish()
        upstream.finish()
        self.assertTunnelled(len(up), len(down))
        self.assertTrue(client.closed and upstream.closed)

    def test_earlyOctets(self) -> None:
        """What the client sent before the answer goes up after it, and not before."""
        self.begin()
        client, upstream = self.get(ASK + b"early")
        self.assertEqual(upstream.take(), ASK)
        client.send(b"more")
        self.assertEqual(upstream.take(), b"")
        upstream.send(SWITCH + b"hello")
        self.assertEqual(client.take(), SWITCH + b"hello")
        self.assertEqual(upstream.take(), b"earlymore")

    def test_manyEarlyOctets(self) -> None:
        """A client that does not wait is not read on and on."""
        self.begin()
        client, upstream = self.get(ASK + bytes(70000))
        self.assertFalse(client.reading)
        upstream.take()
        upstream.send(SWITCH)
        self.assertTrue(client.reading)
        self.assertEqual(upstream.take(), bytes(70000))

    def test_clientEndsFirst(self) -> None:
        """The client's FIN goes up; what the upstream still says comes down."""
        client, upstream = self.tunnel()
        client.send(b"question")
        client.finish()
        self.assertEqual(upstream.take(), b"question")
        self.assertTrue(upstream.transport.writeEnded)
        self.assertFalse(upstream.transport.disconnecting or client.closed)
        upstream.send(b"answer")
        upstream.finish()
        self.assertEqual(client.take(), b"answer")
        self.assertTunnelled(8, 6)
        self.assertTrue(client.transport.disconnecting and upstream.transport.disconnecting)

    def test_upstreamEndsFirst(self) -> None:
        """The upstream's FIN goes down; what the client still says goes up."""
        client, upstream = self.tunnel()
        upstream.send(b"answer")
        upstream.finish()
        self.assertEqual(client.take(), b"answer")
        self.assertTrue(client.transport.writeEnded)
        self.assertFalse(client.transport.disconnecting or upstream.closed)
        client.send(b"thanks")
        self.assertEqual(upstream.take(), b"thanks")
        client.finish()
        self.assertTunnelled(6, 6)
        self.assertTrue(client.transport.disconnecting and upstream.transport.disconnecting)

    def test_upstreamDiesAfterItsEnd(self) -> None:
        """When nobody can take what the client says any more, the client is closed."""
        client, upstream = self.tunnel()
        upstream.finish()
        upstream.reset()
        self.assertEnded((101, 0))
        self.assertTrue(client.closed)

    def test_resets(self) -> None:
        """The end of one side by a failure ends the other."""
        client, upstream = self.tunnel()
        upstream.send(b"abc")
        upstream.reset()
        self.assertTrue(client.closed)
        self.assertTunnelled(0, 3)
        client, upstream = self.get(ASK)
        upstream.send(SWITCH)
        client.reset()
        self.assertTrue(upstream.closed)
        self.assertEnded((101, 0), (101, 0))

    def test_backPressure(self) -> None:
        """Who reads slowly slows the other side down, both ways."""
        client, upstream = self.tunnel()
        client.block()
        self.assertFalse(upstream.reading)
        self.assertTrue(client.reading)
        client.unblock()
        self.assertTrue(upstream.reading)
        upstream.block()
        self.assertFalse(client.reading)
        upstream.unblock()
        self.assertTrue(client.reading)

    def test_drain(self) -> None:
        """Draining waits for a tunnel, which goes on."""
        client, upstream = self.tunnel()
        mesh = self.running
        mesh.sidecar.listeners["front"].drain()
        mesh.advance(5.0)
        client.send(b"abc")
        self.assertEqual(upstream.take(), b"abc")
        upstream.finish()
        client.finish()
        self.assertTunnelled(3, 0)


class TimeTests(TunnelTestCase):
    """How long things may take."""

    def test_noAnswer(self) -> None:
        """The route's timeout is the time for the answer to the offer."""
        self.begin(toCluster(timeout="5s"))
        client, _ = self.get(ASK)
        self.running.advance(5.1)
        self.assertStatus(client.take(), 504)

    def test_idle(self) -> None:
        """No timeout but that for idle streams ends a tunnel."""
        client, upstream = self.tunnel(
            toCluster(timeout="5s"), proxy={"stream_idle_timeout": "20s"}
        )
        for _ in range(10):
            self.running.advance(15.0)
            client.send(b"ping")
        self.assertEnded()
        self.running.advance(40.1)
        self.assertEqual(self.witness.resets, [IDLE_TIMEOUT])
        self.assertTunnelled(40, 0)
        self.assertTrue(client.closed and upstream.closed)


class RefusedTests(TunnelTestCase):
    """Upstreams, routes and filters that do not agree."""

    def test_connectionsStayUsable(self) -> None:
        """A refusal is a response like any other; both connections serve on."""
        self.begin()
        client, upstream = self.get(ASK + GET)
        self.assertEqual(upstream.take(), ASK)
        upstream.send(response(b"no", b"403 Forbidden"))
        self.assertEqual(client.take(), response(b"no", b"403 Forbidden"))
        self.assertEqual(upstream.take(), GET)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertFalse(client.closed or upstream.closed)
        self.assertEnded((403, 0), (200, 0))

    def test_directResponse(self) -> None:
        """A route that answers itself does not know of the offer."""
        self.begin({"match": {"prefix": "/"}, "direct_response": {"status": 204}})
        client = self.running.client("front")
        client.send(ASK + ASK)
        self.assertEqual(client.take().count(b"HTTP/1.1 204 "), 2)
        self.assertFalse(client.closed)

    def test_notHttp(self) -> None:
        """A cluster of an RPC protocol cannot change to anything."""
        self.begin(toCluster(upstream_protocol="bolt"))
        client = self.running.client("front")
        client.send(ASK)
        self.assertStatus(client.take(), 501)
        self.assertFalse(client.closed)

    def test_retry(self) -> None:
        """An offer that did not reach anybody, or was refused, is made again."""
        self.begin(toCluster(retry_policy={"retry_on": True, "num_retries": 2}))
        client = self.running.client("front")
        client.send(ASK)
        self.running.refuse()
        self.running.advance(0.05)
        upstream = self.running.upstream()
        upstream.take()
        upstream.send(response(b"", b"503 Service Unavailable"))
        self.running.advance(0.05)
        self.assertEqual(upstream.take(), ASK)
        upstream.send(SWITCH)
        self.assertEqual(client.take(), SWITCH)

    def test_clientLeavesBeforeTheAnswer(self) -> None:
        """The upstream's connection is given up."""
        self.begin()
        client, upstream = self.get(ASK)
        client.finish()
        self.assertTrue(upstream.closed)
        self.assertEnded((504, 0))


class ReplacingFilter(StreamFilter):
    """Does something with the head of a 101."""

    def __init__(self, status: int) -> None:
        self.status = status

    def responseHead(self, exchange: IExchange, head: Any, end: bool) -> int:
        """See `IStreamFilter.responseHead`."""
        if self.status == 403:
            exchange.reply(403, b"no")
            return REPLIED
        head.status = self.status
        return CONTINUE


class FilterTests(TunnelTestCase):
    """Filters and tunnels."""

    def test_filterRefuses(self) -> None:
        """A filter may answer in place of the upstream."""
        self.begin(filters=[ReplacingFilter(403)])
        client, upstream = self.get(ASK)
        upstream.send(SWITCH)
        self.assertStatus(client.take(), 403)
        self.assertTrue(upstream.closed)
        self.assertFalse(client.closed)

    def test_filterChangesTheStatus(self) -> None:
        """A tunnel shown as something else is none: both sides end."""
        self.begin(filters=[ReplacingFilter(200)])
        client, upstream = self.get(ASK)
        upstream.send(SWITCH)
        self.assertTrue(client.closed and upstream.closed)

    def test_payloadLimit(self) -> None:
        """What goes through a tunnel is no body that could be too large."""
        limit = {"type": "payload_limit", "config": {"max_entity_size": 3, "http_status": 413}}
        client, upstream = self.tunnel(filters=[limit])
        client.send(b"more than three")
        self.assertEqual(upstream.take(), b"more than three")


CONNECT = b"CONNECT db:5432 HTTP/1.1\r\nHost: db:5432\r\nProxy-Connection: keep-alive\r\n\r\n"
CONNECTED = b"HTTP/1.1 200 OK\r\n\r\n"


class ConnectTests(TunnelTestCase):
    """CONNECT, where a route allows it."""

    def test_bothWays(self) -> None:
        """The host gets the octets behind the head, and nothing of the head."""
        self.begin(toCluster(allow_connect=True, request_headers_to_remove=["x"]))
        client, upstream = self.get(CONNECT + b"early")
        self.assertEqual(client.take(), CONNECTED)
        self.assertEqual(upstream.take(), b"early")
        upstream.send(b"answer")
        client.send(b"more")
        self.assertEqual((client.take(), upstream.take()), (b"answer", b"more"))
        client.finish()
        self.assertTrue(upstream.transport.writeEnded)
        upstream.finish()
        self.assertEnded((200, 0))
        self.assertEqual((self.last.bytesReceived, self.last.bytesSent), (9, 6))
        self.assertTrue(client.closed and upstream.closed)

    def test_secondTunnel(self) -> None:
        """Each tunnel has a connection of its own, and none is that of a request."""
        mesh = self.begin(toCluster(allow_connect=True))
        client, upstream = self.get()
        upstream.take()
        upstream.send(OK)
        client.send(CONNECT)
        first = mesh.upstream()
        other, second = self.get(CONNECT)
        self.assertEqual(other.take(), CONNECTED)
        client.send(b"1")
        other.send(b"2")
        self.assertEqual((first.take(), second.take(), upstream.take()), (b"1", b"2", b""))

    def test_hostThatSpeaksFirst(self) -> None:
        """Its greeting comes behind the 200."""
        self.begin(toCluster(allow_connect=True))
        client, upstream = self.get(CONNECT)
        upstream.send(b"220 hello")
        self.assertEqual(client.take(), CONNECTED + b"220 hello")

    def test_noHost(self) -> None:
        """A connect that fails is repeated, then answered; the connection serves on."""
        mesh = self.begin(toCluster(allow_connect=True, retry_policy={"num_retries": 1}))
        client = mesh.client("front")
        client.send(CONNECT)
        mesh.refuse()
        mesh.advance(0.05)
        mesh.refuse()
        self.assertStatus(client.take(), 502)
        client.send(GET)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)

    def test_notAllowed(self) -> None:
        """Elsewhere it is refused, and what follows is the next request."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(CONNECT + GET)
        self.assertStatus(client.take(), 405)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)


class AnyProtocolTests(ExchangeTestCase):
    """The exchange asks for nothing of HTTP/1: it waits, and knows both ends, by itself."""

    def offer(self) -> Any:
        """Let an offer come, and early data."""
        exchange = self.begin()
        request = httpRequest()
        request.upgrade = b"websocket"
        exchange.requestHead(request, False)
        exchange.requestData(b"early", False)
        return exchange

    def test_earlyData(self) -> None:
        """Data before the answer is held, and the client paused."""
        exchange = self.offer()
        self.assertEqual(self.up.sent, [("head", b"GET", False)])
        self.assertTrue(self.down.paused)
        exchange.responseHead(head(101), False)
        self.assertFalse(self.down.paused)
        self.assertEqual(self.up.sent[1:], [("data", b"early", False)])
        exchange.responseData(b"", True)
        exchange.requestData(b"late", True)
        self.assertEqual(self.up.sent[2:], [("data", b"late", True)])
        self.assertOver(101)

    def test_endBeforeTheAnswer(self) -> None:
        """A client may have said all before it is answered."""
        exchange = self.offer()
        exchange.requestData(b"", True)
        exchange.responseHead(head(101), False)
        self.assertEqual(self.up.sent[1:], [("data", b"early", False), ("data", b"", True)])
        exchange.responseData(b"answer", True)
        self.assertOver(101)

    def test_refused(self) -> None:
        """Early data of a refused offer goes nowhere."""
        exchange = self.offer()
        exchange.responseHead(head(403), False)
        exchange.responseData(b"no", True)
        self.assertEqual(self.up.sent, [("head", b"GET", False)])
        self.assertOver(403)
