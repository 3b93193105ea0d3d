"""Tests of `mosntx.upstream.balancers.peakewma`."""

from __future__ import annotations

from collections import Counter
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, LbConfig
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeHost, hosts
from mosntx.upstream.balancers.peakewma import PeakEwmaFactory


class PeakEwmaTests(BalancerSuite, SynchronousTestCase):
    """The host that answers best (scenario 85)."""

    def factory(self) -> PeakEwmaFactory:
        """See `BalancerSuite`."""
        return PeakEwmaFactory()

    def answers(self, host: FakeHost, *statuses: int, duration: float = 0.01) -> None:
        """Let a host have answered."""
        latency = host.stats.latency
        assert latency is not None
        for status in statuses:
            latency.record(self.clock().seconds(), duration, status)

    def most(self, balancer: Any) -> Any:
        """The host that is chosen most."""
        return Counter(self.choose(balancer, 200)).most_common(1)[0][0]

    def test_faster(self) -> None:
        """The faster of two is chosen."""
        among = hosts(1, 1)
        balancer = self.balancer(among)
        self.answers(among[0], *[200] * 20, duration=0.01)
        self.answers(among[1], *[200] * 20, duration=0.05)
        self.assertEqual(set(self.choose(balancer, 50)), {among[0]})

    def test_busy(self) -> None:
        """Requests under way count as much as the bias says."""
        among = hosts(1, 1)
        for bias, index in ((1.0, 0), (3.0, 1)):
            config = Cluster(name="c", lbconfig=LbConfig(active_request_bias=bias))
            balancer = self.balancer(among, config=config)
            self.answers(among[0], *[200] * 20, duration=0.01)
            self.answers(among[1], *[200] * 20, duration=0.05)
            among[0].stats.request_active = 2
            self.assertIs(self.most(balancer), among[index])

    def test_errors(self) -> None:
        """A host that answers with errors at once is not the best."""
        for status in (404, 500):
            among = hosts(1, 1)
            balancer = self.balancer(among)
            self.answers(among[0], *[status] * 20, duration=0.005)
            self.answers(among[1], *[200] * 20, duration=0.02)
            self.assertEqual(set(self.choose(balancer, 50)), {among[1]})

    def test_newHost(self) -> None:
        """A host of which nothing is known is like the mean of the others."""
        among = hosts(1, 1, 1)
        config = Cluster(name="c", lbconfig=LbConfig(choice_count=3))
        balancer = self.balancer(among, config=config)
        self.answers(among[0], *[200] * 50, duration=0.01)
        self.answers(among[1], *[200] * 50, duration=0.03)
        self.assertIs(self.most(balancer), among[0])
        among[0].healthy = False
        self.assertIs(self.most(balancer), among[2])

    def test_secondChance(self) -> None:
        """A host that was slow long ago is tried again."""
        among = hosts(1, 1)
        balancer = self.balancer(among)
        self.answers(among[0], *[200] * 20, duration=2.0)
        self.answers(among[1], *[200] * 20, duration=0.01)
        self.assertEqual(set(self.choose(balancer, 50)), {among[1]})
        self.clock().advance(120.0)
        self.answers(among[1], *[200] * 20, duration=0.01)
        among[1].stats.request_active = 1
        self.assertEqual(set(self.choose(balancer, 50)), {among[0]})

    def test_many(self) -> None:
        """Of many hosts some at random are compared."""
        among = hosts(*[1] * 10)
        balancer = self.balancer(among)
        for host in among:
            self.answers(host, *[200] * 20, duration=0.05 if host is among[0] else 0.01)
        chosen = Counter(self.choose(balancer, 5000))
        self.assertLess(chosen[among[0]], 100)
        self.assertGreater(min(chosen[host] for host in among[1:]), 300)

    def test_weights(self) -> None:
        """With weights, shares follow weight / score."""
        among = hosts(1, 3)
        balancer = self.balancer(among)
        for host in among:
            self.answers(host, *[200] * 50)
        chosen = Counter(self.choose(balancer, 4000))
        self.assertEqual(round(chosen[among[1]] / chosen[among[0]], 1), 3.0)

    def test_kept(self) -> None:
        """What is known of a host outlives the balancer."""
        among = hosts(1, 1)
        settings = self.settings()
        self.factory().build(among, settings)
        self.answers(among[0], *[200] * 20, duration=0.5)
        balancer = self.factory().build(among, settings)
        self.answers(among[1], *[200] * 20, duration=0.01)
        self.assertEqual(set(self.choose(balancer, 50)), {among[1]})
