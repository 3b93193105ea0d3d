"""Tests of `mosntx.stream.framed.server`: streams that become tunnels."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, HEAD, RESET
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.base import HIGH_WATER
from mosntx.stream.framed.server import DRAIN_GRACE, FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.framed.fakes import Peer, offerHead, responseHead


class TunnelTests(SynchronousTestCase):
    """A connection and its client."""

    def setUp(self) -> None:
        """Make both ends, and let the client offer."""
        self.clock = Clock()
        wheel = TimerWheel(self.clock, self.clock.seconds)
        factory = RecordingFactory()
        self.connection = FakeConnection()
        self.server = FramedServer(self.connection, Http2Protocol(), factory, wheel, WriteTurn())
        self.peer = Peer.client(self.connection)
        self.connection.handOver(self.server, b"")
        self.peer.settle()
        self.number, _ = self.peer.codec.requestHead(offerHead(), False)
        self.peer.settle()
        self.sink: RecordingRequestSink = factory.sinks[0]

    def accept(self) -> None:
        """Open the tunnel."""
        self.server.sendHead(self.number, responseHead(101), False)
        self.peer.settle()

    def send(self, data: bytes, end: bool) -> None:
        """Let the client send."""
        self.peer.codec.requestData(self.number, data, end)
        self.peer.settle()

    def test_acceptedAtOnce(self) -> None:
        """The yes does not wait for data, which may not come."""
        self.server.sendHead(self.number, responseHead(101), False)
        self.assertEqual([kind for kind, *_ in self.peer.read()], [HEAD])

    def test_responseEndsFirst(self) -> None:
        """After our end the client may go on, until its own."""
        self.accept()
        self.server.sendData(self.number, b"down", True)
        self.peer.settle()
        self.assertTrue(self.peer.events[-1][3])
        self.assertNotIn(RESET, self.peer.kinds(self.number))
        self.send(b"more", False)
        self.assertEqual(self.server.active, 1)
        self.send(b"", True)
        self.assertEqual(self.sink.body, b"more")
        self.assertEqual(self.sink.parts[-1], ("data", b"", True))
        self.assertEqual(self.server.active, 0)

    def test_requestEndsFirst(self) -> None:
        """After the client's end we may go on, until our own."""
        self.accept()
        self.send(b"up", True)
        self.assertEqual(self.server.active, 1)
        self.server.sendData(self.number, b"down", False)
        self.server.sendData(self.number, b"", True)
        self.peer.settle()
        self.assertEqual(self.server.active, 0)
        data = [part for kind, _, part, _ in self.peer.events if kind == DATA]
        self.assertEqual(b"".join(data), b"down")

    def test_reset(self) -> None:
        """Half a tunnel can be broken off, by us or by the client."""
        for ours in (True, False):
            self.setUp()
            self.accept()
            self.server.sendData(self.number, b"", True)
            self.peer.settle()
            if ours:
                self.server.reset(self.number, LOCAL_RESET)
                self.peer.settle()
                self.assertIn(RESET, self.peer.kinds(self.number))
            else:
                self.peer.codec.reset(self.number, LOCAL_RESET)
                self.peer.settle()
                self.assertEqual(self.sink.parts[-1][0], "reset")
            self.assertEqual(self.server.active, 0)

    def test_refused(self) -> None:
        """A refusal is a whole answer, after which the client may not go on."""
        for body in (b"", b"no"):
            self.setUp()
            self.server.sendHead(self.number, responseHead(403), not body)
            if body:
                self.server.sendData(self.number, body, True)
            self.peer.settle()
            self.assertEqual(self.peer.events[0][2].status, 403)
            self.assertEqual(self.server.active, 0)
            self.assertIn(RESET, self.peer.kinds(self.number))

    def test_noYesByMistake(self) -> None:
        """A page instead of a 101 becomes a 502: over HTTP/2 it would be a yes."""
        self.server.sendHead(self.number, responseHead(200), False)
        self.peer.settle()
        self.assertEqual(self.peer.events[0][2].status, 502)
        self.assertEqual(self.server.active, 0)

    def test_slowClient(self) -> None:
        """A client that does not read pauses its own upstream, and lets it go on later."""
        self.accept()
        self.peer.codec.pauseData(self.number)
        for _ in range(300):
            self.server.sendData(self.number, b"x" * HIGH_WATER, False)
            self.peer.settle()
            if self.sink.paused:
                break
        self.assertTrue(self.sink.paused)
        self.peer.codec.resumeData(self.number)
        self.peer.settle()
        self.assertFalse(self.sink.paused)

    def test_drain(self) -> None:
        """A tunnel keeps a connection that drains, until it has ended."""
        self.accept()
        self.connection.drain()
        self.clock.advance(DRAIN_GRACE + 0.1)
        self.peer.settle()
        self.assertFalse(self.connection.closing)
        self.server.sendData(self.number, b"", True)
        self.peer.settle()
        self.assertFalse(self.connection.closing)
        self.send(b"", True)
        self.assertTrue(self.connection.closing)

    def test_gone(self) -> None:
        """Half a tunnel hears that the client has left."""
        self.accept()
        self.server.sendData(self.number, b"", True)
        self.connection.lose()
        self.assertEqual(self.sink.parts[-1][0], "reset")
        self.assertEqual(self.server.active, 0)
