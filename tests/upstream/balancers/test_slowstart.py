"""Tests of `mosntx.upstream.balancers.slowstart`."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster, SlowStart
from mosntx.testing.upstream import FakeHost, hosts
from mosntx.upstream.balancers.settings import BalancerSettings
from mosntx.upstream.balancers.slowstart import needsSchedule, rising
from mosntx.upstream.balancers.weighted import WeightedFactory, byWeight

NOUGHT = {"slow_start_duration": 0.0}


class SlowStartTests(SynchronousTestCase):
    """The weight of a host that has just come (scenario 84)."""

    def setUp(self) -> None:
        """Make a clock that is not at zero."""
        self.clock = Clock()
        self.clock.advance(1000.0)

    def settings(self, **slow: Any) -> BalancerSettings:
        config = Cluster(
            name="c",
            slow_start=SlowStart(**{"mode": "duration", "slow_start_duration": 10.0, **slow}),
        )
        return BalancerSettings(random=Random(1), seconds=self.clock.seconds, config=config)

    def weightAt(self, age: float, **slow: Any) -> float:
        """The weight of a host of weight 100 at an age."""
        host = FakeHost(weight=100, healthySince=self.clock.seconds() - age)
        return rising(self.settings(**slow), byWeight)(host)

    def test_line(self) -> None:
        """It is a straight line, from a tenth to all."""
        ages = {0.0: 10.0, 0.5: 10.0, 5.0: 50.0, 9.0: 90.0, 10.0: 100.0, 50.0: 100.0}
        for age, weight in ages.items():
            self.assertAlmostEqual(self.weightAt(age), weight)

    def test_aggression(self) -> None:
        """Larger values begin with more; values that make no sense are a straight line."""
        for aggression, weight in ((2.0, 31.62), (3.0, 46.42), (0.0, 10.0), (-1.0, 10.0)):
            self.assertAlmostEqual(self.weightAt(0.0, aggression=aggression), weight, places=2)

    def test_least(self) -> None:
        """The share does not fall below the configured one."""
        for least, weight in ((0.3, 30.0), (0.0, 10.0), (-1.0, 10.0)):
            found = self.weightAt(0.0, min_weight_percent=least, slow_start_duration=100.0)
            self.assertAlmostEqual(found, weight)

    def test_off(self) -> None:
        """Unknown modes and no duration are no slow start."""
        for slow in ({"mode": "x"}, {"mode": ""}, {"slow_start_duration": None}, NOUGHT):
            self.assertEqual(self.weightAt(0.0, **slow), 100.0)
            self.assertFalse(needsSchedule(hosts(1, 1), self.settings(**slow)))
        for seconds in (0.5, -1.0):
            self.assertEqual(self.weightAt(0.0, slow_start_duration=seconds), 100.0)

    def test_fromTheStart(self) -> None:
        """A host that was there from the start has all its weight."""
        self.assertEqual(rising(self.settings(), byWeight)(FakeHost(weight=7)), 7.0)

    def test_share(self) -> None:
        """Among equals, a host that has just come gets a tenth, then more, then as much."""
        among = hosts(1, 1)
        among[1].healthySince = self.clock.seconds()
        balancer = WeightedFactory().build(among, self.settings())
        shares = []
        for _ in range(3):
            chosen = Counter(balancer.chooseHost(None) for _ in range(11_000))
            shares.append(round(chosen[among[1]] / chosen[among[0]], 1))
            self.clock.advance(5.0)
        self.assertEqual(shares, [0.1, 0.5, 1.0])
