"""Tests of `mosntx.stream.framed.base`: who has to wait, at either end."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.base import HIGH_WATER, LOW_WATER
from mosntx.stream.framed.server import FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory
from tests.stream.framed.fakes import Peer, requestHead, responseHead


class CorkTests(SynchronousTestCase):
    """A transport that is full."""

    def setUp(self) -> None:
        """Make a connection with one request."""
        clock = Clock()
        factory = RecordingFactory()
        self.connection = FakeConnection()
        self.server = FramedServer(
            self.connection,
            Http2Protocol(),
            factory,
            TimerWheel(clock, clock.seconds),
            WriteTurn(),
        )
        self.peer = Peer.client(self.connection)
        self.connection.handOver(self.server, b"")
        self.peer.settle()
        self.peer.codec.requestHead(requestHead(), True)
        self.peer.say()
        (self.sink,) = factory.sinks
        self.server.sendHead(self.sink.number, responseHead(), False)
        self.server.flush(self.sink.number)
        self.peer.settle()

    def test_dataWaits(self) -> None:
        """Data waits for the transport; then it goes out and the exchange may go on."""
        self.connection.block()
        self.server.sendData(self.sink.number, b"x" * LOW_WATER, False)
        self.assertEqual((self.connection.written, self.sink.paused), (b"", True))
        self.connection.unblock()
        self.assertGreater(len(self.connection.written), LOW_WATER)
        self.assertFalse(self.sink.paused)

    def test_controlGoesOn(self) -> None:
        """What keeps the connection alive does not wait."""
        self.connection.block()
        self.peer.codec.ping()
        self.peer.say()
        self.assertTrue(self.connection.written)

    def test_notDone(self) -> None:
        """A connection whose data waits is not idle, though its exchange is over."""
        self.connection.block()
        self.server.sendData(self.sink.number, b"x" * HIGH_WATER, True)
        self.assertEqual(self.server.active, 1)
        self.connection.unblock()
        self.peer.settle()
        self.assertEqual(self.server.active, 0)
