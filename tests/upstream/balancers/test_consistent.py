"""Tests of `mosntx.upstream.balancers.consistent`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, hosts
from mosntx.upstream.balancers.maglev import MaglevFactory
from mosntx.upstream.balancers.ringhash import RingHashFactory


def keyed(key: int) -> FakeExchange:
    """A request with this key."""
    exchange = FakeExchange()
    exchange.key = key
    return exchange


class SliceTests(SynchronousTestCase):
    """Tables that are made between other events."""

    factory: Any = MaglevFactory(4099)
    other: Any = RingHashFactory()

    def setUp(self) -> None:
        """Keep jobs instead of doing them."""
        self.jobs: list[Iterator[None]] = []
        self.suite = BalancerSuite()

    def build(self, among: Any, before: Any = None) -> Any:
        settings = self.suite.settings(work=self.jobs.append, before=before)
        return self.factory.build(among, settings)

    def places(self, balancer: Any) -> list[str]:
        return [balancer.chooseHost(keyed(key)).address for key in range(0, 2**40, 2**40 // 300)]

    def run_(self, job: Iterator[None]) -> int:
        """Do a job to its end; return the steps."""
        return sum(1 for _ in job)

    def test_atFirst(self) -> None:
        """Without a balancer before, the first request makes the table; the job ends then."""
        balancer = self.build(hosts(1, 1, 1))
        places = self.places(balancer)
        self.assertLessEqual(self.run_(self.jobs[0]), 1)
        self.assertEqual(self.places(balancer), places)
        self.assertEqual(set(places), {f"10.0.0.{number}:80" for number in range(3)})

    def test_meanwhile(self) -> None:
        """Until the table is made, keys stay where they were, except those of hosts that left."""
        among = hosts(*[1] * 10)
        first = self.build(among)
        before = self.places(first)
        second = self.build(among[:9], first)
        between = self.places(second)
        gone = among[9].address
        for was, now in zip(before, between, strict=True):
            self.assertEqual(now == was, was != gone)
        self.assertGreater(self.run_(self.jobs[1]), 1)
        ready = self.places(second)
        self.assertNotIn(gone, ready)
        self.assertEqual(ready, self.places(self.build(among[:9])))

    def test_newHealth(self) -> None:
        """While an old table serves, hosts have the health that they have now."""
        first = self.build(hosts(1, 1, 1))
        self.places(first)
        among = hosts(1, 1, 1, unhealthy=[1])
        second = self.build(among, first)
        self.assertEqual(set(self.places(second)), {among[0].address, among[2].address})

    def test_givenUp(self) -> None:
        """A table that is no longer wanted is not finished; the one before serves on."""
        among = hosts(*[1] * 5)
        first = self.build(among)
        before = self.places(first)
        second = self.build(among[:4], first)
        third = self.build(among, second)
        self.assertEqual(self.places(third), before)
        self.assertEqual(self.run_(self.jobs[1]), 1)
        self.run_(self.jobs[2])
        self.assertEqual(self.places(third), before)

    def test_otherKind(self) -> None:
        """The table of another kind of balancer is not used."""
        other = self.other.build(hosts(1, 1), self.suite.settings())
        balancer = self.build(hosts(1, 1, 1), other)
        self.assertTrue(self.places(balancer) == self.places(self.build(hosts(1, 1, 1))))

    def test_noHosts(self) -> None:
        """There is nothing to do for no hosts, and after hosts have come a table."""
        empty = self.build([])
        self.assertEqual(self.jobs, [])
        self.assertIsNone(empty.chooseHost(keyed(1)))
        self.assertIsNotNone(self.build(hosts(1), empty).chooseHost(keyed(1)))


class RingSliceTests(SliceTests):
    """The same with a ring."""

    factory = RingHashFactory()
    other = MaglevFactory(4099)
