"""Tests of `mosntx.upstream.health.session`: what MOSN's tests count, with its numbers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.health.session import NETWORK_FAILURE
from tests.upstream.health.build import World


class CountTests(SynchronousTestCase):
    """Thresholds of 1, and an interval of a second."""

    def run_(self, world: World, seconds: int, results: list[bool]) -> None:
        """Let time pass; each check is answered at once, the last result for all that follow."""
        world.session.start()
        for _ in range(seconds):
            world.wait(1.0)
            for check in world.probe.checks:
                if not check.called:
                    check.callback(results.pop(0) if len(results) > 1 else results[0])

    def begun(self) -> World:
        return World(initialDelay=1.0, interval=1.0, timeout=1.0)

    def test_well(self) -> None:
        """In five intervals a host that is well has at least four good checks (scenario 90)."""
        world = self.begun()
        self.run_(world, 5, [True])
        stats = world.stats
        self.assertGreaterEqual(stats.attempt, 4)
        self.assertEqual((stats.success, stats.failure), (stats.attempt, 0))
        self.assertTrue(world.host.healthy)
        self.assertEqual([changed for _, changed in world.reports if changed], [])

    def test_ill(self) -> None:
        """One that is ill turns once, however often it is asked (scenario 90)."""
        world = self.begun()
        self.run_(world, 5, [False])
        stats = world.stats
        self.assertGreaterEqual(stats.failure, 4)
        self.assertEqual((stats.active_failure, stats.success), (stats.failure, 0))
        self.assertFalse(world.host.healthy)
        self.assertEqual(len([1 for _, changed in world.reports if changed]), 1)

    def test_failThenGood(self) -> None:
        """A failure followed by good checks is two turns (scenario 92)."""
        world = self.begun()
        self.run_(world, 5, [False, True])
        self.assertEqual(world.stats.failure, 1)
        self.assertEqual(len([1 for _, changed in world.reports if changed]), 2)
        self.assertTrue(world.host.healthy)

    def test_outlastsTimeout(self) -> None:
        """A check that takes too long is a failure of the network, and asked again (91)."""
        world = self.begun()
        world.session.start()
        for _ in range(3):
            world.wait(1.0)
        self.assertIn(world.stats.attempt, (1, 2))
        self.assertEqual(world.stats.network_failure, 1)
        self.assertEqual(world.reports, [(NETWORK_FAILURE, True)])
        self.assertFalse(world.host.healthy)
