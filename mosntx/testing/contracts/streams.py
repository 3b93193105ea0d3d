"""What streams on connections keep to, at both ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import TestCase

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mosntx.contracts.net import IBytesReceiver, IConnection
from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
    IClientStreams,
    IConnectionOwner,
    IExchangeFactory,
    IRequestSink,
    IResponseSink,
    IServerStreams,
)
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import (
    RecordingFactory,
    RecordingOwner,
    RecordingRequestSink,
    RecordingResponseSink,
)

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object


class ServerStreamsSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IServerStreams` on accepted connections.

    A subclass defines `server`, `request` and `responseHead`.

    :ivar wheel: for the streams.
    """

    def setUp(self) -> None:
        """Make the clock of each test."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.factory = RecordingFactory()

    def server(self, connection: IConnection, factory: IExchangeFactory) -> Any:
        """Return the streams of a connection that they have not been handed yet."""
        raise NotImplementedError

    def request(self) -> bytes:
        """Return a request without a body that wants an answer."""
        raise NotImplementedError

    def responseHead(self) -> Any:
        """Return the head of a response."""
        raise NotImplementedError

    def served(self) -> tuple[FakeConnection, Any]:
        """Return a connection and its streams."""
        connection = FakeConnection()
        server = self.server(connection, self.factory)
        connection.handOver(server, b"")
        connection.clear()
        return connection, server

    def requested(self) -> tuple[FakeConnection, Any, RecordingRequestSink]:
        """Return a connection, its streams, and the sink of the one request on it."""
        connection, server = self.served()
        connection.deliver(self.request())
        return connection, server, self.factory.sinks[-1]

    def test_interfaces(self) -> None:
        """The streams provide their contracts, and so do the sinks of these tests."""
        _, server, sink = self.requested()
        verifyObject(IServerStreams, server)
        verifyObject(IBytesReceiver, server)
        verifyObject(IRequestSink, sink)
        verifyObject(IExchangeFactory, self.factory)

    def test_request(self) -> None:
        """A request gets a sink of its own, once, with an end."""
        _, server, sink = self.requested()
        self.assertEqual(len(self.factory.sinks), 1)
        self.assertIs(sink.streams, server)
        self.assertTrue(sink.parts[-1][2])

    def test_response(self) -> None:
        """A response reaches the client, and the sink hears nothing more."""
        connection, server, sink = self.requested()
        seen = len(sink.parts)
        server.sendHead(sink.number, self.responseHead(), True)
        self.assertTrue(connection.written)
        connection.lose()
        self.assertEqual(len(sink.parts), seen)

    def test_nextRequest(self) -> None:
        """The connection goes on after a response."""
        connection, server, sink = self.requested()
        server.sendHead(sink.number, self.responseHead(), True)
        connection.deliver(self.request())
        self.assertEqual(len(self.factory.sinks), 2)

    def test_onlyOneResponse(self) -> None:
        """Once the response is complete its number means nothing."""
        connection, server, sink = self.requested()
        server.sendHead(sink.number, self.responseHead(), True)
        connection.clear()
        server.sendHead(sink.number, self.responseHead(), True)
        server.sendData(sink.number, b"x", True)
        server.flush(sink.number)
        server.pauseStream(sink.number)
        server.resumeStream(sink.number)
        server.reset(sink.number, LOCAL_RESET)
        self.assertEqual((connection.written, connection.aborted), (b"", False))

    def test_clientGone(self) -> None:
        """A sink hears once that its client has gone; later answers go nowhere."""
        connection, server, sink = self.requested()
        connection.lose()
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))
        seen = len(sink.parts)
        server.sendHead(sink.number, self.responseHead(), True)
        server.reset(sink.number, LOCAL_RESET)
        self.assertEqual((len(sink.parts), connection.written), (seen, b""))
        self.assertEqual(self.wheel.active, 0)

    def test_reset(self) -> None:
        """A response that is broken off shows, and the sink is not told what it did itself."""
        connection, server, sink = self.requested()
        seen = len(sink.parts)
        server.sendHead(sink.number, self.responseHead(), False)
        server.reset(sink.number, LOCAL_RESET)
        self.assertTrue(connection.written or connection.aborted)
        connection.lose()
        self.assertEqual(len(sink.parts), seen)

    def test_backPressure(self) -> None:
        """A slow client pauses the exchange."""
        connection, _, sink = self.requested()
        connection.block()
        self.assertTrue(sink.paused)
        connection.unblock()
        self.assertFalse(sink.paused)

    def test_drain(self) -> None:
        """A drained connection ends after the response under way."""
        connection, server, sink = self.requested()
        connection.drain()
        self.assertFalse(connection.closing)
        server.sendHead(sink.number, self.responseHead(), True)
        self.clock.advance(60.0)
        self.assertTrue(connection.closing)
        connection.lose()
        self.assertEqual(self.wheel.active, 0)


class ClientStreamsSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IClientStreams` on connections that we opened.

    A subclass defines `client`, `requestHead` and `response`.

    :cvar checksIn: the owner gets the connection back after each stream, as it carries only one.
    """

    checksIn = True

    def setUp(self) -> None:
        """Make the owner of each test's connections."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.owner = RecordingOwner()

    def client(self, owner: IConnectionOwner) -> Any:
        """Return streams for a connection that they have not been handed yet."""
        raise NotImplementedError

    def requestHead(self) -> Any:
        """Return the head of a request without a body that wants an answer."""
        raise NotImplementedError

    def response(self, number: int) -> bytes:
        """Return a complete response for a stream, not empty, after which others may follow."""
        raise NotImplementedError

    def connected(self) -> tuple[FakeConnection, Any]:
        """Return a connection and its streams."""
        connection, client = FakeConnection(), self.client(self.owner)
        connection.handOver(client, b"")
        connection.clear()
        return connection, client

    def opened(self) -> tuple[FakeConnection, Any, RecordingResponseSink, int]:
        """Return a connection, its streams, and sink and number of the one request on it."""
        connection, client = self.connected()
        sink = RecordingResponseSink()
        number = client.open(sink, self.requestHead(), True)
        return connection, client, sink, number

    def test_interfaces(self) -> None:
        """The streams provide their contracts, and so do sink and owner of these tests."""
        _, client, sink, _ = self.opened()
        verifyObject(IClientStreams, client)
        verifyObject(IBytesReceiver, client)
        verifyObject(IResponseSink, sink)
        verifyObject(IConnectionOwner, self.owner)

    def test_open(self) -> None:
        """A request is written at once; the stream is active."""
        connection, client = self.connected()
        self.assertEqual((client.active, client.fresh), (0, True))
        client.open(RecordingResponseSink(), self.requestHead(), True)
        self.assertTrue(connection.written)
        self.assertEqual(client.active, 1)

    def test_response(self) -> None:
        """A response ends the stream; the owner gets the connection back, fit for more."""
        connection, client, sink, number = self.opened()
        connection.deliver(self.response(number))
        self.assertTrue(sink.parts[-1][2])
        self.assertEqual((client.active, client.fresh), (0, False))
        self.assertEqual(self.owner.log, ["checkin"] if self.checksIn else [])

    def test_again(self) -> None:
        """Another stream may follow."""
        connection, client, _, number = self.opened()
        connection.deliver(self.response(number))
        sink = RecordingResponseSink()
        again = client.open(sink, self.requestHead(), True)
        self.assertNotEqual(again, number)
        connection.deliver(self.response(again))
        self.assertTrue(sink.parts[-1][2])

    def test_staleNumber(self) -> None:
        """Calls for a stream that is over change nothing."""
        connection, client, _, number = self.opened()
        connection.deliver(self.response(number))
        client.open(RecordingResponseSink(), self.requestHead(), True)
        connection.clear()
        client.sendData(number, b"x", True)
        client.pauseStream(number)
        client.resumeStream(number)
        client.reset(number, LOCAL_RESET)
        self.assertEqual((client.active, connection.written), (1, b""))
        self.assertTrue(connection.reading)
        self.assertFalse(connection.closing)

    def test_reset(self) -> None:
        """A stream that is given up is silent, whatever comes."""
        connection, client, sink, number = self.opened()
        client.reset(number, LOCAL_RESET)
        self.assertEqual(client.active, 0)
        connection.deliver(self.response(number))
        connection.lose()
        self.assertEqual(sink.parts, [])

    def test_connectionLost(self) -> None:
        """A sink hears once that its stream is dead, the owner once that the connection is."""
        connection, _, sink, _ = self.opened()
        connection.lose()
        self.assertEqual([what for what, *_ in sink.parts], ["reset"])
        self.assertEqual(self.owner.log.count("connectionGone"), 1)

    def test_idleConnectionLost(self) -> None:
        """Without streams only the owner hears of the end."""
        connection, _ = self.connected()
        connection.lose()
        self.assertEqual(self.owner.log, ["connectionGone"])
        self.assertEqual(self.wheel.active, 0)

    def test_backPressure(self) -> None:
        """A slow upstream pauses the exchange."""
        connection, _, sink, _ = self.opened()
        connection.block()
        self.assertTrue(sink.paused)
        connection.unblock()
        self.assertFalse(sink.paused)

    def test_drain(self) -> None:
        """A drained connection ends after its streams; without any at once."""
        connection, client, _, number = self.opened()
        client.drain()
        self.assertFalse(connection.closing)
        connection.deliver(self.response(number))
        self.assertTrue(connection.closing)
        connection, client = self.connected()
        client.drain()
        self.assertTrue(connection.closing)
