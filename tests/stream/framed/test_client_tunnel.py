"""Tests of `mosntx.stream.framed.client`: streams that become tunnels."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, RESET
from mosntx.contracts.stream import CONNECTION_TERMINATION, LOCAL_RESET, REMOTE_RESET
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.base import HIGH_WATER
from mosntx.stream.framed.client import FramedClient
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingOwner, RecordingResponseSink
from tests.stream.framed.fakes import Peer, offerHead, responseHead


class ClientTestCase(SynchronousTestCase):
    """A connection and its upstream."""

    def setUp(self) -> None:
        """Make both ends; nothing has been read yet."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.owner = RecordingOwner()
        self.connection = FakeConnection()
        codec: Any = Http2Protocol().clientCodec()
        self.client = FramedClient(codec, self.owner, self.wheel, WriteTurn(), settingsTimeout=3.0)
        self.peer = Peer.server(self.connection)
        self.connection.handOver(self.client, b"")


class SettledTests(ClientTestCase):
    """Whether the upstream takes offers."""

    def test_settled(self) -> None:
        """It is unknown until SETTINGS have come."""
        self.assertIsNone(self.client.takesOffers)
        waiting = self.client.settled()
        self.assertNoResult(waiting)
        self.peer.settle()
        self.assertIs(self.successResultOf(waiting), self.client)
        self.assertTrue(self.client.takesOffers)

    def test_gone(self) -> None:
        """A connection that ends has said nothing; nor does one that has ended."""
        waiting = self.client.settled()
        self.connection.lose()
        self.failureResultOf(waiting, ConnectionLost)
        self.failureResultOf(self.client.settled(), ConnectionLost)


class TunnelTests(ClientTestCase):
    """A tunnel, or none."""

    def setUp(self) -> None:
        """Make an offer."""
        super().setUp()
        self.peer.settle()
        self.sink: Any = RecordingResponseSink()
        self.number = self.client.open(self.sink, offerHead(), False)
        self.peer.settle()

    def accept(self) -> None:
        """Let the upstream accept."""
        self.peer.codec.responseHead(self.number, responseHead(101), False)
        self.peer.settle()

    def answer(self, data: bytes, end: bool) -> None:
        """Let the upstream send."""
        self.peer.codec.responseData(self.number, data, end)
        self.peer.settle()

    def sent(self) -> bytes:
        """Return what the upstream has got."""
        return b"".join(part for kind, _, part, _ in self.peer.events if kind == DATA)

    def test_responseEndsFirst(self) -> None:
        """After the upstream's end we may go on, until our own."""
        self.accept()
        self.answer(b"down", True)
        self.assertEqual(self.client.active, 1)
        self.client.sendData(self.number, b"up", False)
        self.client.sendData(self.number, b"!", True)
        self.peer.settle()
        self.assertEqual((self.sink.body, self.sent()), (b"down", b"up!"))
        self.assertTrue(self.peer.events[-1][3])
        self.assertNotIn(RESET, self.peer.kinds(self.number))
        self.assertEqual((self.client.active, self.client.capacity), (0, 100))

    def test_requestEndsFirst(self) -> None:
        """After our end the upstream may go on, until its own."""
        self.accept()
        self.client.sendData(self.number, b"up", True)
        self.answer(b"down", False)
        self.assertEqual(self.client.active, 1)
        self.answer(b"", True)
        self.assertEqual((self.sink.body, self.sent()), (b"down", b"up"))
        self.assertEqual((self.client.active, self.client.capacity), (0, 100))

    def test_lastOctetsWait(self) -> None:
        """What waits for the upstream's window arrives, though its end has come before."""
        self.accept()
        self.peer.codec.pauseData(self.number)
        octets = bytes(200_000)
        self.client.sendData(self.number, octets, True)
        self.answer(b"", True)
        self.assertEqual(self.client.active, 0)
        self.peer.codec.resumeData(self.number)
        self.peer.settle()
        self.assertEqual(self.sent(), octets)

    def test_refused(self) -> None:
        """A refusal is the end, and the upstream is told not to wait."""
        for body in (b"", b"no"):
            self.setUp()
            self.peer.codec.responseHead(self.number, responseHead(403), not body)
            if body:
                self.peer.codec.responseData(self.number, body, True)
            self.peer.settle()
            self.assertEqual(self.sink.parts[0][1].status, 403)
            self.assertTrue(self.sink.parts[-1][2])
            self.assertIn(RESET, self.peer.kinds(self.number))
            self.assertEqual((self.client.active, self.client.capacity), (0, 100))

    def test_reset(self) -> None:
        """Half a tunnel can be broken off, by us or by the upstream."""
        for ours in (True, False):
            self.setUp()
            self.accept()
            self.answer(b"", True)
            if ours:
                self.client.reset(self.number, LOCAL_RESET)
                self.peer.settle()
                self.assertIn(RESET, self.peer.kinds(self.number))
            else:
                self.peer.codec.responseReset(self.number, LOCAL_RESET)
                self.peer.settle()
                self.assertEqual(self.sink.parts[-1][:2], ("reset", REMOTE_RESET))
            self.assertEqual((self.client.active, self.client.capacity), (0, 100))

    def test_slowUpstream(self) -> None:
        """An upstream that does not read pauses its own client, and lets it go on later."""
        self.accept()
        self.peer.codec.pauseData(self.number)
        for _ in range(300):
            self.client.sendData(self.number, b"x" * HIGH_WATER, False)
            self.peer.settle()
            if self.sink.paused:
                break
        self.assertTrue(self.sink.paused)
        self.peer.codec.resumeData(self.number)
        self.peer.settle()
        self.assertFalse(self.sink.paused)

    def test_drain(self) -> None:
        """A tunnel keeps a connection that drains, until both directions have ended."""
        self.accept()
        self.client.drain()
        self.answer(b"", True)
        self.assertFalse(self.connection.closing)
        self.client.sendData(self.number, b"", True)
        self.assertTrue(self.connection.closing)

    def test_gone(self) -> None:
        """Half a tunnel hears that the upstream has left."""
        self.accept()
        self.answer(b"", True)
        self.connection.lose()
        self.assertEqual(self.sink.parts[-1][:2], ("reset", CONNECTION_TERMINATION))
