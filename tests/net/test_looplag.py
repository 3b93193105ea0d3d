"""Tests of the looks at the lag of the event loop."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.looplag import INTERVAL, LoopLag
from mosntx.stats.loop import LoopStats

MS = 1_000_000


class LoopLagTests(SynchronousTestCase):
    """Looks, on a clock in the test's hands."""

    def setUp(self) -> None:
        self.clock = Clock()
        #: What the wall clock is ahead of the monotonic one.
        self.ahead = 0.0
        self.stats = LoopStats()
        self.lag = LoopLag(self.clock, lambda: self.clock.seconds() - self.ahead, self.stats)
        self.lag.start()

    def test_punctual(self) -> None:
        """A loop that is idle is not late, however long."""
        self.clock.pump([INTERVAL] * 50)
        self.assertEqual(self.stats.lag_looks_total, 50)
        self.assertLess(self.stats.lag.max, 1000)

    def test_busy(self) -> None:
        """What has kept the loop busy beyond the time of a look is its lag."""
        self.clock.advance(INTERVAL + 0.25)
        self.assertEqual(round(self.stats.lag.max / MS), 250)
        self.assertEqual(self.stats.lag_over_100ms_total, 1)
        self.clock.advance(INTERVAL)
        self.assertEqual((self.stats.lag_looks_total, self.stats.lag_over_10ms_total), (2, 1))

    def test_setForward(self) -> None:
        """The wall clock is set forward an hour: the loop was not late."""
        self.ahead = 3600.0
        self.clock.advance(3600.0)
        self.assertEqual((self.stats.lag_looks_total, self.stats.lag.max), (1, 0))

    def test_setBack(self) -> None:
        """The wall clock is set back an hour: the call comes an hour late, the loop was not."""
        self.ahead = -3600.0
        self.clock.advance(INTERVAL)
        self.assertEqual(self.stats.lag_looks_total, 1)
        self.assertLess(self.stats.lag.max, 1000)

    def test_stop(self) -> None:
        """Stopped it asks for nothing more; both may be said twice."""
        self.lag.start()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.lag.stop()
        self.lag.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.lag.start()
        self.clock.advance(INTERVAL)
        self.assertEqual(self.stats.lag_looks_total, 1)
