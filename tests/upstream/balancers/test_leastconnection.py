"""Tests of `mosntx.upstream.balancers.leastconnection`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, LbConfig
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeHost, hosts
from mosntx.upstream.balancers.leastconnection import LeastConnectionFactory


class LeastConnectionTests(BalancerSuite, SynchronousTestCase):
    """The least loaded host by connections."""

    def factory(self) -> LeastConnectionFactory:
        """See `BalancerSuite`."""
        return LeastConnectionFactory()

    def shares(self, among: list[FakeHost], **lb: Any) -> list[float]:
        """The percentages of 20 000 choices."""
        config = Cluster(name="c", lbconfig=LbConfig(**lb))
        chosen = Counter(self.choose(self.balancer(among, config=config), 20_000))
        return [chosen[host] / 200 for host in among]

    def test_idleFirst(self) -> None:
        """Compared with all others, the one with the fewest is chosen (scenario 77)."""
        among = hosts(1, 1, 1)
        for host, count in zip(among, (5, 1, 9), strict=True):
            host.stats.connection_active = count
        self.assertGreater(self.shares(among, choice_count=32)[1], 99.0)
        first, second, third = self.shares(among)
        self.assertGreater(second, first)
        self.assertGreater(first, third)

    def test_unhealthyPassed(self) -> None:
        """The idlest host is not chosen while it is unhealthy, unlike MOSN."""
        among = hosts(1, 1, 1, unhealthy=[0])
        among[1].stats.connection_active = among[2].stats.connection_active = 50
        self.assertEqual(self.shares(among)[0], 0.0)

    def test_weights(self) -> None:
        """With weights, shares follow w / (active + 1) ^ bias (scenario 75)."""
        for bias in (0.5, 1.0, 1.5):
            among = hosts(1, 2, 3)
            for host, count in zip(among, (0, 1, 4), strict=True):
                host.stats.connection_active = count
            wanted = [host.weight / (host.stats.connection_active + 1) ** bias for host in among]
            shares = self.shares(among, active_request_bias=bias)
            for share, weight in zip(shares, wanted, strict=True):
                self.assertLess(abs(share - 100 * weight / sum(wanted)), 0.5)
