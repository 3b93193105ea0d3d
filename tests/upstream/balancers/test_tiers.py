"""Tests of `mosntx.upstream.balancers.tiers`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import Cluster, LbConfig
from mosntx.contracts.upstream import IHealthAware
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, FakeHost, hosts
from mosntx.upstream.balancers.maglev import Maglev, MaglevFactory
from mosntx.upstream.balancers.roundrobin import RoundRobin, RoundRobinFactory
from mosntx.upstream.balancers.tiers import Tier, Tiered, Tiers, divide


def spread(*tiers: tuple[int, str, int]) -> list[FakeHost]:
    """Hosts of tiers: ``(priority, zone, how many)``."""
    return [
        FakeHost(f"10.{priority}.{zone or 'x'}.{number}:80", priority=priority, zone=zone)
        for priority, zone, count in tiers
        for number in range(count)
    ]


class TiersSuite(BalancerSuite, SynchronousTestCase):
    """Tiers keep the contract; the hosts of the suite become their members in turn."""

    def factory(self) -> Any:
        """See `BalancerSuite`."""
        return Tiered(RoundRobinFactory())

    def config(self) -> Cluster:
        """See `BalancerSuite`."""
        return Cluster(name="fake", lbconfig=LbConfig(zone="a"))

    def balancer(self, among: list[FakeHost], seed: int = 1, **more: Any) -> Any:
        """See `BalancerSuite`."""
        for number, host in enumerate(among):
            host.priority, host.zone = number % 2, "ab"[number // 2 % 2]
        return super().balancer(among, seed, **more)


class _TiersTestCase(SynchronousTestCase):
    """What the tests of tiers have in common."""

    def setUp(self) -> None:
        """Take the settings of the suite."""
        self.suite = BalancerSuite()

    def build(self, among: Any, factory: Any = None, **lb: Any) -> Any:
        config = Cluster(name="c", lbconfig=LbConfig(**lb))
        self.settings = self.suite.settings(config=config)
        return Tiered(factory or RoundRobinFactory()).build(among, self.settings)

    def down(self, balancer: Any, among: Sequence[FakeHost]) -> None:
        for host in among:
            self.suite.turn(balancer, host, False)

    def shares(self, balancer: Any, times: int = 10_000) -> dict[tuple[int, str], int]:
        """Percentages of choices by priority and zone."""
        chosen = Counter(
            (host.priority, host.zone) for host in (balancer.chooseHost(None) for _ in range(times))
        )
        return {key: round(100 * count / times) for key, count in chosen.items()}


class TiersTests(_TiersTestCase):
    """Priorities and zones."""

    def test_notNeeded(self) -> None:
        """Without priorities, zone and threshold there is only what is inside."""
        self.assertIsInstance(self.build(hosts(1, 1)), RoundRobin)
        self.assertIsInstance(self.build([]), RoundRobin)
        balancer = self.build(spread((0, "", 1), (1, "", 1)))
        self.assertIsInstance(balancer, Tiers)
        verifyObject(IHealthAware, balancer)

    def test_priority(self) -> None:
        """The next priority gets what the healthy of the first cannot bear: 1.4 of their share."""
        among = spread((0, "", 10), (1, "", 10))
        balancer = self.build(among)
        self.assertEqual(self.shares(balancer), {(0, ""): 100})
        self.down(balancer, among[:2])
        self.assertEqual(self.shares(balancer), {(0, ""): 100})
        self.down(balancer, among[:5])
        found = self.shares(balancer)
        self.assertLess(abs(found[0, ""] - 70), 2)
        self.assertGreater(self.settings.stats.lb_failover, 2000)
        self.down(balancer, among[:10])
        self.assertEqual(self.shares(balancer), {(1, ""): 100})
        for host in among[:10]:
            self.suite.turn(balancer, host, True)
        self.assertEqual(self.shares(balancer), {(0, ""): 100})

    def test_allWeak(self) -> None:
        """When all together cannot bear the load, it is divided by what each can."""
        among = spread((0, "", 10), (1, "", 10))
        balancer = self.build(among)
        self.down(balancer, among[1:10])
        self.down(balancer, among[13:])
        found = self.shares(balancer)
        self.assertLess(abs(found[0, ""] - 25), 2)
        self.assertLess(abs(found[1, ""] - 75), 2)

    def test_lowestIsFirst(self) -> None:
        """The lowest priority that there is need not be 0, and is no failover."""
        balancer = self.build(spread((3, "", 2), (5, "", 2)))
        self.assertEqual(self.shares(balancer), {(3, ""): 100})
        self.assertEqual(self.settings.stats.lb_failover, 0)

    def test_zone(self) -> None:
        """The own zone comes first, then other zones, then the next priority."""
        among = spread((0, "a", 4), (0, "b", 4), (1, "a", 4))
        balancer = self.build(among, zone="a")
        self.assertEqual(self.shares(balancer), {(0, "a"): 100})
        self.down(balancer, among[:4])
        self.assertEqual(self.shares(balancer), {(0, "b"): 100})
        self.assertEqual(self.settings.stats.lb_other_zone, 10_000)
        self.down(balancer, among[:8])
        self.assertEqual(self.shares(balancer), {(1, "a"): 100})

    def test_noneHealthy(self) -> None:
        """When no host is healthy none is chosen."""
        among = spread((0, "", 2), (1, "", 2))
        balancer = self.build(among)
        self.down(balancer, among)
        self.assertIsNone(balancer.chooseHost(None))

    def test_keysStay(self) -> None:
        """Requests of one key go to one host, also while two tiers share the load."""
        among = spread((0, "", 10), (1, "", 10))
        balancer = self.build(among, MaglevFactory(499))
        self.down(balancer, among[:5])
        tiers = set()
        for key in range(100):
            exchange = FakeExchange()
            exchange.key = key << 32 | key
            chosen = {balancer.chooseHost(exchange) for _ in range(5)}
            self.assertEqual(len(chosen), 1)
            tiers |= {host.priority for host in chosen}
        self.assertEqual(tiers, {0, 1})

    def test_replaced(self) -> None:
        """The balancer of a tier replaces the one of the same tier."""
        seen: list[Any] = []

        class Noting(MaglevFactory):
            def build(self, among: Any, settings: Any) -> Any:
                seen.append(settings.before)
                return super().build(among, settings)

        among = spread((0, "", 2), (1, "", 2))
        first = self.build(among, Noting(499))
        self.assertEqual(seen, [None, None])
        Tiered(Noting(499)).build(among, self.suite.settings(before=first))
        self.assertEqual(seen[2:], [first.balancerOf((0, False)), first.balancerOf((1, False))])
        self.assertIsInstance(seen[2], Maglev)
        self.assertIsNone(first.balancerOf((7, False)))

    def test_strangers(self) -> None:
        """News of a host of another tier set changes nothing."""
        balancer = self.build(spread((0, "", 1), (1, "", 1)))
        stranger = FakeHost(priority=9)
        self.down(balancer, [stranger])
        self.assertEqual(self.shares(balancer), {(0, ""): 100})


class DivideTests(SynchronousTestCase):
    """Shares of tiers."""

    @settings(deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=6))
    def test_shares(self, sizes: list[tuple[int, int]]) -> None:
        """Shares make up the whole, and only tiers with healthy hosts have one."""
        tiers = []
        for number, (total, healthy) in enumerate(sizes):
            tier = Tier((number, False), [FakeHost()] * total, RoundRobin([], Random(1)), False)
            tier.healthy = min(healthy, total)
            tiers.append(tier)
        divide(tiers, 1.4)
        bounds = [0.0, *(tier.upTo for tier in tiers)]
        self.assertEqual(bounds, sorted(bounds))
        self.assertEqual(bounds[-1], 1.0 if any(tier.healthy for tier in tiers) else 0.0)
        for tier, low, high in zip(tiers, bounds, bounds[1:], strict=False):
            self.assertTrue(tier.healthy or low == high)


class PanicTests(_TiersTestCase):
    """Too few healthy hosts."""

    def test_fail(self) -> None:
        """Below the threshold requests are refused, by default, and counted."""
        among = hosts(1, 1, 1, 1)
        balancer = self.build(among, panic_threshold=50)
        self.down(balancer, among[:2])
        self.assertIsNotNone(balancer.chooseHost(None))
        self.down(balancer, among[:3])
        self.assertIsNone(balancer.chooseHost(None))
        stats = self.settings.stats
        self.assertEqual((stats.lb_panic, stats.lb_panic_requests), (1, 1))
        self.suite.turn(balancer, among[0], True)
        self.assertIsNotNone(balancer.chooseHost(None))
        self.assertEqual((stats.lb_panic, stats.lb_panic_requests), (0, 1))

    def test_all(self) -> None:
        """When it is asked for, all hosts are chosen from, healthy or not."""
        among = hosts(1, 1, 1, 1)
        balancer = self.build(among, panic_threshold=50, panic_mode="all")
        self.down(balancer, among)
        chosen = Counter(balancer.chooseHost(None) for _ in range(4000))
        self.assertEqual(set(chosen), set(among))
        self.assertGreater(min(chosen.values()), 800)

    def test_default(self) -> None:
        """Without a threshold the last healthy host gets all, and a dead one nothing."""
        among = hosts(*[1] * 10)
        balancer = self.build(among, panic_mode="all")
        self.down(balancer, among[1:])
        self.assertEqual({balancer.chooseHost(None) for _ in range(50)}, {among[0]})
        self.down(balancer, among)
        self.assertIsNone(balancer.chooseHost(None))
