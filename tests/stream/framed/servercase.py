"""An accepted connection of HTTP/2 and its client, in memory."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.server import FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.framed.fakes import Peer, requestHead


class ServerTestCase(SynchronousTestCase):
    """A test with a connection and its client."""

    def begin(
        self, factory: RecordingFactory | None = None, limits: Http2Limits | None = None
    ) -> None:
        """Make both ends."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.factory = factory or RecordingFactory()
        self.connection = FakeConnection()
        self.server = FramedServer(
            self.connection, Http2Protocol(limits), self.factory, self.wheel, WriteTurn()
        )
        self.peer = Peer.client(self.connection)
        self.connection.handOver(self.server, b"")
        self.peer.settle()

    def request(self, end: bool = True) -> RecordingRequestSink:
        """Send a request; return its sink."""
        self.peer.codec.requestHead(requestHead(), end)
        self.peer.say()
        return self.factory.sinks[-1]
