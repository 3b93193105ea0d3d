"""Tests of `mosntx.upstream.pools.pingpong`: one stream at a time on each connection."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.net import LOCAL_CLOSE
from mosntx.net.connector import ConnectFailed, ConnectTimeout
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.contracts.pool import PoolSuite
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolDraining, PoolOverflow, PoolTimeout
from mosntx.upstream.pools.pingpong import PingPongPool, PoolLimits

ADDRESS = "192.0.2.1:80"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class PingPongTestCase(PoolSuite, SynchronousTestCase):
    """A test with a pool of HTTP/1; runs the contract's tests too."""

    def pool(self, maxConnections: int = 0, maxPending: int = 1024, **limits: Any) -> PingPongPool:
        """See `PoolSuite`."""
        return PingPongPool(
            ADDRESS,
            Http1Protocol().clientCodec,
            self.connector,
            self.wheel,
            self.stats,
            PoolLimits(maxConnections=maxConnections, maxPending=maxPending, **limits),
        )

    def requestHead(self) -> Any:
        """See `PoolSuite`."""
        return httpRequest()

    def response(self, number: int) -> bytes:
        """See `PoolSuite`."""
        return OK


class PingPongPoolTests(PingPongTestCase):
    """What is special about it."""

    def test_lastUsedFirst(self) -> None:
        """The connection used last is used first."""
        pool = self.pool()
        first, second, third = (self.connected(pool) for _ in range(3))
        for streams in (second, third, first):
            self.exchange(streams)
        self.assertEqual(pool.idle, 3)
        self.assertIs(pool.tryCheckout(), first)
        self.assertIs(self.result(pool.checkout()), third)
        self.assertIs(pool.tryCheckout(), second)
        self.assertIsNone(pool.tryCheckout())

    def test_maxConnections(self) -> None:
        """At the limit a checkout waits for a connection to come back."""
        pool = self.pool(1)
        streams = self.connected(pool)
        waiting = pool.checkout()
        self.assertEqual(len(self.connector.attempts), 1)
        self.exchange(streams)
        self.assertIs(self.result(waiting), streams)
        self.assertEqual((pool.active, pool.idle, pool.waiting), (1, 0, 0))

    def test_firstComeFirstServed(self) -> None:
        """Those who wait are served in order, each with its own stream."""
        pool = self.pool(1)
        streams = self.connected(pool)
        order: list[int] = []

        def served(_: object, number: int) -> None:
            order.append(number)

        for number in range(3):
            pool.checkout().addCallback(served, number)
        for count in range(1, 4):
            self.exchange(streams)
            self.assertEqual(order, list(range(count)))

    def test_replacement(self) -> None:
        """When a connection ends at the limit, another is made for who waits."""
        pool = self.pool(1)
        streams = self.connected(pool)
        waiting = pool.checkout()
        streams.connection.lose()
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[1].succeed()
        self.assertIsNot(self.result(waiting), streams)

    def test_closingOneIsReplaced(self) -> None:
        """A connection that says close makes room when it has gone."""
        pool = self.pool(1)
        streams = self.connected(pool)
        waiting = pool.checkout()
        number = streams.open(RecordingResponseSink(), httpRequest(), True)
        self.assertTrue(number)
        streams.connection.deliver(LAST)
        self.assertTrue(streams.connection.closing)
        self.assertEqual(len(self.connector.attempts), 1)
        streams.connection.lose()
        self.connector.attempts[1].succeed()
        self.result(waiting)

    def test_overflow(self) -> None:
        """Who finds no place to wait is counted."""
        pool = self.pool(1, 1)
        pool.checkout()
        self.assertTrue(self.result(pool.checkout()).check(PoolOverflow))
        self.assertEqual(self.stats.request_pending_overflow, 1)

    def test_waitingTooLong(self) -> None:
        """Who waits for another's connection has ``pendingTimeout``."""
        pool = self.pool(1, pendingTimeout=2.0, connectTimeout=30.0)
        self.connected(pool)
        waiting = pool.checkout()
        self.clock.advance(1.9)
        self.assertEqual(pool.waiting, 1)
        self.clock.advance(0.2)
        self.assertTrue(self.result(waiting).check(PoolTimeout))

    def test_waitingForAConnect(self) -> None:
        """Who has a connection made for him may wait for that as well."""
        pool = self.pool(pendingTimeout=2.0, connectTimeout=30.0)
        waiting = pool.checkout()
        self.assertEqual(self.connector.attempts[0].timeout, 30.0)
        self.clock.advance(31.9)
        self.assertEqual(pool.waiting, 1)
        self.clock.advance(0.2)
        self.assertTrue(self.result(waiting).check(PoolTimeout))

    def test_eachHasItsOwnConnect(self) -> None:
        """One connect each, one failure each; the others are not concerned."""
        pool = self.pool()
        waiters = [pool.checkout() for _ in range(3)]
        self.assertEqual(len(self.connector.attempts), 3)
        self.connector.attempts[1].fail(ConnectFailed(ADDRESS, "refused"))
        self.connector.attempts[0].fail(ConnectTimeout(ADDRESS, 10.0))
        self.connector.attempts[2].succeed()
        self.assertTrue(self.result(waiters[0]).check(ConnectFailed))
        self.assertTrue(self.result(waiters[1]).check(ConnectTimeout))
        self.assertTrue(self.result(waiters[2]).fresh)
        self.assertEqual(self.stats.connection_con_fail, 1)
        self.assertEqual(self.stats.request_timeout, 1)

    def test_failureAtTheLimit(self) -> None:
        """A connect that fails makes room for the next one's."""
        pool = self.pool(1)
        first, second = pool.checkout(), pool.checkout()
        self.connector.attempts[0].fail(ConnectFailed(ADDRESS, "refused"))
        self.assertTrue(self.result(first).check(ConnectFailed))
        self.connector.attempts[1].succeed()
        self.result(second)

    def test_failureOfNobody(self) -> None:
        """A connect whose waiter has left may fail."""
        pool = self.pool()
        waiting = pool.checkout()
        waiting.cancel()
        self.connector.attempts[0].fail(ConnectFailed(ADDRESS, "refused"))
        self.result(waiting)
        self.assertEqual((pool.active, pool.waiting), (0, 0))

    def test_closedBeforeItCame(self) -> None:
        """A connection may have ended when its Deferred fires: who waits gets another."""
        pool = self.pool()
        waiting = pool.checkout()
        attempt = self.connector.attempts[0]
        attempt.connection.handOver(attempt.receiver, b"")
        attempt.connection.lose()
        attempt.deferred.callback(attempt.connection)
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[1].succeed()
        self.result(waiting)
        self.assertEqual(self.stats.connection_active, 1)

    def test_closedByThePeerWhileIdle(self) -> None:
        """Nobody gets such a connection, from the FIN on."""
        pool = self.pool()
        streams = self.connected(pool)
        self.exchange(streams)
        streams.connection.peerFinished()
        self.assertIsNone(pool.tryCheckout())
        streams.connection.lose()
        self.assertEqual((pool.active, pool.idle), (0, 0))

    def test_maxStreams(self) -> None:
        """A connection serves no more than so many requests."""
        pool = self.pool(maxStreams=2)
        streams = self.connected(pool)
        self.exchange(streams)
        self.assertIs(pool.tryCheckout(), streams)
        self.exchange(streams)
        self.assertTrue(streams.connection.closing)
        self.assertIsNone(pool.tryCheckout())

    def test_abort(self) -> None:
        """Everything may be closed at once."""
        pool = self.pool()
        idle, busy = self.connected(pool), self.connected(pool)
        self.exchange(idle)
        pool.abort()
        for streams in (idle, busy):
            self.assertTrue(streams.connection.aborted)

    def test_drainingGivesNothing(self) -> None:
        """The error says that the pool is closing."""
        pool = self.pool()
        pool.drain()
        self.assertTrue(self.result(pool.checkout()).check(PoolDraining))


class StatsTests(PingPongTestCase):
    """The counters of the host."""

    def test_opened(self) -> None:
        """Connections are counted when they are there."""
        pool = self.pool()
        pool.checkout()
        self.assertEqual(self.stats.connection_total, 0)
        self.connector.attempts[0].succeed()
        self.assertEqual((self.stats.connection_total, self.stats.connection_active), (1, 1))

    def test_closed(self) -> None:
        """By whom, and whether a request was under way. A FIN is the upstream's close."""
        for end, key in (("rst", "remote"), ("fin", "remote"), ("ours", "local")):
            for busy in (0, 1):
                self.setUp()
                streams = self.connected(self.pool())
                if busy:
                    streams.open(RecordingResponseSink(), httpRequest(), True)
                if end == "fin":
                    streams.connection.peerFinished()
                streams.connection.lose(LOCAL_CLOSE if end == "ours" else None)
                found = [
                    getattr(self.stats, f"connection_{key}_close"),
                    getattr(self.stats, f"connection_{key}_close_with_active_request"),
                    self.stats.connection_close,
                    self.stats.connection_active,
                ]
                self.assertEqual(found, [1, busy, 1, 0])

    def test_protocolError(self) -> None:
        """What an upstream does wrong is counted."""
        streams = self.connected(self.pool())
        streams.open(RecordingResponseSink(), httpRequest(), True)
        streams.connection.deliver(b"nonsense\r\n\r\n")
        self.assertEqual(self.stats.response_protocol_error, 1)

    def test_strangers(self) -> None:
        """A connection that never was the pool's changes no counter."""
        streams = self.connected(self.pool())
        self.pool().connectionGone(streams, LOCAL_CLOSE)
        self.assertEqual(self.stats.connection_close, 0)
