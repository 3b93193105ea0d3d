"""Tests of `mosntx.upstream.balancers.leastactive`."""

from __future__ import annotations

from collections import Counter
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.upstream import hosts
from mosntx.upstream.balancers.leastactive import LeastActive


class LeastActiveTests(SynchronousTestCase):
    """Comparing hosts."""

    def test_shares(self) -> None:
        """With two choices the busiest of three is chosen only when it is drawn twice."""
        among = hosts(1, 1, 1)
        busy = {among[0].address: 2, among[1].address: 1, among[2].address: 0}
        balancer = LeastActive(among, Random(3), lambda host: busy[host.address], 2)
        chosen = Counter(balancer.chooseHost(None) for _ in range(90_000))
        self.assertEqual([round(chosen[host] / 10_000) for host in among], [1, 3, 5])

    def test_unhealthySpread(self) -> None:
        """When only unhealthy hosts are drawn, the others share what comes."""
        among = hosts(*[1] * 10, unhealthy=range(7))
        balancer = LeastActive(among, Random(3), lambda host: 0, 1)
        chosen = Counter(balancer.chooseHost(None) for _ in range(3000))
        self.assertEqual(set(chosen), set(among[7:]))
        self.assertGreater(min(chosen.values()), 800)
