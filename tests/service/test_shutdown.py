"""Tests of `mosntx.service.shutdown`."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.logger import LogLevel

from mosntx.service.shutdown import UPSTREAM_TIMEOUT, Shutdown
from tests.service.build import ServiceCase


class FakeListener:
    """A listener with connections, which the test ends.

    :param order: gets what happens.
    """

    def __init__(self, name, active, order):
        self.name = name
        self.active = active
        self._order = order
        self._drained: Deferred[None] = Deferred()

    def drain(self):
        """See `Listener.drain`."""
        self._order.append(f"drain {self.name}")
        if not self.active:
            return succeed(None)
        return self._drained

    def stop(self):
        """See `Listener.stop`."""
        self._order.append(f"stop {self.name}")
        self.finish()

    def finish(self):
        """The last connection is gone."""
        if self.active:
            self.active = 0
            self._drained.callback(None)


class FakeClusters:
    """Clusters whose pools close when the test says so."""

    def __init__(self, order):
        self._order = order
        self.drained: Deferred[None] = Deferred(lambda _: order.append("given up"))

    def names(self):
        """See `Clusters.names`."""
        return []

    def drain(self):
        """See `Clusters.drain`."""
        self._order.append("drain clusters")
        return self.drained


class ShutdownTests(ServiceCase):
    """The order of the end."""

    def begin(self, *active, timeout=10.0):
        self.order: list[str] = []
        self.clock = Clock()
        self.listeners: list[Any] = [
            FakeListener(f"l{number}", count, self.order) for number, count in enumerate(active)
        ]
        self.clusters = FakeClusters(self.order)
        clusters = cast(Any, self.clusters)
        self.shutdown = Shutdown(self.listeners, clusters, self.clock, timeout)
        return self.shutdown.done

    def test_order(self):
        """All listeners first; the clusters when the last of them has no connection left."""
        done = self.begin(1, 2)
        self.assertEqual(self.order, ["drain l0", "drain l1"])
        self.listeners[1].finish()
        self.assertEqual(len(self.order), 2)
        self.listeners[0].finish()
        self.assertEqual(self.order[2:], ["drain clusters"])
        self.assertNoResult(done)
        self.clusters.drained.callback(None)
        self.assertIs(self.successResultOf(done), True)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.lines(), [])

    def test_nothing(self):
        """Without listeners, and without connections, it goes on at once."""
        for active in ((), (0, 0)):
            done = self.begin(*active)
            self.clusters.drained.callback(None)
            self.assertIs(self.successResultOf(done), True)

    def test_cut(self):
        """When the time is over what is left is cut, counted and said."""
        done = self.begin(3, 0, 2)
        self.clock.advance(9.9)
        self.assertEqual(len(self.order), 3)
        self.clock.advance(0.2)
        self.assertEqual(self.order[3:], ["stop l0", "stop l1", "stop l2", "drain clusters"])
        self.assertEqual(self.lines(LogLevel.warn), ["5 connections are cut"])
        self.clusters.drained.callback(None)
        self.assertIs(self.successResultOf(done), False)

    def test_zero(self):
        """No time means the next turn of the loop."""
        self.begin(1, timeout=0.0)
        self.clock.advance(0)
        self.assertIn("stop l0", self.order)

    def test_abort(self):
        """`abort` cuts before the time is over, and leaves no timer."""
        done = self.begin(1)
        self.shutdown.abort()
        self.assertEqual(self.order[1:], ["stop l0", "drain clusters"])
        self.clusters.drained.callback(None)
        self.assertIs(self.successResultOf(done), False)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_abortTwice(self):
        """A second `abort`, and one after the end, change nothing."""
        done = self.begin(1)
        self.shutdown.abort()
        self.shutdown.abort()
        self.clusters.drained.callback(None)
        self.shutdown.abort()
        self.assertIs(self.successResultOf(done), False)
        self.assertEqual(self.lines(LogLevel.warn), ["1 connections are cut"])

    def test_abortBetween(self):
        """`abort` while only upstream connections close is no cut."""
        done = self.begin(1)
        self.listeners[0].finish()
        self.shutdown.abort()
        self.clusters.drained.callback(None)
        self.assertIs(self.successResultOf(done), True)

    def test_slowUpstreams(self):
        """Upstream connections that do not close are waited for only so long."""
        done = self.begin(0)
        self.clock.advance(UPSTREAM_TIMEOUT - 0.1)
        self.assertNoResult(done)
        self.clock.advance(0.2)
        self.assertIs(self.successResultOf(done), True)
        self.assertEqual(self.order[-1], "given up")

    def test_failingPool(self):
        """A pool that fails to close does not hold the end up."""
        done = self.begin(0)
        self.clusters.drained.errback(RuntimeError("no"))
        self.assertIs(self.successResultOf(done), True)
