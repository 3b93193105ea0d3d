"""Tests of `mosntx.upstream.balancers.random`."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import hosts
from mosntx.upstream.balancers.random import RandomFactory


class RandomTests(BalancerSuite, SynchronousTestCase):
    """Any host."""

    def factory(self):
        """See `BalancerSuite`."""
        return RandomFactory()

    def shares(self, among, times: int = 12000) -> list[float]:
        chosen = Counter(host.address for host in self.choose(self.balancer(among), times))
        return [chosen[host.address] / times for host in among]

    def test_even(self):
        """All healthy hosts have about the same share."""
        for share in self.shares(hosts(1, 1, 1, 1)):
            self.assertLess(abs(share - 1 / 4), 0.02)

    def test_unhealthy(self):
        """The share of an unhealthy host spreads evenly over the others (scenario 71)."""
        for sick in range(4):
            shares = self.shares(hosts(1, 1, 1, 1, unhealthy=[sick]))
            self.assertEqual(shares.pop(sick), 0)
            for share in shares:
                self.assertLess(abs(share - 1 / 3), 0.02)

    def test_noPattern(self):
        """Choices are no round robin: a host may come twice in a row."""
        chosen = self.choose(self.balancer(hosts(1, 1, 1)), 100)
        self.assertTrue(any(a is b for a, b in pairwise(chosen)))
