"""Tests of `mosntx.stream.sequential.client`: streams that become tunnels."""

from __future__ import annotations

from mosntx.contracts.net import REMOTE_CLOSE
from mosntx.contracts.stream import LOCAL_RESET, UPSTREAM_RESET
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingResponseSink
from tests.stream.sequential.test_client import OK, ClientTestCase

SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


class TunnelTests(ClientTestCase):
    """Each direction has its own end."""

    def ask(self, answer: bytes = SWITCH) -> RecordingResponseSink:
        """Offer WebSocket and get an answer."""
        head = httpRequest()
        head.upgrade = b"websocket"
        sink = RecordingResponseSink()
        self.number = self.client.open(sink, head, False)
        self.connection.clear()
        self.connection.deliver(answer)
        return sink

    def test_bothWays(self) -> None:
        """Octets go as they are."""
        sink = self.ask(SWITCH + b"abc")
        self.client.sendData(self.number, b"def", False)
        self.assertEqual(sink.parts[-1], ("data", b"abc", False))
        self.assertEqual(self.connection.clear(), b"def")
        self.assertEqual(self.client.active, 1)

    def test_requestFirst(self) -> None:
        """After the end of the request the response goes on; then the connection is closed."""
        sink = self.ask()
        self.client.sendData(self.number, b"def", True)
        self.assertTrue(self.connection.writeEnded)
        self.connection.deliver(b"abc")
        self.assertFalse(self.connection.closing)
        self.connection.peerFinished()
        self.assertEqual(sink.parts[-2:], [("data", b"abc", False), ("data", b"", True)])
        self.assertClosed("checkin for good")

    def test_upstreamFirst(self) -> None:
        """After the end of the response the request goes on; then the connection is closed."""
        sink = self.ask()
        self.connection.peerFinished()
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertFalse(self.connection.closing)
        self.client.sendData(self.number, b"def", False)
        self.connection.block()
        self.assertTrue(sink.paused)
        self.connection.unblock()
        self.client.sendData(self.number, b"", True)
        self.assertEqual(self.connection.written, b"def")
        self.assertClosed("checkin for good")

    def test_noHalfClose(self) -> None:
        """Where a transport has only whole ends, the end of the request is both."""
        self.connection.halfCloseable = False
        sink = self.ask()
        self.client.sendData(self.number, b"", True)
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertClosed("checkin for good")

    def test_lostAfterItsEnd(self) -> None:
        """The sink hears that the request can go nowhere."""
        sink = self.ask()
        self.connection.peerFinished()
        self.connection.lose(REMOTE_CLOSE)
        self.assertReset(sink, UPSTREAM_RESET)

    def test_reset(self) -> None:
        """The connection is closed."""
        sink = self.ask()
        self.client.reset(self.number, LOCAL_RESET)
        self.assertClosed("checkin for good")
        self.connection.deliver(b"late")
        self.assertEqual(self.whats(sink), ["head"])

    def test_refused(self) -> None:
        """The connection serves on."""
        sink = self.ask(OK)
        self.assertEqual(self.whats(sink), ["head", "data"])
        self.assertTrue(self.client.reusable)
        self.client.sendData(self.number, b"x", True)
        self.assertEqual((self.connection.written, self.connection.writeEnded), (b"", False))
