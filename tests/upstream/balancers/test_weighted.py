"""Tests of `mosntx.upstream.balancers.weighted`."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import hosts
from mosntx.upstream.balancers.roundrobin import RoundRobin
from mosntx.upstream.balancers.weighted import WeightedFactory


class WeightedTests(BalancerSuite, SynchronousTestCase):
    """Hosts in proportion to their weights."""

    def factory(self):
        """See `BalancerSuite`."""
        return WeightedFactory()

    def test_shares(self):
        """Weights 1 to 4 are shares of 10 to 40 % (scenario 73)."""
        among = hosts(1, 2, 3, 4)
        chosen = Counter(host.address for host in self.choose(self.balancer(among), 10_000))
        for host in among:
            self.assertLess(abs(chosen[host.address] - 1000 * host.weight), 10)

    def test_sharesOfTen(self):
        """Weights 1 to 10 have their shares of 10^5 choices within 1 %."""
        among = hosts(*range(1, 11))
        chosen = Counter(self.choose(self.balancer(among), 100_000))
        for host in among:
            self.assertLess(abs(chosen[host] * 55 / host.weight / 100_000 - 1), 0.01)

    def test_equal(self):
        """Equal weights are plain round robin (scenario 73)."""
        self.assertIsInstance(self.balancer(hosts(3, 3, 3)), RoundRobin)

    def test_heaviestUnhealthy(self):
        """The light host serves when the heavy one cannot (scenario 74)."""
        among = hosts(100, 1, unhealthy=[0])
        self.assertEqual(self.choose(self.balancer(among), 20), [among[1]] * 20)

    def test_start(self):
        """Balancers of one host set do not all begin alike."""
        among = hosts(1, 2, 3, 4)
        starts = {
            tuple(host.address for host in self.choose(self.balancer(among, seed), 3))
            for seed in range(30)
        }
        self.assertGreater(len(starts), 1)
