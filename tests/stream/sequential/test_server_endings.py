"""Tests of `mosntx.stream.sequential.server`: how connections end."""

from __future__ import annotations

from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    PROTOCOL_ERROR,
)
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stream.sequential.server import DRAIN_GRACE, SequentialServer
from mosntx.testing.net import FakeConnection
from tests.stream.sequential.build import CHUNKED, GET, ServerTestCase, head, post


class LeavingTests(ServerTestCase):
    """Clients that leave, or break the protocol."""

    def test_finWhileBusy(self) -> None:
        """Counts as leaving: the exchange is told, the connection aborted."""
        sink = self.request()
        self.connection.peerFinished()
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))
        self.assertTrue(self.connection.aborted)

    def test_finWhileIdle(self) -> None:
        """Ends the connection."""
        self.request()
        self.answer()
        self.connection.peerFinished()
        self.assertTrue(self.connection.closing)
        self.assertFalse(self.connection.aborted)

    def test_finInAHead(self) -> None:
        """A head that breaks off is nobody's request, and no timer waits for its rest."""
        self.connection.deliver(b"GET / HT")
        self.connection.peerFinished()
        self.assertTrue(self.connection.closing)
        self.assertEqual((self.wheel.active, self.factory.errors), (0, []))

    def test_lostInTheBody(self) -> None:
        """The exchange is told."""
        sink = self.request(post(9, b"abc"))
        self.connection.lose()
        self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))

    def test_badHead(self) -> None:
        """400, and the connection ends lingering."""
        self.connection.deliver(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n")
        self.assertTrue(self.connection.written.startswith(b"HTTP/1.1 400 "))
        self.assertTrue(self.connection.lingering)
        self.assertEqual(len(self.factory.errors), 1)

    def test_badPipelinedHead(self) -> None:
        """It is looked at in its turn: the request before is answered first."""
        self.connection.deliver(GET + b"nonsense\r\n\r\n")
        self.assertEqual(self.factory.errors, [])
        octets = self.answer()
        self.assertLess(octets.index(b"HTTP/1.1 204"), octets.index(b"HTTP/1.1 400"))

    def test_badBody(self) -> None:
        """The exchange is told, the client too when nothing was sent yet."""
        sink = self.request(CHUNKED)
        self.connection.deliver(b"zz\r\n")
        self.assertEqual(sink.parts[-1][:2], ("reset", PROTOCOL_ERROR))
        self.assertTrue(self.connection.written.startswith(b"HTTP/1.1 400 "))
        self.server.sendHead(sink.number, head(), True)
        self.assertEqual(self.connection.written.count(b"HTTP/1.1 "), 1)

    def test_badBodyDuringTheResponse(self) -> None:
        """In the middle of a response nothing else can be said."""
        number = self.request(CHUNKED).number
        self.server.sendHead(number, head(200), False)
        self.server.flush(number)
        self.connection.deliver(b"zz\r\n")
        self.assertEqual(self.connection.written.count(b"HTTP/1.1 "), 1)
        self.assertTrue(self.connection.lingering)


class HeaderDeadlineTests(ServerTestCase):
    """A head that does not end (slowloris)."""

    def test_deadline(self) -> None:
        """408 after the limit, however many octets trickle in."""
        for _ in range(9):
            self.connection.deliver(b"G")
            self.clock.advance(1.0)
        self.assertEqual(self.connection.written, b"")
        self.clock.advance(1.1)
        self.assertTrue(self.connection.written.startswith(b"HTTP/1.1 408 "))
        self.assertTrue(self.connection.closing)

    def test_inTime(self) -> None:
        """A head that ends in time has no deadline any more."""
        self.connection.deliver(GET[:5])
        self.clock.advance(5.0)
        self.connection.deliver(GET[5:])
        self.clock.advance(100.0)
        self.answer()
        self.assertFalse(self.connection.closing)

    def test_idleHasNone(self) -> None:
        """A connection between requests may be silent."""
        self.request()
        self.answer()
        self.clock.advance(1000.0)
        self.assertFalse(self.connection.closing)

    def test_pipelined(self) -> None:
        """The time of a head that came with the request before it runs from that one's end."""
        self.connection.deliver(GET + b"GET / HT")
        self.clock.advance(60.0)
        self.answer()
        self.clock.advance(9.0)
        self.assertEqual(self.connection.written, b"")
        self.clock.advance(2.0)
        self.assertTrue(self.connection.written.startswith(b"HTTP/1.1 408 "))

    def test_off(self) -> None:
        """Without a limit there is no timer."""
        self.connection = FakeConnection()
        protocol = Http1Protocol(Http1Limits(header_timeout=0.0))
        self.server = SequentialServer(self.connection, protocol, self.factory, self.wheel)
        self.connection.handOver(self.server, b"G")
        self.assertEqual(self.wheel.active, 0)


class DrainTests(ServerTestCase):
    """A connection that shall end."""

    def test_idle(self) -> None:
        """It has a moment for a request that is on its way."""
        self.connection.drain()
        self.clock.advance(DRAIN_GRACE - 0.1)
        self.assertFalse(self.connection.closing)
        self.clock.advance(0.2)
        self.assertTrue(self.connection.closing)

    def test_requestOnItsWay(self) -> None:
        """Such a request is served, and told that it is the last."""
        self.connection.drain()
        self.request()
        self.clock.advance(60.0)
        self.assertFalse(self.connection.closing)
        self.assertIn(b"Connection: close", self.answer(head(200)))
        self.assertTrue(self.connection.closing)

    def test_busy(self) -> None:
        """The response under way is the last."""
        self.request()
        self.connection.drain()
        self.clock.advance(60.0)
        self.assertIn(b"Connection: close", self.answer(head(200)))
        self.assertTrue(self.connection.closing)

    def test_headIsOut(self) -> None:
        """A response whose head has gone already cannot say so; the connection ends after it."""
        number = self.request().number
        self.server.sendHead(number, head(200), False)
        self.server.flush(number)
        self.connection.drain()
        self.server.sendData(number, b"", True)
        self.assertTrue(self.connection.closing)

    def test_pipelinedBehind(self) -> None:
        """Then a request that waits is served too, and told."""
        self.connection.deliver(GET + GET)
        number = self.sink.number
        self.server.sendHead(number, head(200), False)
        self.server.flush(number)
        self.connection.drain()
        self.server.sendData(number, b"", True)
        self.connection.clear()
        self.assertEqual(len(self.factory.sinks), 2)
        self.assertIn(b"Connection: close", self.answer(head(200)))
        self.assertTrue(self.connection.closing)

    def test_partialHead(self) -> None:
        """A request that has begun to come is served."""
        self.connection.deliver(GET[:9])
        self.connection.drain()
        self.clock.advance(DRAIN_GRACE + 1.0)
        self.assertFalse(self.connection.closing)
        self.connection.deliver(GET[9:])
        self.answer()
        self.assertTrue(self.connection.closing)

    def test_partialHeadThatNeverEnds(self) -> None:
        """Within its time."""
        self.connection.drain()
        self.connection.deliver(GET[:9])
        self.clock.pump([1.0] * 12)
        self.assertTrue(self.connection.closing)
