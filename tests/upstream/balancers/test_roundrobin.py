"""Tests of `mosntx.upstream.balancers.roundrobin`."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import hosts
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory


class RoundRobinTests(BalancerSuite, SynchronousTestCase):
    """One host after the other."""

    def factory(self):
        """See `BalancerSuite`."""
        return RoundRobinFactory()

    def test_turns(self):
        """Hosts take turns in their order."""
        among = hosts(1, 1, 1)
        chosen = self.choose(self.balancer(among), 6)
        start = among.index(chosen[0])
        self.assertEqual(chosen, (among[start:] + among[:start]) * 2)

    def test_start(self):
        """Where it begins is chance, and each host gets to be first."""
        among = hosts(1, 1, 1)
        first = {self.choose(self.balancer(among, seed), 1)[0].address for seed in range(50)}
        self.assertEqual(len(first), 3)

    def test_shares(self):
        """Healthy hosts get equal shares, whatever stands between them (scenario 72)."""
        for count, sick, times in (
            (4, [0, 1], 1000),
            (4, [1, 2], 1000),
            (4, [1, 3], 1000),
            (9, [0, 1, 2, 4, 5, 7], 1500),
            (9, [], 900),
        ):
            among = hosts(*[1] * count, unhealthy=sick)
            shares = Counter(host.address for host in self.choose(self.balancer(among), times))
            self.assertEqual(len(shares), count - len(sick))
            self.assertEqual(set(shares.values()), {times // (count - len(sick))})

    def test_weights(self):
        """Weights do not matter."""
        among = hosts(1, 100)
        shares = Counter(host.address for host in self.choose(self.balancer(among), 100))
        self.assertEqual(set(shares.values()), {50})
