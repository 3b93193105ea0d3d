"""Tests of `mosntx.upstream.pools.base`: what pools of either kind have in common."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.net import LOCAL_CLOSE, REMOTE_CLOSE
from mosntx.net.connector import ConnectFailed, ConnectTimeout
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stats.structs import HostStats
from mosntx.testing.net import FakeConnector, FakeReceiver
from mosntx.upstream.pools.base import ConnectionPool, reasonOf
from mosntx.upstream.pools.errors import PoolDraining, PoolOverflow


class Streams(FakeReceiver):
    """A connection of the pool.

    :ivar drained: how often it was told to end.
    """

    drained = 0

    def drain(self) -> None:
        """End when nothing is under way."""
        self.drained += 1


class GivenPool(ConnectionPool[Streams]):
    """Notes what the base tells it.

    :ivar ready: connections that can be used.
    :ivar vain: raised instead of a wait.
    """

    def __init__(self, connector: FakeConnector, wheel: TimerWheel, stats: HostStats) -> None:
        codec = Http1Protocol().clientCodec
        super().__init__("192.0.2.1:80", codec, connector, wheel, stats, 2, 3.0)
        self.ready: list[Streams] = []
        self.refusals: list[Exception] = []
        self.vain: Exception | None = None
        self.busy = False

    def tryCheckout(self) -> Streams | None:
        """See `ConnectionPool`."""
        return self.ready[-1] if self.ready else None

    def _mayWait(self) -> float:
        if self.vain is not None:
            raise self.vain
        return 4.0

    def _makeStreams(self) -> Streams:
        return Streams()

    def _connectForWaiters(self) -> None:
        if len(self._waiting) > len(self._connecting):
            self._connect()

    def _ready(self, streams: Streams) -> None:
        self.ready.append(streams)
        waiter = self._waiting.pop()
        if waiter is not None:
            waiter.callback(streams)

    def _refused(self, failure: Failure) -> None:
        self.refusals.append(reasonOf(failure))
        self._waiting.failAll(reasonOf(failure))

    def _left(self, streams: Streams) -> bool:
        if streams in self.ready:
            self.ready.remove(streams)
        return self.busy


class BaseTestCase(SynchronousTestCase):
    """A test with a pool."""

    def setUp(self) -> None:
        """Make it."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.connector = FakeConnector()
        self.stats = HostStats("c", "192.0.2.1:80")
        self.pool = GivenPool(self.connector, self.wheel, self.stats)

    def connected(self) -> Any:
        """Return a connection, made for a checkout."""
        waiting = self.pool.checkout()
        self.connector.attempts[-1].succeed()
        return self.successResultOf(waiting)


class CheckoutTests(BaseTestCase):
    """Checkouts and connects."""

    def test_connects(self) -> None:
        """A connect is made with address and time of the pool, and counted."""
        streams = self.connected()
        (attempt,) = self.connector.attempts
        self.assertEqual((attempt.address, attempt.timeout), ("192.0.2.1:80", 3.0))
        self.assertEqual((self.stats.connection_total, self.stats.connection_active), (1, 1))
        self.assertIs(self.successResultOf(self.pool.checkout()), streams)

    def test_inVain(self) -> None:
        """A wait that would be in vain is none."""
        self.pool.vain = ConnectFailed("192.0.2.1:80", "refused before")
        self.failureResultOf(self.pool.checkout(), ConnectFailed)
        self.assertEqual((self.pool.waiting, self.connector.attempts), (0, []))

    def test_full(self) -> None:
        """A place in the queue, or none; the latter is counted."""
        waiters = [self.pool.checkout() for _ in range(3)]
        self.failureResultOf(waiters[2], PoolOverflow)
        self.assertEqual((self.pool.waiting, self.stats.request_pending_overflow), (2, 1))
        for waiter in waiters[:2]:
            waiter.cancel()
            self.failureResultOf(waiter, CancelledError)

    def test_refused(self) -> None:
        """Failed connects are counted by their kind."""
        for error in (ConnectFailed("a", "refused"), ConnectTimeout("a", 3.0)):
            waiting = self.pool.checkout()
            self.connector.attempts[-1].fail(error)
            self.failureResultOf(waiting, type(error))
            self.assertIs(self.pool.refusals[-1], error)
        self.assertEqual((self.stats.connection_con_fail, self.stats.request_timeout), (1, 1))
        self.assertEqual(self.wheel.active, 0)

    def test_closedAtOnce(self) -> None:
        """A connection that has ended before we hear of it is given to nobody."""
        waiting: Deferred[Any] = self.pool.checkout()
        attempt = self.connector.attempts[0]
        attempt.connection.handOver(attempt.receiver, b"")
        attempt.connection.lose()
        attempt.deferred.callback(attempt.connection)
        self.assertNoResult(waiting)
        self.assertEqual((self.stats.connection_total, self.stats.connection_active), (1, 0))
        self.assertEqual(len(self.connector.attempts), 2)
        self.connector.attempts[1].succeed()
        self.successResultOf(waiting)


class GoneTests(BaseTestCase):
    """Connections that end."""

    def test_counts(self) -> None:
        """By whom, and whether an exchange was cut."""
        for event, busy in ((LOCAL_CLOSE, False), (REMOTE_CLOSE, True), (REMOTE_CLOSE, False)):
            self.pool.busy = busy
            self.pool.connectionGone(self.connected(), event)
        stats = self.stats
        self.assertEqual((stats.connection_close, stats.connection_active), (3, 0))
        self.assertEqual((stats.connection_local_close, stats.connection_remote_close), (1, 2))
        self.assertEqual(stats.connection_remote_close_with_active_request, 1)
        self.assertEqual(stats.connection_local_close_with_active_request, 0)

    def test_once(self) -> None:
        """The end of a connection counts once."""
        streams = self.connected()
        for _ in range(2):
            self.pool.connectionGone(streams, REMOTE_CLOSE)
        self.assertEqual(self.stats.connection_close, 1)

    def test_protocolError(self) -> None:
        """Octets that were not understood are counted."""
        self.pool.protocolError(self.connected())
        self.assertEqual(self.stats.response_protocol_error, 1)

    def test_abort(self) -> None:
        """All connections can be ended at once."""
        streams = self.connected()
        self.pool.abort()
        self.assertTrue(streams.connection.aborted)


class DrainTests(BaseTestCase):
    """The end of a pool."""

    def test_drain(self) -> None:
        """It is over when the last connection has gone; connects are given up."""
        streams = self.connected()
        self.pool.ready.clear()
        waiting = self.pool.checkout()
        drained = self.pool.drain()
        self.assertIs(self.pool.drain(), drained)
        self.assertEqual(streams.drained, 1)
        self.failureResultOf(waiting, PoolDraining)
        self.assertTrue(self.connector.attempts[1].cancelled)
        self.failureResultOf(self.pool.checkout(), PoolDraining)
        self.assertNoResult(drained)
        self.pool.connectionGone(streams, LOCAL_CLOSE)
        self.successResultOf(drained)
        self.assertEqual(self.wheel.active, 0)

    def test_connectedDuring(self) -> None:
        """A connection that comes when nobody may have it any more ends."""
        self.pool.checkout().addErrback(lambda failure: failure.trap(PoolDraining))
        attempt = self.connector.attempts[0]
        self.pool.draining = True
        attempt.succeed()
        streams: Any = attempt.receiver
        self.assertEqual((streams.drained, self.pool.ready), (1, []))
        drained = self.pool.drain()
        self.pool.connectionGone(streams, LOCAL_CLOSE)
        self.successResultOf(drained)
