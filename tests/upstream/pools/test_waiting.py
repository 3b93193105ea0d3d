"""The queue of those who wait for a connection."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TimerWheel
from mosntx.upstream.pools.errors import PoolDraining, PoolTimeout
from mosntx.upstream.pools.waiting import WaitingQueue


class WaitingQueueTests(SynchronousTestCase):
    """Order, bounds, leaving."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.queue = WaitingQueue(self.wheel, 2)

    def test_firstComeFirstServed(self) -> None:
        """Who waited longest is served first."""
        first, second = self.queue.wait(1.0), self.queue.wait(1.0)
        self.assertIs(self.queue.pop(), first)
        self.assertIs(self.queue.pop(), second)
        self.assertIsNone(self.queue.pop())
        self.assertEqual(self.wheel.active, 0)

    def test_full(self) -> None:
        """The queue says when no place is left."""
        self.queue.wait(1.0)
        self.assertFalse(self.queue.full)
        self.queue.wait(1.0)
        self.assertTrue(self.queue.full)

    def test_timeout(self) -> None:
        """Who waited too long leaves with `PoolTimeout`."""
        waiter = self.queue.wait(1.0)
        self.clock.advance(0.9)
        self.assertNoResult(waiter)
        self.clock.advance(0.2)
        self.failureResultOf(waiter, PoolTimeout)
        self.assertEqual(len(self.queue), 0)

    def test_cancel(self) -> None:
        """A cancelled waiter leaves its place and no timer."""
        waiter = self.queue.wait(1.0)
        waiter.cancel()
        self.failureResultOf(waiter, CancelledError)
        self.assertEqual(len(self.queue), 0)
        self.assertEqual(self.wheel.active, 0)

    def test_failAll(self) -> None:
        """Everybody can be sent away."""
        waiters = [self.queue.wait(1.0), self.queue.wait(1.0)]
        self.queue.failAll(PoolDraining("closing"))
        for waiter in waiters:
            self.failureResultOf(waiter, PoolDraining)
