"""Tests of `mosntx.upstream.balancers.scan`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.upstream import hosts
from mosntx.upstream.balancers.scan import Positions, healthyFrom


class ScanTests(SynchronousTestCase):
    """Walking and finding."""

    def test_round(self) -> None:
        """The walk begins where it is told, goes round, and asks each host once."""
        among = hosts(1, 1, 1, 1, unhealthy=[1, 2])
        found = [healthyFrom(among, start) for start in range(5)]
        self.assertEqual(found, [among[0], among[3], among[3], among[3], among[0]])
        self.assertIsNone(healthyFrom(hosts(1, 1, unhealthy=[0, 1]), 1))
        self.assertIsNone(healthyFrom([], 0))

    def test_positions(self) -> None:
        """Hosts are found by address, also those that were made anew."""
        among = hosts(1, 1)
        positions = Positions(among)
        self.assertEqual([positions.of(host) for host in hosts(1, 1, 1)], [0, 1, -1])
