"""Tests of `mosntx.proxy.exchange` with Bolt on both sides: answers that we make."""

from __future__ import annotations

from typing import Any

from mosntx.router.tables import RouterSlot
from mosntx.testing.frames import boltResponse
from tests.proxy.test_exchange_bolt import (
    SUCCESS,
    TIMEOUT,
    UNKNOWN,
    BoltTestCase,
    request,
    rpcRoute,
)
from tests.stream.multiplex.fakes import OurMistakeError, frames, ids, status

#: Further statuses of Bolt.
BUSY, NO_PROCESSOR = 4, 6


class LocalReplyTests(BoltTestCase):
    """Answers that we make: with the id of the request and the status of spec/proxy.md 7."""

    def test_noRoute(self) -> None:
        """A service that no route knows; any id comes back."""
        mesh = self.begin(rpcRoute(service="other"))
        client = mesh.client("front")
        for number in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF):
            client.send(request(number))
            self.assertAnswer(client, (number, NO_PROCESSOR))

    def test_noHost(self) -> None:
        """A cluster without hosts."""
        mesh = self.begin(hosts=0)
        client = mesh.client("front")
        client.send(request(5))
        self.assertAnswer(client, (5, NO_PROCESSOR))

    def test_connectFails(self) -> None:
        """A host that refuses: all who wait are told when repetitions are of no use."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(request(5) + request(6))
        mesh.refuse()
        for _ in range(200):
            mesh.advance(0.05)
            while mesh.dialled:
                mesh.refuse()
        got = sorted((*ids(frame), status(frame)) for frame in frames(client.take()))
        self.assertEqual(got, [(5, NO_PROCESSOR), (6, NO_PROCESSOR)])
        self.assertEqual(self.last.status, 502)

    def test_connectTimeout(self) -> None:
        """A host that never answers."""
        mesh = self.begin(cluster={"connect_timeout": "2s"})
        client = mesh.client("front")
        client.send(request(5, timeout=60000))
        mesh.advance(30.0)
        self.assertAnswer(client, (5, NO_PROCESSOR))

    def test_overflow(self) -> None:
        """Too many requests at a time, or too many that wait."""
        for limits in ({"max_requests": 1}, {"max_pending_requests": 1}):
            mesh = self.begin(cluster={"circuit_breakers": [limits]})
            client = mesh.client("front")
            client.send(request(5) + request(6))
            self.assertAnswer(client, (6, BUSY))
            mesh.upstream().send(boltResponse(1))
            self.assertAnswer(client, (5, SUCCESS))
            self.tearDown()
        self.mesh = None

    def test_timeout(self) -> None:
        """The frame's timeout rules, not the route's; an answer that comes later is dropped."""
        mesh = self.begin(rpcRoute(timeout="60s"))
        client, upstream = self.both()
        client.send(request(5, timeout=500) + request(6, timeout=90000))
        early, late = ids(upstream.take())
        mesh.advance(0.45)
        self.assertAnswer(client)
        mesh.advance(0.1)
        self.assertAnswer(client, (5, TIMEOUT))
        self.assertEqual(self.last.status, 504)
        upstream.send(boltResponse(early))
        self.assertAnswer(client)
        self.assertEqual(mesh.value("response_late", host="127.0.0.1:9001"), 1)
        mesh.advance(80.0)
        upstream.send(boltResponse(late))
        self.assertAnswer(client, (6, SUCCESS))

    def test_routeTimeout(self) -> None:
        """Without a timeout in the frame the route's counts."""
        mesh = self.begin(rpcRoute(timeout="2s"))
        client, _ = self.both()
        client.send(request(5, timeout=-1) + request(6, timeout=0))
        mesh.advance(1.9)
        self.assertAnswer(client)
        mesh.advance(0.2)
        got = sorted((*ids(frame), status(frame)) for frame in frames(client.take()))
        self.assertEqual(got, [(5, TIMEOUT), (6, TIMEOUT)])

    def test_upstreamDies(self) -> None:
        """A connection that dies with requests on it; the next request makes a new one."""
        mesh = self.begin()
        client, upstream = self.both()
        client.send(request(5) + request(6))
        upstream.reset()
        self.assertAnswer(client, (5, UNKNOWN), (6, UNKNOWN))
        self.assertEqual(self.last.status, 500)
        client.send(request(7))
        mesh.upstream().send(boltResponse(1))
        self.assertAnswer(client, (7, SUCCESS))

    def test_upstreamBreaksProtocol(self) -> None:
        """An upstream that talks nonsense."""
        mesh = self.begin()
        client, upstream = self.both()
        client.send(request(5))
        upstream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertAnswer(client, (5, NO_PROCESSOR))
        self.assertTrue(upstream.closed)
        self.assertEqual(mesh.value("response_protocol_error", host="127.0.0.1:9001"), 1)

    def test_directResponse(self) -> None:
        """A route that answers itself, with the status that MOSN makes of HTTP's."""
        statuses = (
            (200, SUCCESS),
            (404, NO_PROCESSOR),
            (503, BUSY),
            (504, TIMEOUT),
            (500, UNKNOWN),
        )
        for code, answer in statuses:
            route = {**rpcRoute(), "direct_response": {"status": code, "body": "not sent"}}
            mesh = self.begin(route)
            client = mesh.client("front")
            client.send(request(5))
            self.assertAnswer(client, (5, answer))
            self.tearDown()
        self.mesh = None

    def test_ourMistake(self) -> None:
        """A mistake of ours hits one request, not its neighbours on either connection."""
        mesh = self.begin()
        client, upstream = self.both()

        def route(slot: RouterSlot, head: Any, source: str = "") -> None:
            raise OurMistakeError

        proxy = self.last.listener
        slot, proxy.router = proxy.router, type("Broken", (), {"route": route})()
        client.send(request(5))
        proxy.router = slot
        client.send(request(6))
        self.assertAnswer(client, (5, UNKNOWN))
        (number,) = ids(upstream.take())
        upstream.send(boltResponse(number))
        self.assertAnswer(client, (6, SUCCESS))
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)
        self.assertFalse(mesh.dialled)

    def test_mistakeOnTheWayDown(self) -> None:
        """Likewise when an answer is handed on: the upstream connection of all others stays."""
        self.begin()
        client, upstream = self.both()
        client.send(request(5) + request(6))
        first, second = ids(upstream.take())
        route = self.witness.exchanges[1].route
        self.witness.exchanges[1].route = Unusable(route)
        upstream.send(boltResponse(first) + boltResponse(second))
        self.assertAnswer(client, (5, UNKNOWN), (6, SUCCESS))
        self.assertFalse(upstream.closed)
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)


class Unusable:
    """A route that cannot rewrite responses, though it should."""

    def __init__(self, route: Any) -> None:
        self._route = route
        self.failed = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._route, name)

    @property
    def rewriteResponse(self) -> None:
        """Fail once: the local reply that follows is to work."""
        if not self.failed:
            self.failed = True
            raise OurMistakeError
