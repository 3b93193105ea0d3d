"""What every connection pool keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import TestCase

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mosntx.contracts.stream import IClientStreams, IConnectionOwner
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.connector import ConnectFailed
from mosntx.net.timers import TimerWheel
from mosntx.stats.structs import HostStats
from mosntx.testing.net import FakeConnector
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolError

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

#: Seconds after which every wait is over.
LONG = 1000.0


class PoolSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IConnectionPool`.

    A subclass defines `pool`, `requestHead` and `response`.

    :ivar connector: for the pool; a test lets its attempts succeed or fail.
    :cvar timers: that an open connection has.
    """

    timers = 0

    def setUp(self) -> None:
        """Make what a pool needs."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.connector = FakeConnector()
        self.stats = HostStats("c", "192.0.2.1:80")

    def pool(self, maxConnections: int = 0, maxPending: int = 1024) -> Any:
        """Return a new pool, with limits."""
        raise NotImplementedError

    def requestHead(self) -> Any:
        """Return the head of a request without a body that wants an answer."""
        raise NotImplementedError

    def response(self, number: int) -> bytes:
        """Return a complete response, after which another request may follow."""
        raise NotImplementedError

    def connected(self, pool: Any) -> Any:
        """Check a connection out, a new one if need be."""
        waiting = pool.checkout()
        if not waiting.called:  # it may have been given one that others use, too
            self.connector.attempts[-1].succeed()
        return self.result(waiting)

    def result(self, deferred: Deferred[Any]) -> Any:
        """Return what a Deferred has fired with."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.assertEqual(len(results), 1)
        return results[0]

    def exchange(self, streams: Any) -> None:
        """Send a request and let it be answered: the stream is checked in by that."""
        number = streams.open(RecordingResponseSink(), self.requestHead(), True)
        streams.connection.deliver(self.response(number))

    def test_interfaces(self) -> None:
        """The pool and what it gives provide their contracts."""
        pool = self.pool()
        verifyObject(IConnectionPool, pool)
        verifyObject(IConnectionOwner, pool)
        verifyObject(IClientStreams, self.connected(pool))

    def test_nothingAtFirst(self) -> None:
        """A pool begins empty and makes no connection by itself."""
        pool = self.pool()
        self.assertIsNone(pool.tryCheckout())
        self.assertEqual((pool.active, pool.idle, pool.waiting), (0, 0, 0))
        self.assertEqual(self.connector.attempts, [])

    def test_checkout(self) -> None:
        """A checkout waits for a connection."""
        pool = self.pool()
        waiting = pool.checkout()
        self.assertEqual(pool.waiting, 1)
        self.connector.attempts[0].succeed()
        self.assertTrue(self.result(waiting).fresh)
        self.assertEqual((pool.waiting, self.wheel.active), (0, self.timers))

    def test_reuse(self) -> None:
        """A connection that was used serves again, without a wait."""
        pool = self.pool()
        streams = self.connected(pool)
        self.exchange(streams)
        again = pool.tryCheckout()
        self.assertIs(again, streams)
        self.assertFalse(again.fresh)

    def test_connectFails(self) -> None:
        """A checkout hears why there is no connection."""
        pool = self.pool()
        waiting = pool.checkout()
        self.connector.attempts[0].fail(ConnectFailed("192.0.2.1:80", "refused"))
        self.assertTrue(self.result(waiting).check(ConnectFailed))
        self.assertEqual((pool.active, pool.idle, pool.waiting, self.wheel.active), (0, 0, 0, 0))

    def test_cancel(self) -> None:
        """A checkout may be given up; the connection serves the next."""
        pool = self.pool()
        waiting = pool.checkout()
        waiting.cancel()
        self.assertTrue(self.result(waiting).check(CancelledError))
        self.assertEqual(pool.waiting, 0)
        self.connector.attempts[0].succeed()
        self.assertIsNotNone(pool.tryCheckout())

    def test_connectionLost(self) -> None:
        """A connection that ends is given to nobody any more."""
        pool = self.pool()
        streams = self.connected(pool)
        self.exchange(streams)
        streams.connection.lose()
        self.assertIsNone(pool.tryCheckout())
        self.assertEqual((pool.active, pool.idle), (0, 0))

    def test_queueIsBounded(self) -> None:
        """More than the limit may not wait."""
        pool = self.pool(1, 2)
        waiters = [pool.checkout() for _ in range(3)]
        self.assertEqual(pool.waiting, 2)
        self.assertTrue(self.result(waiters[2]).check(PoolError))
        self.clock.advance(LONG)
        for waiter in waiters[:2]:
            self.assertTrue(self.result(waiter).check(PoolError))
        self.assertEqual((pool.waiting, self.wheel.active), (0, 0))

    def test_drain(self) -> None:
        """Idle connections close at once, others after their streams; then it is over."""
        pool = self.pool()
        idle, busy = self.connected(pool), self.connected(pool)
        self.exchange(idle)
        number = busy.open(RecordingResponseSink(), self.requestHead(), True)
        drained: list[Any] = []
        pool.drain().addCallback(drained.append)
        if idle is not busy:
            self.assertTrue(idle.connection.closing)
        self.assertFalse(busy.connection.closing)
        self.assertIsNone(pool.tryCheckout())
        self.assertTrue(self.result(pool.checkout()).check(PoolError))
        busy.connection.deliver(self.response(number))
        self.assertTrue(busy.connection.closing)
        for streams in dict.fromkeys((idle, busy)):
            self.assertEqual(drained, [])
            streams.connection.lose()
        self.assertEqual(drained, [None])

    def test_drainEmpty(self) -> None:
        """An empty pool is drained at once, and any number of times."""
        pool = self.pool()
        for _ in range(2):
            self.assertIsNone(self.result(pool.drain()))

    def test_drainWhileConnecting(self) -> None:
        """Those who wait are sent away, connects are given up."""
        pool = self.pool()
        waiting = pool.checkout()
        drained = pool.drain()
        self.assertTrue(self.result(waiting).check(PoolError))
        self.assertTrue(self.connector.attempts[0].cancelled)
        self.assertIsNone(self.result(drained))
        self.assertEqual(self.wheel.active, 0)
