"""Tests of `mosntx.stream.framed.server`: clients that do nothing, or nothing any more."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import GOAWAY, RESET
from mosntx.contracts.net import IDLE
from mosntx.contracts.stream import DOWNSTREAM_GONE, IDLE_TIMEOUT
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.server import FramedServer
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive
from mosntx.testing import h2frames as h2
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.framed.fakes import Peer, requestHead, responseHead


class TimeTestCase(SynchronousTestCase):
    """A connection, its client and a clock."""

    engine = "h2"

    def begin(self, keepalive: bool = False) -> None:
        """Make both ends; the client has said nothing."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.factory = RecordingFactory()
        self.connection = FakeConnection()
        self.protocol = Http2Protocol(Http2Limits(), self.engine)
        made = Keepalive(self.wheel, timeout=20.0, silence=60.0, misses=1, idle=False)
        self.server = FramedServer(
            self.connection,
            self.protocol,
            self.factory,
            self.wheel,
            WriteTurn(),
            made if keepalive else None,
        )
        self.peer = Peer.client(self.connection)
        self.connection.handOver(self.server, b"")

    def request(self) -> RecordingRequestSink:
        """Send a request; return its sink."""
        self.peer.codec.requestHead(requestHead(), True)
        self.peer.settle()
        return self.factory.sinks[-1]

    def passes(self, seconds: float, settle: bool = False) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            if settle:
                self.peer.settle()

    def counted(self) -> dict[str, int]:
        """Return the waits that were too long."""
        return {name: count for name, count in self.protocol.counters.waits.items() if count}

    def tearDown(self) -> None:
        """No timer outlives its connection."""
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)


class WaitTests(TimeTestCase):
    """What a client must do in time."""

    def test_silentClient(self) -> None:
        """A client that connects and says nothing is sent away after 10 seconds."""
        self.begin()
        self.passes(9.5)
        self.assertFalse(self.connection.closing)
        self.passes(4.0)
        self.assertTrue(self.connection.closing)
        self.assertEqual(self.counted(), {"preface": 1})

    def test_quietClient(self) -> None:
        """One that has said hello may wait with its first request."""
        self.begin()
        self.peer.settle()
        self.passes(300.0)
        self.assertFalse(self.connection.closing)
        self.assertEqual(self.wheel.active, 0)

    def test_endlessHead(self) -> None:
        """A head that is begun and not ended is the end of the connection."""
        self.begin()
        self.peer.settle()
        self.connection.deliver(h2.headers(1, h2.fieldBlock(h2.GET), whole=False))
        self.passes(9.5)
        self.assertFalse(self.connection.closing)
        self.passes(4.0)
        self.assertTrue(self.connection.closing)
        self.assertEqual(self.counted(), {"headers": 1})

    def test_closedWindow(self) -> None:
        """A stream that the client does not take is reset; its exchange hears why, others go on."""
        self.begin()
        self.peer.settle()
        slow, other = self.request(), self.request()
        self.peer.codec.pauseData(slow.number)
        self.server.sendHead(slow.number, responseHead(), False)
        for _ in range(3):
            self.server.sendData(slow.number, b"x" * 65536, False)
            self.peer.settle()
        self.passes(59.0, settle=True)
        self.assertEqual(slow.parts[-1][0], "head")
        self.passes(8.0, settle=True)
        self.assertEqual(slow.parts[-1][:2], ("reset", IDLE_TIMEOUT))
        self.assertIn(RESET, self.peer.kinds(slow.number))
        self.assertEqual(self.counted(), {"stream_window": 1})
        self.server.sendHead(other.number, responseHead(), True)
        self.assertEqual(self.server.active, 0)
        self.assertFalse(self.connection.closing)

    def test_closedWindows(self) -> None:
        """A client that takes nothing at all is left, even after the last part was handed over."""
        self.begin()
        self.connection.deliver(h2.PREFACE + h2.settings((4, 1 << 20)) + h2.request())
        sink = self.factory.sinks[-1]
        self.server.sendHead(sink.number, responseHead(), False)
        self.server.sendData(sink.number, b"x" * 100000, True)
        self.assertEqual(self.server.active, 1)
        self.passes(59.0)
        self.assertFalse(self.connection.closing)
        self.passes(8.0)
        self.assertTrue(self.connection.closing)
        self.assertEqual(self.counted(), {"connection_window": 1})

    def test_fullTransport(self) -> None:
        """While the transport is full windows are not waited for."""
        self.begin()
        self.connection.deliver(h2.PREFACE + h2.settings((4, 1 << 20)) + h2.request())
        sink = self.factory.sinks[-1]
        self.server.sendHead(sink.number, responseHead(), False)
        self.server.sendData(sink.number, b"x" * 100000, True)
        self.connection.block()
        self.passes(300.0)
        self.assertFalse(self.connection.closing)


class WaitOfNgh2Tests(WaitTests):
    """The same with the engine ngh2."""

    engine = "ngh2"


class KeepaliveTests(TimeTestCase):
    """Clients that are there no more."""

    def test_deadClient(self) -> None:
        """A client that answers no PING while a request is under way is given up."""
        self.begin(keepalive=True)
        self.peer.settle()
        sink = self.request()
        self.passes(79.0)
        self.assertFalse(self.connection.aborted)
        self.passes(20.0)
        self.assertTrue(self.connection.aborted)
        self.connection.lose()
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))
        self.assertEqual(self.counted(), {"ping": 1})

    def test_livingClient(self) -> None:
        """One that answers may wait for its response as long as it likes."""
        self.begin(keepalive=True)
        self.peer.settle()
        self.request()
        self.passes(600.0, settle=True)
        self.assertFalse(self.connection.closing)
        self.assertEqual(self.counted(), {})

    def test_idleClient(self) -> None:
        """Without requests under way nobody is asked: that is the idle timeout's business."""
        self.begin(keepalive=True)
        self.peer.settle()
        sink = self.request()
        self.server.sendHead(sink.number, responseHead(), True)
        self.peer.settle()
        written = self.connection.bytesWritten
        self.passes(600.0)
        self.assertEqual(self.connection.bytesWritten, written)
        self.assertFalse(self.connection.closing)


class IdleTests(TimeTestCase):
    """Connections that are closed as idle."""

    def test_goodbye(self) -> None:
        """The client is told which request was the last, so that it may send a new one again."""
        self.begin()
        self.peer.settle()
        sink = self.request()
        self.server.sendHead(sink.number, responseHead(), True)
        self.peer.settle()
        for handler in self.connection.handlers:
            handler.connectionEvent(self.connection, IDLE)
        said: list[Any] = [(kind, part) for kind, _, part, _ in self.peer.read()]
        self.assertEqual(said, [(GOAWAY, sink.number)])
