"""Tests of `mosntx.stream.sequential.endings`: how tunnels on accepted connections end."""

from __future__ import annotations

from mosntx.contracts.net import REMOTE_CLOSE
from mosntx.contracts.stream import DOWNSTREAM_GONE, LOCAL_RESET
from mosntx.testing.sinks import RecordingRequestSink
from tests.stream.sequential.build import GET, ServerTestCase, head

ASK = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"


class TunnelTests(ServerTestCase):
    """Each direction has its own end."""

    def tunnel(self) -> RecordingRequestSink:
        """Let the exchange accept the offer."""
        sink = self.request(ASK)
        self.server.sendHead(sink.number, head(101), False)
        self.assertTrue(self.connection.clear().startswith(b"HTTP/1.1 101 "))
        return sink

    def test_clientFirst(self) -> None:
        """After the client's end the response goes on; then the connection is closed."""
        sink = self.tunnel()
        self.connection.peerFinished()
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertEqual(self.server.active, 1)
        self.server.sendData(sink.number, b"bye", True)
        self.assertEqual(self.connection.written, b"bye")
        self.assertTrue(self.connection.closing)
        self.assertFalse(self.connection.aborted or self.connection.lingering)

    def test_exchangeFirst(self) -> None:
        """After the response's end the client may go on; then the connection is closed."""
        sink = self.tunnel()
        self.server.sendData(sink.number, b"bye", True)
        self.assertTrue(self.connection.writeEnded)
        self.assertFalse(self.connection.closing)
        self.connection.deliver(b"thanks")
        self.assertEqual(sink.body, b"thanks")
        self.server.pauseStream(sink.number)
        self.assertFalse(self.connection.reading)
        self.server.resumeStream(sink.number)
        self.connection.peerFinished()
        self.connection.peerFinished()
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertTrue(self.connection.closing)

    def test_noHalfClose(self) -> None:
        """Where a transport has only whole ends, the response's end is both."""
        self.connection.halfCloseable = False
        sink = self.tunnel()
        self.server.sendData(sink.number, b"bye", True)
        self.assertEqual(sink.parts[-1], ("data", b"", True))
        self.assertTrue(self.connection.lingering)

    def test_resetAfterTheEnd(self) -> None:
        """When the exchange takes nothing more either, the client hears it at the latest now."""
        sink = self.tunnel()
        self.server.sendData(sink.number, b"bye", True)
        self.server.reset(sink.number, LOCAL_RESET)
        self.assertTrue(self.connection.lingering)
        self.connection.lose()
        self.assertEqual(sink.parts[-1][0], "head")

    def test_reset(self) -> None:
        """An exchange that fails aborts the connection."""
        sink = self.tunnel()
        self.server.reset(sink.number, LOCAL_RESET)
        self.assertTrue(self.connection.aborted)

    def test_lost(self) -> None:
        """The exchange hears of a client that is gone, in every state."""
        sink = self.tunnel()
        self.connection.lose(REMOTE_CLOSE)
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))

    def test_lostAfterItsEnd(self) -> None:
        """So it does after the client's FIN."""
        sink = self.tunnel()
        self.connection.peerFinished()
        self.connection.lose(REMOTE_CLOSE)
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))

    def test_drain(self) -> None:
        """A tunnel goes on while the connection drains."""
        sink = self.tunnel()
        self.server.drain()
        self.clock.advance(60.0)
        self.connection.deliver(b"abc")
        self.assertEqual(sink.body, b"abc")
        self.assertFalse(self.connection.closing)

    def test_early(self) -> None:
        """Octets before the answer are the first data; a paused client stays paused."""
        sink = self.request(ASK + bytes(70000))
        self.assertFalse(self.connection.reading)
        self.server.pauseStream(sink.number)
        self.server.sendHead(sink.number, head(101), False)
        self.assertEqual(sink.body, bytes(70000))
        self.assertFalse(self.connection.reading)
        self.server.resumeStream(sink.number)
        self.assertTrue(self.connection.reading)

    def test_refused(self) -> None:
        """After another status the next request is served."""
        sink = self.request(ASK + GET)
        self.server.sendHead(sink.number, head(403), False)
        self.server.sendData(sink.number, b"no", True)
        self.assertEqual(len(self.factory.sinks), 2)
        self.assertTrue(self.answer().endswith(b"HTTP/1.1 204 No Content\r\n\r\n"))
        self.assertFalse(self.connection.closing)
