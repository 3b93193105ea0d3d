"""Tests of `mosntx.upstream.pools.framed`: as many streams as the host takes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.contracts.pool import PoolSuite
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolTimeout
from mosntx.upstream.pools.framed import FramedLimits, FramedPool
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

    def test_maxStreams(self) -> None:
        """A connection that has carried its share is replaced."""
        pool = self.pool(1, maxStreams=1)
        streams = self.connected(pool)
        self.open(streams)
        self.assertIsNone(pool.tryCheckout())
        self.assertIsNot(self.connected(pool), streams)
