"""Tests of `mosntx.upstream.balancers.panic`."""

from __future__ import annotations

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.structs import ClusterStats
from mosntx.upstream.balancers.panic import PanicState


class PanicStateTests(SynchronousTestCase):
    """Who panics, and who is told."""

    def setUp(self) -> None:
        """Nobody does."""
        self.stats = ClusterStats("c")
        self.state = PanicState(self.stats)
        captured = capturedLogs()
        self.events = captured.__enter__()
        self.addCleanup(captured.__exit__, None, None, None)

    def lines(self) -> list[str]:
        """What was logged."""
        return [str(formatEvent(event)) for event in self.events]

    def test_turns(self) -> None:
        """Only turns are told; the gauge counts the parts."""
        self.state.set("", False, "all is well")
        self.assertEqual(self.lines(), [])
        self.state.set("", True, "few are healthy")
        self.state.set("", True, "few are healthy")
        self.state.set("v=1", True, "none is healthy")
        self.assertEqual(self.stats.lb_panic, 2)
        self.state.set("", False, "most are healthy")
        self.assertEqual(self.stats.lb_panic, 1)
        self.assertEqual(
            self.lines(),
            [
                "cluster c is in panic because few are healthy",
                "cluster c, subset v=1, is in panic because none is healthy",
                "cluster c is no longer in panic because most are healthy",
            ],
        )

    def test_renewed(self) -> None:
        """An update that changes nothing about it is not told."""
        self.state.set("", True, "x")
        self.state.renew()
        self.state.set("", True, "x")
        self.state.settle()
        self.assertEqual((len(self.lines()), self.stats.lb_panic), (1, 1))

    def test_goneScope(self) -> None:
        """A part that there is no longer does not panic."""
        self.state.set("v=1", True, "x")
        self.state.renew()
        self.state.settle()
        self.assertIn("is no longer in panic", self.lines()[-1])
        self.assertEqual(self.stats.lb_panic, 0)
