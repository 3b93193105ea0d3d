"""Tests of `mosntx.upstream.pools.framed`: as many streams as the host takes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed
from mosntx.protocol.http2.codes import MAX_CONCURRENT_STREAMS
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.contracts.pool import PoolSuite
from mosntx.testing.h2frames import settings
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolOverflow, PoolTimeout
from mosntx.upstream.pools.framed import DEFAULT_CONNECTIONS, FramedLimits, FramedPool
from tests.stream.framed.fakes import Peer, drained, requestHead, responseHead

ADDRESS = "192.0.2.1:80"
REFUSED = ConnectFailed(ADDRESS, "refused")


class FramedTestCase(PoolSuite, SynchronousTestCase):
    """A test with a pool of HTTP/2; runs the contract's tests too."""

    timers = 1  # that looks whether the peer is silent
    streams = 100  # that each upstream takes

    def pool(self, maxConnections: int = 0, maxPending: int = 1024, **limits: Any) -> FramedPool:
        """See `PoolSuite`."""
        self.peers: dict[Any, Peer] = {}
        codec: Any = Http2Protocol().clientCodec
        return FramedPool(
            ADDRESS,
            codec,
            self.connector,
            self.wheel,
            self.stats,
            FramedLimits.of(maxConnections, maxPending=maxPending, **limits),
            WriteTurn(),
        )

    def requestHead(self) -> Any:
        """See `PoolSuite`."""
        return requestHead()

    def peer(self, connection: Any) -> Peer:
        """Return the upstream of a connection."""
        if connection not in self.peers:
            limits = Http2Limits(max_concurrent_streams=self.streams)
            codec = Http2Protocol(limits).serverCodec()
            self.peers[connection] = Peer(connection, codec)
            self.peers[connection].settle()
        return self.peers[connection]

    def response(self, number: int) -> bytes:
        """See `PoolSuite`: of whichever upstream has that stream open."""
        octets = b""
        for attempt in self.connector.attempts:
            peer = self.peer(attempt.connection)
            peer.settle()
            peer.codec.responseHead(number, responseHead(), True)
            octets += drained(peer.codec)
        return octets

    def exchange(self, streams: Any) -> None:
        """See `PoolSuite`."""
        number = streams.open(RecordingResponseSink(), self.requestHead(), True)
        self.answer(streams, number)

    def answer(self, streams: Any, number: int) -> None:
        """Let the upstream answer."""
        peer = self.peer(streams.connection)
        peer.settle()
        peer.codec.responseHead(number, responseHead(), True)
        peer.settle()

    def open(self, streams: Any) -> int:
        """Send a request."""
        number: int = streams.open(RecordingResponseSink(), requestHead(), True)
        return number


class FullTests(FramedTestCase):
    """Hosts that take few streams at a time."""

    streams = 2

    def full(self, pool: FramedPool) -> tuple[Any, list[int]]:
        """Return a connection without room."""
        streams = self.connected(pool)
        self.peer(streams.connection)
        return streams, [self.open(streams), self.open(streams)]

    def test_waitsForRoom(self) -> None:
        """Who finds no room gets it when a stream has ended."""
        pool = self.pool(1)
        streams, numbers = self.full(pool)
        self.assertIsNone(pool.tryCheckout())
        waiting = pool.checkout()
        self.assertEqual((len(self.connector.attempts), pool.waiting), (1, 1))
        self.answer(streams, numbers[0])
        self.assertIs(self.result(waiting), streams)

    def test_waitsNotForEver(self) -> None:
        """The wait is bounded in time."""
        pool = self.pool(1, pendingTimeout=1.0)
        self.full(pool)
        waiting = pool.checkout()
        self.clock.advance(1.1)
        self.failureResultOf(waiting, PoolTimeout)

    def test_another(self) -> None:
        """While there may be more connections another one is made."""
        pool = self.pool(2)
        streams, _ = self.full(pool)
        waiting = pool.checkout()
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[-1].succeed()
        self.assertIsNot(self.result(waiting), streams)

    def test_anotherRefused(self) -> None:
        """Who waits goes on waiting for the one there is; the host is left alone for a while."""
        pool = self.pool(2)
        streams, numbers = self.full(pool)
        waiting = pool.checkout()
        self.connector.attempts[-1].fail(REFUSED)
        self.assertEqual((pool.waiting, len(self.connector.attempts)), (1, 2))
        self.answer(streams, numbers[0])
        self.assertIs(self.result(waiting), streams)

    def test_resetGivesRoom(self) -> None:
        """A stream that is given up makes room too."""
        pool = self.pool(1)
        streams, numbers = self.full(pool)
        waiting = pool.checkout()
        streams.reset(numbers[0], 4)
        self.assertIs(self.result(waiting), streams)

    def test_goneAway(self) -> None:
        """Who waits gets a new connection when the old one takes no more."""
        pool = self.pool(1)
        streams, _ = self.full(pool)
        waiting = pool.checkout()
        peer = self.peer(streams.connection)
        peer.settle()
        peer.codec.goAway()
        peer.settle()
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[-1].succeed()
        self.assertIsNot(self.result(waiting), streams)

    def test_boundedQueue(self) -> None:
        """Of those who wait there are so many at most; the host never gets more than it takes."""
        pool = self.pool(1, maxPending=3)
        streams, numbers = self.full(pool)
        waiting = [pool.checkout() for _ in range(3)]
        self.failureResultOf(pool.checkout(), PoolOverflow)
        self.assertEqual(self.stats.request_pending_overflow, 1)
        for number in numbers:
            self.answer(streams, number)
            self.assertLessEqual(streams.active, 2)
        self.assertIs(self.result(waiting[0]), streams)

    def test_lateSettings(self) -> None:
        """What was sent before the host's SETTINGS were known is not repeated above its limit."""
        pool = self.pool(2)
        streams = self.connected(pool)
        for _ in range(5):
            self.open(streams)
        self.peer(streams.connection)
        self.assertIsNone(pool.tryCheckout())

    def test_maxStreams(self) -> None:
        """A connection that has carried its share is replaced."""
        pool = self.pool(1, maxStreams=1)
        streams = self.connected(pool)
        self.open(streams)
        self.assertIsNone(pool.tryCheckout())
        self.assertIsNot(self.connected(pool), streams)


class NoRoomTests(FramedTestCase):
    """Hosts that take no streams at all for a while."""

    streams = 1

    def test_noStorm(self) -> None:
        """A host whose connections have no room is not dialled again and again."""
        pool = self.pool()
        streams = self.connected(pool)
        peer = self.peer(streams.connection)
        streams.bytesReceived(settings((MAX_CONCURRENT_STREAMS, 0)))
        waiting = pool.checkout()
        self.assertEqual(len(self.connector.attempts), 1)
        streams.bytesReceived(settings((MAX_CONCURRENT_STREAMS, 1)))
        self.assertIs(self.result(waiting), streams)
        peer.settle()

    def test_manyConnections(self) -> None:
        """Without a number each connection that is full is followed by another one."""
        pool = self.pool()
        for count in range(1, 6):
            streams = self.connected(pool) if count == 1 else self.another(pool)
            self.peer(streams.connection)
            self.open(streams)
            self.assertEqual(len(self.connector.attempts), count)

    def another(self, pool: FramedPool) -> Any:
        """Return the connection that is made because all others are full."""
        waiting = pool.checkout()
        self.connector.attempts[-1].succeed()
        return self.result(waiting)


class SilentHostTests(FramedTestCase):
    """Hosts that are there no more, though nobody said so."""

    def test_deadHost(self) -> None:
        """A connection on which no PING is answered is given up; the next request has another."""
        pool = self.pool(1, heartbeatInterval=5.0, heartbeatTimeout=1.0)
        streams = self.connected(pool)
        self.peer(streams.connection)
        sink = RecordingResponseSink()
        streams.open(sink, requestHead(), True)
        for _ in range(60):
            self.clock.advance(1.0)
        self.assertTrue(streams.connection.aborted)
        self.assertIsNone(pool.tryCheckout())
        waiting = pool.checkout()
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[-1].succeed()
        self.assertIsNot(self.result(waiting), streams)
        streams.connection.lose()
        self.assertEqual(sink.parts[-1][0], "reset")

    def test_livingHost(self) -> None:
        """As long as PING is answered nothing happens to a host that is slow to answer requests."""
        pool = self.pool(1, heartbeatInterval=5.0, heartbeatTimeout=1.0)
        streams = self.connected(pool)
        peer = self.peer(streams.connection)
        self.open(streams)
        for _ in range(60):
            self.clock.advance(1.0)
            peer.settle()
        self.assertFalse(streams.connection.closing)
        self.assertIs(pool.tryCheckout(), streams)


class FramedLimitsTests(SynchronousTestCase):
    """The configured number of connections."""

    def test_of(self) -> None:
        """What is not said, or means no limit, is a bound for emergencies."""
        for said, made in ((0, DEFAULT_CONNECTIONS), (7, 7), (2**32 - 1, DEFAULT_CONNECTIONS)):
            limits = FramedLimits.of(said, pendingTimeout=2.0)
            self.assertEqual((limits.connections, limits.pendingTimeout), (made, 2.0))
