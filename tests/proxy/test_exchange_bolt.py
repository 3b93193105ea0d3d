"""Tests of `mosntx.proxy.exchange` with Bolt on both sides, in a whole Sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mosntx.filters.base import StreamFilter
from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltHeartbeatAck,
    boltRequest,
    boltResponse,
)
from mosntx.testing.mesh import MemoryMesh, Peer
from tests.proxy.build import MeshTestCase
from tests.stream.multiplex.fakes import frames, ids, status

SERVICE = [(b"service", b"com.example.Echo:1.0")]

#: Statuses of Bolt.
SUCCESS, UNKNOWN, TIMEOUT = 0, 3, 7


def rpcRoute(name: str = "app", service: str = ".*", **action: Any) -> dict[str, Any]:
    """Return a route for a service."""
    match = {"headers": [{"name": "service", "value": service}]}
    return {"match": match, "route": {"cluster_name": name, **action}}


def request(number: int, content: bytes = b"", **fields: Any) -> bytes:
    """Return a request for the service."""
    return boltRequest(number, content, SERVICE, **fields)


class BoltTestCase(MeshTestCase):
    """A test with a Sidecar for Bolt."""

    def begin(
        self, *routes: Mapping[str, Any], proxy: Mapping[str, Any] | None = None, **settings: Any
    ) -> MemoryMesh:
        """See `MeshTestCase.begin`."""
        proxy = {"downstream_protocol": "bolt", **(proxy or {})}
        return super().begin(*(routes or (rpcRoute(),)), proxy=proxy, **settings)

    def both(self) -> tuple[Peer, Peer]:
        """Return a client and the upstream connection, after one answered request."""
        client = self.running.client("front")
        client.send(request(1))
        upstream = self.running.upstream()
        (number,) = ids(upstream.take())
        upstream.send(boltResponse(number))
        client.take()
        return client, upstream

    def assertAnswer(self, client: Peer, *expected: tuple[int, int]) -> None:
        """Check ids and statuses of what a client has got."""
        got = [(*ids(frame), status(frame)) for frame in frames(client.take())]
        self.assertEqual(got, list(expected))


class ForwardingTests(BoltTestCase):
    """Frames that go through."""

    def test_roundTrip(self) -> None:
        """Only the id differs on the way up; the client gets its own id back."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(request(4711, b"ping"))
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), request(1, b"ping"))
        upstream.send(boltResponse(1, b"pong"))
        self.assertEqual(client.take(), boltResponse(4711, b"pong"))
        self.assertEqual((self.last.status, self.last.flags), (200, 0))
        self.assertEqual((self.last.bytesReceived, self.last.bytesSent), (4, 4))

    def test_manyClients(self) -> None:
        """All clients share one connection; answers find their way back in any order."""
        mesh = self.begin()
        self.both()
        (upstream,) = mesh.peers[1:]
        clients = [mesh.client("front") for _ in range(3)]
        for client in clients:
            client.send(request(7, b"a") + request(8, b"b"))
        numbers = ids(upstream.take())
        self.assertEqual(len(set(numbers)), 6)
        upstream.send(b"".join(boltResponse(one, b"%d" % one) for one in reversed(numbers)))
        for place, client in enumerate(clients):
            first, second = numbers[2 * place : 2 * place + 2]
            self.assertEqual(
                client.take(), boltResponse(8, b"%d" % second) + boltResponse(7, b"%d" % first)
            )
        self.assertEqual(mesh.dialled, [])

    def test_oneway(self) -> None:
        """A one-way request is over when it is sent: no answer, no timer, counters at rest."""
        mesh = self.begin()
        client, upstream = self.both()
        timers = mesh.timers
        client.send(request(9, b"x", oneway=True))
        self.assertEqual(len(frames(upstream.take())), 1)
        self.assertEqual((self.last.status, self.last.request.oneway), (0, True))
        self.assertEqual(mesh.value("request_active"), 0)
        upstream.send(boltResponse(2))
        self.assertEqual(client.take(), b"")
        self.assertEqual(mesh.value("response_late", host="127.0.0.1:9001"), 1)
        self.assertEqual(mesh.timers, timers)

    def test_onewayWaits(self) -> None:
        """One that waits for a connection is sent even when its client has left."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(request(9, b"x", oneway=True))
        client.reset()
        self.assertEqual(len(frames(mesh.upstream().take())), 1)
        self.assertEnded((0, 0))

    def test_onewayFails(self) -> None:
        """One that cannot be sent is dropped, and not tried again."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(request(9, oneway=True))
        mesh.refuse()
        mesh.advance(5.0)
        self.assertEqual((client.take(), client.closed, mesh.dialled), (b"", False, []))
        self.assertEqual((self.last.status, self.last.attempts), (502, 1))

    def test_onewayUnroutable(self) -> None:
        """Nor is one without a route answered."""
        mesh = self.begin(rpcRoute(service="other"))
        client = mesh.client("front")
        client.send(request(9, oneway=True))
        self.assertEqual((client.take(), self.last.status), (b"", 404))

    def test_statuses(self) -> None:
        """What the application says passes as it is; counters see what it means."""
        self.begin()
        client, upstream = self.both()
        for bolt, http in ((0, 200), (4, 503), (7, 504), (16, 502), (6, 500), (1, 500)):
            client.send(request(5))
            (number,) = ids(upstream.take())
            upstream.send(boltResponse(number, status=bolt))
            self.assertAnswer(client, (5, bolt))
            self.assertEqual(self.last.status, http)

    def test_versions(self) -> None:
        """Frames of both versions on one connection, each answered in its own."""
        mesh = self.begin(proxy={"downstream_protocol": "bolt,boltv2"})
        client, upstream = self.both()
        second: dict[str, Any] = {"version": 2, "ver1": 2, "switch": 1}
        client.send(request(5, **second))
        newer = mesh.upstream()
        self.assertEqual(newer.take(), request(1, **second))
        newer.send(boltResponse(1, **second))
        self.assertEqual(client.take(), boltResponse(5, **second))
        client.send(request(6))
        self.assertEqual(len(frames(upstream.take())), 1)


class HeartbeatTests(BoltTestCase):
    """Heartbeats on both legs."""

    def test_clients(self) -> None:
        """A client's heartbeat is answered here, and is no request."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(boltHeartbeat(5))
        self.assertEqual(client.take(), boltHeartbeatAck(5))
        self.assertEqual((mesh.value("request_total"), mesh.dialled), (0, []))

    def test_upstreams(self) -> None:
        """A silent upstream is asked; without answers its connection ends, and is replaced."""
        mesh = self.begin(cluster={"keepalive": {"interval": "5s", "timeout": "1s"}})
        client, upstream = self.both()
        mesh.advance(5.1)
        beat = upstream.take()
        self.assertEqual(beat, boltHeartbeat(2))
        upstream.send(boltHeartbeatAck(2))
        client.send(request(5))
        mesh.advance(1.5)
        self.assertEqual(ids(upstream.take()), [3])
        mesh.advance(6 * 5.2)
        self.assertTrue(upstream.closed)
        self.assertAnswer(client, (5, TIMEOUT))
        client.send(request(6))
        mesh.upstream().send(boltResponse(1))
        self.assertAnswer(client, (6, SUCCESS))
        self.assertEqual(mesh.value("request_total", listener="front"), 3)

    def test_streamsOfDeadUpstream(self) -> None:
        """What is open on a connection that is given up ends as on any that dies."""
        mesh = self.begin(cluster={"keepalive": {"interval": "2s", "timeout": "1s"}})
        client, upstream = self.both()
        client.send(request(5, timeout=60000))
        mesh.advance(14.0)
        self.assertTrue(upstream.closed)
        self.assertAnswer(client, (5, UNKNOWN))


class EndTests(BoltTestCase):
    """Drain and go-away."""

    def test_upstreamGoesAway(self) -> None:
        """The answer under way arrives, the connection ends, the next request makes another."""
        mesh = self.begin()
        client, upstream = self.both()
        client.send(request(5))
        upstream.send(boltGoAway())
        self.assertFalse(upstream.closed)
        client.send(request(6))
        newer = mesh.upstream()
        upstream.send(boltResponse(2, b"old"))
        newer.send(boltResponse(1, b"new"))
        self.assertEqual(client.take(), boltResponse(5, b"old") + boltResponse(6, b"new"))
        mesh.advance(0)
        self.assertEqual((upstream.closed, newer.closed), (True, False))

    def test_wedrain(self) -> None:
        """Clients are told when that is wanted; what is under way is answered first."""
        for wanted in (False, True):
            options = {"extend_config": {"bolt": {"enable_bolt_goaway": wanted}}}
            mesh = self.begin(proxy=options)
            client, upstream = self.both()
            client.send(request(5))
            mesh.sidecar.listeners["front"].drain()
            self.assertEqual(client.take(), boltGoAway() if wanted else b"")
            mesh.advance(1.5)
            self.assertFalse(client.closed)
            upstream.send(boltResponse(2))
            self.assertAnswer(client, (5, SUCCESS))
            self.assertTrue(client.closed)
            self.tearDown()
        self.mesh = None

    def test_clientLeaves(self) -> None:
        """What its requests get later is dropped, counted, and hurts nobody."""
        mesh = self.begin()
        client, upstream = self.both()
        other = mesh.client("front")
        client.send(request(5))
        other.send(request(6))
        first, second = ids(upstream.take())
        client.reset()
        upstream.send(boltResponse(first) + boltResponse(second))
        self.assertAnswer(other, (6, SUCCESS))
        self.assertEqual(mesh.value("response_late", host="127.0.0.1:9001"), 1)
        self.assertFalse(upstream.closed)

    def test_brokenClient(self) -> None:
        """A client with a giant frame loses its connection only."""
        mesh = self.begin()
        client, upstream = self.both()
        giant = request(5, lengths=(0, 0, 0x7FFFFFFF))[:22]
        client.send(request(6) + giant)
        self.assertTrue(client.closed)
        self.assertFalse(upstream.closed)
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 1)


class PressureTests(BoltTestCase):
    """Slow peers."""

    def test_slowUpstream(self) -> None:
        """Who sends to a slow upstream is not read, until it reads again or is gone."""
        mesh = self.begin()
        client, upstream = self.both()
        other = mesh.client("front")
        upstream.block()
        client.send(request(5))
        other.send(request(6, oneway=True))
        self.assertEqual((client.reading, other.reading), (False, False))
        upstream.unblock()
        self.assertEqual((client.reading, other.reading), (True, True))
        upstream.block()
        other.send(request(7, oneway=True))
        upstream.reset()
        self.assertTrue(other.reading)

    def test_slowClient(self) -> None:
        """A slow client is not read; others get their answers."""
        mesh = self.begin()
        client, upstream = self.both()
        other = mesh.client("front")
        client.block()
        self.assertEqual((client.reading, upstream.reading), (False, True))
        other.send(request(6))
        upstream.send(boltResponse(2))
        self.assertAnswer(other, (6, SUCCESS))
        client.unblock()
        self.assertTrue(client.reading)


class ShowingFilter(StreamFilter):
    """Sees bodies, and appends to those of answers."""

    def requestData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter`."""
        exchange.part = data.upper()
        return 0

    def responseData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter`."""
        exchange.part = data + b"!"
        return 0


class FilterTests(BoltTestCase):
    """Filters of bodies."""

    def test_changedBodies(self) -> None:
        """They may replace the content in both directions; empty content is not shown."""
        mesh = self.begin(filters=[ShowingFilter()])
        client = mesh.client("front")
        client.send(request(5, b"ping"))
        upstream = mesh.upstream()
        self.assertEqual(upstream.take(), request(1, b"PING"))
        upstream.send(boltResponse(1, b"pong"))
        self.assertEqual(client.take(), boltResponse(5, b"pong!"))
        client.send(request(6))
        upstream.send(boltResponse(2))
        self.assertAnswer(client, (6, SUCCESS))


class AutoTests(BoltTestCase):
    """One port for all."""

    def test_detection(self) -> None:
        """The first octet says what a connection speaks."""
        mesh = self.begin(
            rpcRoute(),
            {"match": {"prefix": "/"}, "direct_response": {"status": 204}},
            proxy={"downstream_protocol": "Auto"},
        )
        for octets, protocol in ((request(5), "bolt"), (request(5, version=2), "boltv2")):
            client = mesh.client("front")
            client.send(octets[:1])
            client.send(octets[1:])
            upstream = mesh.upstream()
            self.assertEqual(len(upstream.take()), len(octets))
            self.assertEqual(self.witness.exchanges[-1].request.protocol, protocol)
        client = mesh.client("front")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertStatus(client.take(), 204)
        client = mesh.client("front")
        client.send(b"\x99" * 30)
        mesh.advance(20.0)
        self.assertTrue(client.closed)
