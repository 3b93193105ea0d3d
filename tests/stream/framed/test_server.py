"""Tests of `mosntx.stream.framed.server`: framed streams of one client."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, GOAWAY, HEAD, RESET
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IExchangeFactory,
)
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2ResponseHead
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.base import HIGH_WATER
from mosntx.stream.framed.server import DRAIN_GRACE, LAST_WORDS, FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ServerStreamsSuite
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.framed.fakes import OurMistakeError, Peer, drained, requestHead, responseHead
from tests.stream.framed.servercase import ServerTestCase


class FramedServerSuiteTests(ServerStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    def served(self) -> tuple[FakeConnection, Any]:
        """See `ServerStreamsSuite`: the first SETTINGS have come."""
        connection = FakeConnection()
        server = self.server(connection, self.factory)
        peer = Peer.client(connection)
        self.client = peer.codec
        connection.handOver(server, b"")
        peer.settle()
        return connection, server

    def server(self, connection: IConnection, factory: IExchangeFactory) -> Any:
        """See `ServerStreamsSuite`."""
        return FramedServer(connection, Http2Protocol(), factory, self.wheel, WriteTurn())

    def request(self) -> bytes:
        """See `ServerStreamsSuite`."""
        self.client.requestHead(requestHead(), True)
        return drained(self.client)

    def responseHead(self) -> Any:
        """See `ServerStreamsSuite`."""
        return responseHead()


class FramedServerReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: Any) -> Any:
        """See `ReceiverSuite`."""
        factory = RecordingFactory()
        return FramedServer(connection, Http2Protocol(), factory, self.wheel, WriteTurn())


class BreakingSink(RecordingRequestSink):
    """Fails at data."""

    def requestData(self, data: bytes, end: bool) -> None:
        """Fail."""
        raise OurMistakeError


class BreakingFactory(RecordingFactory):
    """The first sink fails."""

    def newExchange(self, streams: Any, number: int) -> RecordingRequestSink:
        """See `IExchangeFactory.newExchange`."""
        if self.sinks:
            return super().newExchange(streams, number)
        sink = BreakingSink(streams, number)
        self.sinks.append(sink)
        return sink


class ServerTests(ServerTestCase):
    """A connection and its client."""

    def test_parts(self) -> None:
        """Parts of several streams reach their sinks, in any order; so do responses."""
        self.begin()
        first, second = self.request(False), self.request(False)
        self.peer.codec.requestData(second.number, b"2", True)
        self.peer.codec.requestData(first.number, b"1", False)
        self.peer.codec.requestTrailers(first.number, Headers([(b"x", b"y")]))
        self.peer.say()
        self.assertEqual([first.body, second.body], [b"1", b"2"])
        self.assertEqual(first.parts[-1][0], "trailers")
        for sink in (second, first):
            self.server.sendHead(sink.number, responseHead(), False)
            self.server.sendData(sink.number, b"%d" % sink.number, True)
        self.peer.settle()
        data = [part for kind, _, part, _ in self.peer.events if kind == DATA]
        self.assertEqual(b"".join(data), b"31")
        self.assertEqual(self.server.active, 0)

    def test_headWaits(self) -> None:
        """A head without end goes out with its data, or when it is flushed."""
        self.begin()
        sink = self.request()
        self.server.sendHead(sink.number, responseHead(), False)
        self.assertEqual(self.connection.written, b"")
        self.server.flush(sink.number)
        self.assertEqual([kind for kind, *_ in self.peer.read()], [HEAD])

    def test_earlyResponse(self) -> None:
        """After a complete response the rest of the request is not wanted."""
        self.begin()
        sink = self.request(False)
        self.server.sendHead(sink.number, responseHead(413), True)
        self.peer.settle()
        self.assertIn(RESET, self.peer.kinds(sink.number))
        self.assertEqual(self.server.active, 0)

    def test_clientResets(self) -> None:
        """The sink hears of it once, and its answer goes nowhere."""
        self.begin()
        sink = self.request(False)
        self.peer.codec.reset(sink.number, LOCAL_RESET)
        self.peer.settle()
        self.assertEqual(sink.parts[-1][0], "reset")
        self.server.sendHead(sink.number, responseHead(), True)
        self.assertEqual(self.connection.written, b"")

    def test_slowStream(self) -> None:
        """A stream whose window is used up pauses its own exchange only."""
        self.begin()
        slow, other = self.request(), self.request()
        self.peer.codec.pauseData(slow.number)
        self.server.sendHead(slow.number, responseHead(), False)
        for _ in range(300):
            self.server.sendData(slow.number, b"x" * HIGH_WATER, False)
            self.peer.settle()
            if slow.paused:
                break
        self.assertEqual((slow.paused, other.paused), (True, False))
        self.peer.codec.resumeData(slow.number)
        self.peer.settle()
        self.assertFalse(slow.paused)

    def test_headThatCannotBeSaid(self) -> None:
        """The client gets a 502 instead, what follows is dropped, and others go on."""
        self.begin()
        sink, other = self.request(), self.request()
        self.server.sendHead(
            sink.number, Http2ResponseHead(200, Headers.trusted([(b"no token", b"x")])), False
        )
        self.server.sendData(sink.number, b"body", True)
        self.server.sendHead(other.number, responseHead(), True)
        self.peer.settle()
        told = [(part.status, end) for kind, _, part, end in self.peer.events if kind == HEAD]
        self.assertEqual(told, [(502, False), (200, True)])
        data = [part for kind, _, part, _ in self.peer.events if kind == DATA]
        self.assertEqual(b"".join(data), b"the response cannot be sent on\n")
        self.assertEqual(self.server.active, 0)

    def test_trailersThatCannotBeSaid(self) -> None:
        """The response ends without them."""
        self.begin()
        sink = self.request()
        self.server.sendHead(sink.number, responseHead(), False)
        self.server.sendTrailers(sink.number, Headers.trusted([(b"no token", b"x")]))
        self.peer.settle()
        self.assertEqual([each[3] for each in self.peer.events], [False, True])
        self.assertEqual(self.server.active, 0)

    def test_ourMistake(self) -> None:
        """It is the end of one stream only."""
        self.begin(BreakingFactory())
        broken, other = self.request(False), self.request()
        self.peer.codec.requestData(broken.number, b"x", False)
        self.peer.say()
        self.assertEqual(broken.parts[-1][:2], ("reset", LOCAL_RESET))
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)
        self.server.sendHead(other.number, responseHead(), True)
        self.peer.settle()
        self.assertEqual(self.peer.kinds(broken.number), [RESET])
        self.assertEqual(self.peer.kinds(other.number), [HEAD])

    def test_brokenProtocol(self) -> None:
        """The client is told, everybody else too, and the connection ends."""
        self.begin()
        sink = self.request(False)
        self.connection.deliver(b"\xff" * 100)
        self.assertEqual(sink.parts[-1][:2], ("reset", PROTOCOL_ERROR))
        self.assertTrue(self.connection.closing)
        self.assertTrue(self.connection.written)
        self.assertNotIn(FAILED, [kind for kind, *_ in self.peer.read()])
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_drainInTwoSteps(self) -> None:
        """Requests that were on their way are served; then the connection ends with the last."""
        self.begin()
        sink = self.request()
        self.connection.drain()
        late = self.request()
        self.assertIsNot(late, sink)
        self.clock.advance(DRAIN_GRACE + 0.1)
        self.assertFalse(self.connection.closing)
        for each in (sink, late):
            self.server.sendHead(each.number, responseHead(), True)
        self.assertTrue(self.connection.closing)

    def test_drainWaitsNotForTheClient(self) -> None:
        """A client that keeps its side open after the last answer does not hold the daemon."""
        self.begin()
        self.connection.drain()
        self.clock.advance(DRAIN_GRACE + 0.1)
        self.assertTrue(self.connection.lingering)
        self.assertEqual(self.connection.quiet, LAST_WORDS)

    def test_lastRequest(self) -> None:
        """After so many requests the client has been told to leave: the last answer ends it."""
        self.begin(limits=Http2Limits(max_requests_per_connection=2))
        for closing in (False, True):
            sink = self.request()
            self.assertFalse(self.connection.closing)
            self.server.sendHead(sink.number, responseHead(), True)
            self.assertEqual(self.connection.closing, closing)
        self.assertIn(GOAWAY, [kind for kind, *_ in self.peer.read()])

    def test_gone(self) -> None:
        """All exchanges hear that the client has left."""
        self.begin()
        sinks = [self.request(), self.request(False)]
        self.connection.lose()
        for sink in sinks:
            self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))

    def test_heartbeat(self) -> None:
        """The client answers; a connection that ends says so."""
        self.begin()
        answers: list[int | None] = []
        self.server.heartbeat(answers.append)
        self.peer.settle()
        self.assertEqual(answers, [0])
        self.server.heartbeat(answers.append)
        self.connection.lose()
        self.server.heartbeat(answers.append)
        self.assertEqual(answers, [0, None, None])
