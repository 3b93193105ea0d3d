"""Tests of `mosntx.upstream.pools.multiplex`: many streams on few connections."""

from __future__ import annotations

import traceback
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import LOCAL_CLOSE
from mosntx.contracts.stream import IFrameConnectionOwner
from mosntx.net.connector import ConnectFailed, ConnectTimeout
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.stream.keepalive import MISSES
from mosntx.testing.contracts.pool import PoolSuite
from mosntx.testing.frames import boltGoAway, boltResponse
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolDraining, PoolOverflow, PoolTimeout
from mosntx.upstream.pools.multiplex import (
    FIRST_BACKOFF,
    LAST_BACKOFF,
    MOST_CONNECTIONS,
    MultiplexLimits,
    MultiplexPool,
)
from tests.stream.multiplex.fakes import ids, requestHead

ADDRESS = "192.0.2.1:80"
REFUSED = ConnectFailed(ADDRESS, "refused")


class MultiplexTestCase(PoolSuite, SynchronousTestCase):
    """A test with a pool of Bolt; runs the contract's tests too."""

    timers = 1  # that looks whether the peer is silent

    def pool(self, maxConnections: int = 0, maxPending: int = 1024, **limits: Any) -> MultiplexPool:
        """See `PoolSuite`."""
        return MultiplexPool(
            ADDRESS,
            BoltProtocol().clientCodec,
            self.connector,
            self.wheel,
            self.stats,
            MultiplexLimits.of(maxConnections, maxPending=maxPending, **limits),
        )

    def requestHead(self) -> Any:
        """See `PoolSuite`."""
        return requestHead()

    def response(self, number: int) -> bytes:
        """See `PoolSuite`."""
        return boltResponse(number)

    def open(self, streams: Any) -> tuple[RecordingResponseSink, int]:
        """Send a request."""
        sink = RecordingResponseSink()
        return sink, streams.open(sink, requestHead(), True)


class LimitsTests(SynchronousTestCase):
    """The configured number of connections."""

    def test_one(self) -> None:
        """One unless a sensible number is configured: xDS writes 2^32 - 1 for "no limit"."""
        for configured, connections in (
            (0, 1),
            (1, 1),
            (7, 7),
            (MOST_CONNECTIONS, MOST_CONNECTIONS),
            (MOST_CONNECTIONS + 1, 1),
            (0xFFFFFFFF, 1),
        ):
            self.assertEqual(MultiplexLimits.of(configured).connections, connections)


class OneConnectionTests(MultiplexTestCase):
    """The usual case: one connection for all."""

    def test_shared(self) -> None:
        """Everybody gets the same connection, also while others use it."""
        pool = self.pool()
        verifyObject(IFrameConnectionOwner, pool)
        waiters = [pool.checkout() for _ in range(3)]
        self.assertEqual((len(self.connector.attempts), pool.waiting), (1, 3))
        self.connector.attempts[0].succeed()
        streams = {self.result(waiter) for waiter in waiters}
        self.assertEqual(len(streams), 1)
        (only,) = streams
        opened = [self.open(only) for _ in range(3)]
        self.assertIs(pool.tryCheckout(), only)
        self.assertEqual((pool.active, pool.idle), (1, 0))
        for _, number in opened:
            only.connection.deliver(boltResponse(number))
        self.assertEqual((pool.active, pool.idle), (0, 1))
        self.assertEqual(len(self.connector.attempts), 1)

    def test_lost(self) -> None:
        """A connection that ends is replaced when somebody asks."""
        pool = self.pool()
        streams = self.connected(pool)
        sink, _ = self.open(streams)
        streams.connection.lose()
        self.assertEqual([what for what, *_ in sink.parts], ["reset"])
        self.assertEqual(len(self.connector.attempts), 1)
        self.assertIsNot(self.connected(pool), streams)
        self.assertEqual(self.stats.connection_remote_close_with_active_request, 1)
        self.assertEqual((self.stats.connection_total, self.stats.connection_active), (2, 1))

    def test_retryFindsAnother(self) -> None:
        """Who is reset by a lost connection does not get the same one again."""
        pool = self.pool()
        streams = self.connected(pool)
        sink = RecordingResponseSink()
        found: list[Any] = []
        sink.responseReset = (  # type: ignore[method-assign]
            lambda reason: found.append(pool.tryCheckout())
        )
        streams.open(sink, requestHead(), True)
        streams.connection.lose()
        self.assertEqual(found, [None])

    def test_lateAnswers(self) -> None:
        """Answers that nobody waits for are counted."""
        pool = self.pool()
        streams = self.connected(pool)
        self.exchange(streams)
        streams.connection.deliver(boltResponse(1) + boltResponse(4711))
        self.assertEqual(self.stats.response_late, 2)

    def test_goAway(self) -> None:
        """After a go-away others get a new connection; the old one ends with its last stream."""
        pool = self.pool()
        old = self.connected(pool)
        sink, number = self.open(old)
        old.connection.deliver(boltGoAway())
        self.assertIsNone(pool.tryCheckout())
        new = self.connected(pool)
        self.assertIsNot(new, old)
        self.assertIs(pool.tryCheckout(), new)
        old.connection.deliver(boltResponse(number))
        self.assertEqual(len(sink.parts), 1)
        self.assertTrue(old.connection.closing)
        old.connection.lose()
        self.assertEqual((self.stats.connection_active, self.stats.connection_local_close), (1, 1))
        self.assertIs(pool.tryCheckout(), new)

    def test_protocolError(self) -> None:
        """A connection that is not understood is counted, and given to nobody while it ends."""
        pool = self.pool()
        streams = self.connected(pool)
        streams.connection.deliver(b"\x09" * 40)
        self.assertIsNone(pool.tryCheckout())
        self.assertEqual(self.stats.response_protocol_error, 1)
        streams.connection.lose()
        self.assertEqual((pool.active, pool.idle, self.wheel.active), (0, 0, 0))

    def test_deadPeer(self) -> None:
        """Nor is one whose heartbeats nobody answers; the next request gets another."""
        pool = self.pool(heartbeatInterval=2.0, heartbeatTimeout=0.5)
        streams = self.connected(pool)
        for _ in range(round((2.0 * MISSES + 1.0) / 0.25)):
            self.clock.advance(0.25)
        self.assertEqual(len(ids(streams.connection.written)), MISSES)
        self.assertTrue(streams.connection.aborted)
        self.assertIsNone(pool.tryCheckout())
        self.assertIsNot(self.connected(pool), streams)
        streams.connection.lose(LOCAL_CLOSE)

    def test_breaksAtOnce(self) -> None:
        """When the first who waited breaks the new connection, the others get another one."""
        pool = self.pool()
        first, second = pool.checkout(), pool.checkout()
        first.addCallback(lambda streams: streams.giveUp())
        self.connector.attempts[0].succeed()
        self.assertEqual((pool.waiting, len(self.connector.attempts)), (1, 2))
        self.connector.attempts[1].succeed()
        self.assertTrue(self.result(second).reusable)


class WaitTests(MultiplexTestCase):
    """Those who wait for a connection."""

    def test_refused(self) -> None:
        """All wait for the same connection, so all hear that there is none."""
        pool = self.pool()
        waiters = [pool.checkout() for _ in range(3)]
        self.connector.attempts[0].fail(REFUSED)
        for waiter in waiters:
            self.assertTrue(self.result(waiter).check(ConnectFailed))
        self.assertEqual((self.stats.connection_con_fail, self.wheel.active), (1, 0))

    def test_connectTimeout(self) -> None:
        """A connect without any answer counts as MOSN counts it."""
        pool = self.pool()
        waiting = pool.checkout()
        self.connector.attempts[0].fail(ConnectTimeout(ADDRESS, 10.0))
        self.assertTrue(self.result(waiting).check(ConnectTimeout))
        self.assertEqual((self.stats.connection_con_fail, self.stats.request_timeout), (0, 1))

    def test_overflow(self) -> None:
        """Only so many may wait; the others hear at once, and are counted."""
        pool = self.pool(0, 2)
        waiters = [pool.checkout() for _ in range(3)]
        self.assertTrue(self.result(waiters[2]).check(PoolOverflow))
        self.assertEqual(self.stats.request_pending_overflow, 1)
        pool.drain()
        self.assertTrue(self.result(waiters[0]).check(PoolDraining))
        self.result(waiters[1])

    def test_tooLong(self) -> None:
        """No wait is for ever, even if the connector should never say anything."""
        pool = self.pool(connectTimeout=2.0)
        waiting = pool.checkout()
        self.clock.advance(3.1)
        self.assertTrue(self.result(waiting).check(PoolTimeout))

    def test_backoff(self) -> None:
        """A host that refuses is not dialled at full speed, and each time less often."""
        pool = self.pool()
        pause = FIRST_BACKOFF
        for _ in range(8):
            waiting = pool.checkout()
            dialled = len(self.connector.attempts)
            self.connector.attempts[-1].fail(REFUSED)
            self.assertTrue(self.result(waiting).check(ConnectFailed))
            for _ in range(3):
                failure = self.result(pool.checkout())
                self.assertIs(failure.value, REFUSED)
            self.clock.advance(pause - 0.01)
            self.assertTrue(self.result(pool.checkout()).check(ConnectFailed))
            self.assertEqual(len(self.connector.attempts), dialled)
            self.clock.advance(0.02)
            pause = min(pause * 2, LAST_BACKOFF)
        self.assertEqual(pause, LAST_BACKOFF)

    def test_backoffEnds(self) -> None:
        """One success, and the back-off begins small again."""
        pool = self.pool()
        for _ in range(4):
            self.result(self._refusedCheckout(pool))
            self.clock.advance(LAST_BACKOFF)
        self.connected(pool).connection.lose()
        self.result(self._refusedCheckout(pool))
        self.clock.advance(FIRST_BACKOFF + 0.01)
        dialled = len(self.connector.attempts)
        self.connected(pool)
        self.assertEqual(len(self.connector.attempts), dialled + 1)

    def _refusedCheckout(self, pool: MultiplexPool) -> Deferred[Any]:
        waiting = pool.checkout()
        self.connector.attempts[-1].fail(REFUSED)
        return waiting

    def test_backoffKeepsNothing(self) -> None:
        """The reason that is told again and again does not grow."""
        pool = self.pool()
        error = ConnectFailed(ADDRESS, "refused")
        waiting = pool.checkout()
        self.connector.attempts[-1].fail(error)
        self.result(waiting)
        for _ in range(20):
            self.result(pool.checkout())
            self.assertLess(len(traceback.extract_tb(error.__traceback__)), 5)

    def test_waitsForGoneAway(self) -> None:
        """A connection that goes away before anybody had it leaves nobody waiting."""
        pool = self.pool()
        waiting = pool.checkout()
        self.connector.attempts[0].succeed().deliver(boltGoAway())
        self.result(waiting)
        again = pool.checkout()
        self.connector.attempts[1].succeed()
        self.assertTrue(self.result(again).reusable)


class SeveralTests(MultiplexTestCase):
    """More than one connection, by configuration."""

    def test_grows(self) -> None:
        """There are as many as configured, and they take turns."""
        pool = self.pool(3)
        first = self.connected(pool)
        for attempt in (1, 2):
            self.assertIsNotNone(pool.tryCheckout())
            self.assertIsNotNone(pool.tryCheckout() if attempt == 2 else first)
            self.connector.attempts[attempt].succeed()
        turns = [pool.tryCheckout() for _ in range(6)]
        self.assertEqual(len(self.connector.attempts), 3)
        self.assertEqual(turns[:3], turns[3:])
        self.assertEqual(len(set(map(id, turns))), 3)

    def test_lost(self) -> None:
        """One of them that ends is replaced; nobody waits for that."""
        pool = self.pool(2)
        first = self.connected(pool)
        pool.tryCheckout()
        self.connector.attempts[1].succeed()
        first.connection.lose()
        self.assertIsNot(pool.tryCheckout(), first)
        self.assertEqual(len(self.connector.attempts), 3)

    def test_backoff(self) -> None:
        """While one is open, further ones are not dialled at full speed either."""
        pool = self.pool(2)
        first = self.connected(pool)
        self.assertIs(pool.tryCheckout(), first)
        self.connector.attempts[1].fail(REFUSED)
        for _ in range(5):
            self.assertIs(pool.tryCheckout(), first)
        self.assertEqual(len(self.connector.attempts), 2)
        self.clock.advance(FIRST_BACKOFF + 0.01)
        self.assertIs(pool.tryCheckout(), first)
        self.assertEqual(len(self.connector.attempts), 3)


class DrainTests(MultiplexTestCase):
    """The end of a pool."""

    def test_busy(self) -> None:
        """Streams go on, heartbeats stop, new checkouts fail."""
        pool = self.pool(heartbeatInterval=1.0)
        streams = self.connected(pool)
        sink, number = self.open(streams)
        drained = pool.drain()
        streams.connection.clear()
        self.clock.advance(30.0)
        self.assertEqual((streams.connection.written, self.wheel.active), (b"", 0))
        self.assertTrue(self.result(pool.checkout()).check(PoolDraining))
        streams.connection.deliver(boltResponse(number))
        self.assertEqual(len(sink.parts), 1)
        streams.connection.lose()
        self.assertIsNone(self.result(drained))

    def test_connectedTooLate(self) -> None:
        """A connection that is made in spite of the end ends at once."""
        pool = self.pool()
        waiting = pool.checkout()
        pool.drain()
        self.assertTrue(self.result(waiting).check(PoolDraining))
        attempt = self.connector.attempts[0]
        self.assertTrue(attempt.cancelled)
