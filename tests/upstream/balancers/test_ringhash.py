"""Tests of `mosntx.upstream.balancers.ringhash`."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, hosts
from mosntx.upstream.balancers.ringhash import (
    FEWEST_POINTS,
    MOST_POINTS,
    RingHashFactory,
    pointsPerHost,
)


class RingHashTests(BalancerSuite, SynchronousTestCase):
    """Keys and hosts."""

    def factory(self) -> RingHashFactory:
        """See `BalancerSuite`."""
        return RingHashFactory()

    def request(self, number: int) -> FakeExchange:
        """See `BalancerSuite`; the keys are addresses, as of clients of one network."""
        exchange = FakeExchange()
        exchange.key = 0x0A000000 + number
        return exchange

    def test_even(self) -> None:
        """Each host gets about the same share, also of keys that are close together."""
        chosen = Counter(self.choose(self.balancer(hosts(*[1] * 10)), 20_000))
        for count in chosen.values():
            self.assertLess(abs(count - 2000), 600)

    def test_weights(self) -> None:
        """Shares follow weights."""
        among = hosts(1, 2, 3, 4)
        chosen = Counter(self.choose(self.balancer(among), 40_000))
        for host in among:
            self.assertLess(abs(chosen[host] / 4000 / host.weight - 1), 0.25)

    def test_removal(self) -> None:
        """When a host leaves, only its keys move, and they spread over the others."""
        among = hosts(*[1] * 20)
        before = self.choose(self.balancer(among), 5000)
        gone = among.pop(7)
        after = self.choose(self.balancer(among), 5000)
        heirs = set()
        for was, now in zip(before, after, strict=True):
            if was is gone:
                heirs.add(now)
            else:
                self.assertIs(now, was)
        self.assertGreater(len(heirs), 10)

    def test_unhealthy(self) -> None:
        """The keys of an unhealthy host spread likewise, and come back to it."""
        among = hosts(*[1] * 20)
        balancer = self.balancer(among)
        before = self.choose(balancer, 5000)
        among[7].healthy = False
        between = self.choose(balancer, 5000)
        heirs = {now for was, now in zip(before, between, strict=True) if was is among[7]}
        self.assertGreater(len(heirs), 10)
        self.assertNotIn(among[7], heirs)
        among[7].healthy = True
        self.assertEqual(self.choose(balancer, 5000), before)

    def test_fewHealthy(self) -> None:
        """One healthy host among many is found."""
        among = hosts(*[1] * 200, unhealthy=range(1, 200))
        self.assertEqual(set(self.choose(self.balancer(among), 300)), {among[0]})

    def test_noKey(self) -> None:
        """Requests without a key go anywhere."""
        among = hosts(1, 1, 1, unhealthy=[1])
        balancer = self.balancer(among)
        chosen = {balancer.chooseHost(FakeExchange()) for _ in range(100)}
        self.assertEqual(chosen, {among[0], among[2]})

    def test_retries(self) -> None:
        """A repetition goes to another host."""
        among = hosts(1, 1, 1)
        balancer = self.balancer(among)
        request = self.request(1)
        request.host = first = balancer.chooseHost(request)
        request.attempts = 1
        self.assertIsNot(balancer.chooseHost(request), first)

    def test_points(self) -> None:
        """Rings stay within their size, and the number of points rarely changes."""
        self.assertEqual([pointsPerHost(1), pointsPerHost(1000)], [MOST_POINTS, MOST_POINTS])
        self.assertEqual(pointsPerHost(10**6), FEWEST_POINTS)
        self.assertEqual(pointsPerHost(5000), pointsPerHost(5100))
