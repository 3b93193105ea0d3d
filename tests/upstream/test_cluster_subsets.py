"""Tests of `mosntx.upstream.cluster`: subsets of hosts that change."""

from __future__ import annotations

from random import Random
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.config.schema import LbConfig, LbSubsetConfig
from mosntx.testing.upstream import FakeExchange, FakePool
from mosntx.upstream.balancers.roundrobin import RoundRobin, RoundRobinFactory
from mosntx.upstream.balancers.weighted import WeightedFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, AddressTable
from mosntx.upstream.subset import ANY_ENDPOINT, NO_FALLBACK, Criteria


def host(address: str, weight: int = 1, **metadata: str) -> HostConfig:
    return HostConfig(address=address, weight=weight, metadata=metadata)


def criteria(**pairs: str) -> Criteria:
    return tuple(sorted(pairs.items()))


class ClusterSubsetsTests(SynchronousTestCase):
    """Hosts, metadata and selectors that come and go."""

    def setUp(self) -> None:
        self.addresses = AddressTable()

    def cluster(
        self, hosts: list[HostConfig], *selectors: tuple[str, ...], policy: int = ANY_ENDPOINT
    ) -> Cluster:
        """Return a cluster with these selectors."""
        config = ClusterConfig(name="c", hosts=tuple(hosts), lb_subset_config=None)
        return Cluster(
            self.selecting(config, *selectors, policy=policy),
            balancer=RoundRobinFactory(),
            poolFactory=FakePool,
            random=Random(1),
            seconds=Clock().seconds,
            addresses=self.addresses,
        )

    def selecting(
        self, config: ClusterConfig, *selectors: tuple[str, ...], policy: int = ANY_ENDPOINT
    ) -> ClusterConfig:
        """Return the settings with other selectors."""
        subset = LbSubsetConfig(fall_back_policy=policy, subset_selectors=selectors)
        return attrs.evolve(config, lb_subset_config=subset)

    def tree(self, cluster: Cluster) -> dict[Criteria, list[str]]:
        balancer: Any = cluster.loadBalancer
        return {key: [host.address for host in some] for key, some in balancer.hosts.items()}

    def chosen(self, cluster: Cluster, wanted: Criteria | None) -> set[str | None]:
        exchange = FakeExchange()
        exchange.criteria = wanted
        found = [cluster.loadBalancer.chooseHost(exchange) for _ in range(20)]
        return {None if host is None else host.address for host in found}

    def test_steps(self) -> None:
        """After each change the subsets are those of the present hosts (scenario 64)."""
        cluster = self.cluster([], ("zone", "group"), ("zone",))
        both = criteria(zone="zone0", group="a")
        a, b = host("a:1", zone="zone0", group="a"), host("b:1", zone="zone0", group="b")
        cluster.update([a])
        self.assertEqual(self.tree(cluster), {both: ["a:1"], criteria(zone="zone0"): ["a:1"]})
        self.assertEqual(self.chosen(cluster, both), {"a:1"})
        cluster.update([])
        self.assertEqual(self.tree(cluster), {})
        self.assertEqual(cluster.stats.lb_subsets_created, 0)
        self.assertEqual(self.chosen(cluster, both), {None})
        cluster.update([b])
        self.assertEqual(
            self.tree(cluster),
            {criteria(zone="zone0", group="b"): ["b:1"], criteria(zone="zone0"): ["b:1"]},
        )
        before = cluster.stats.lb_subsets_fallback
        self.assertEqual(self.chosen(cluster, both), {"b:1"})
        self.assertEqual(cluster.stats.lb_subsets_fallback, before + 20)
        cluster.update([host("b:1", zone="zone0", group="a")])
        self.assertEqual(self.tree(cluster), {both: ["b:1"], criteria(zone="zone0"): ["b:1"]})
        self.assertEqual(cluster.stats.lb_subsets_created, 2)

    def test_mixedUpdate(self) -> None:
        """Hosts that come, stay and change their labels make the sizes of subsets (66)."""

        def some(start: int, count: int, **metadata: str) -> list[HostConfig]:
            numbers = range(start, start + count)
            return [HostConfig(address=f"h{number}:1", metadata=metadata) for number in numbers]

        first = [*some(0, 10, version="1"), *some(10, 30, version="2", zone="a")]
        cluster = self.cluster(first, ("version",), ("version", "zone"))
        self.assertEqual(
            {key: len(names) for key, names in self.tree(cluster).items()},
            {
                criteria(version="1"): 10,
                criteria(version="2"): 30,
                criteria(version="2", zone="a"): 30,
            },
        )
        cluster.update(
            [
                *some(0, 5, version="1", zone="a"),
                *some(5, 5, version="1", zone="b"),
                *some(10, 20, version="2", zone="a"),
                *some(30, 10, version="2", zone="b"),
                *some(40, 10, version="3"),
                *some(50, 10),
            ]
        )
        self.assertEqual(
            {key: len(names) for key, names in self.tree(cluster).items()},
            {
                criteria(version="1"): 10,
                criteria(version="2"): 30,
                criteria(version="3"): 10,
                criteria(version="1", zone="a"): 5,
                criteria(version="1", zone="b"): 5,
                criteria(version="2", zone="a"): 20,
                criteria(version="2", zone="b"): 10,
            },
        )

    def test_relabelled(self) -> None:
        """A host whose metadata change moves; pools and stats stay with it (scenario 67)."""
        cluster = self.cluster([host("a:1", v="1"), host("b:1", v="1")], ("v",))
        pool = cluster.hosts[0].pool("Http1")
        stats = cluster.hosts[0].stats
        cluster.update([host("a:1", v="2"), host("b:1", v="1")])
        self.assertEqual(self.tree(cluster), {criteria(v="2"): ["a:1"], criteria(v="1"): ["b:1"]})
        self.assertEqual(self.chosen(cluster, criteria(v="1")), {"b:1"})
        self.assertIs(cluster.hosts[0].pool("Http1"), pool)
        self.assertIs(cluster.hosts[0].stats, stats)

    def test_selectorsChange(self) -> None:
        """New selectors count from the next request; hosts are kept (scenarios 52 and 68)."""
        hosts = [host("a:1", zone="a", version="1"), host("b:1", zone="a", version="2")]
        cluster = self.cluster(hosts, ("zone", "version"), policy=NO_FALLBACK)
        wanted = criteria(zone="a", version="1")
        self.assertEqual(self.chosen(cluster, wanted), {"a:1"})
        config = self.selecting(cluster.config, ("version",), policy=NO_FALLBACK)
        cluster.configure(config, RoundRobinFactory())
        self.assertEqual([one.address for one in cluster.hosts], ["a:1", "b:1"])
        self.assertEqual(self.chosen(cluster, wanted), {None})
        self.assertEqual(self.chosen(cluster, criteria(version="2")), {"b:1"})

    def test_switchedOff(self) -> None:
        """Without selectors the whole cluster serves, and there are no subsets any more."""
        cluster = self.cluster([host("a:1", v="1"), host("b:1", v="2")], ("v",))
        self.assertEqual(cluster.stats.lb_subsets_created, 2)
        cluster.configure(attrs.evolve(cluster.config, lb_subset_config=None), RoundRobinFactory())
        self.assertIsInstance(cluster.loadBalancer, RoundRobin)
        self.assertEqual(cluster.stats.lb_subsets_created, 0)
        self.assertEqual(self.chosen(cluster, criteria(v="1")), {"a:1", "b:1"})

    def test_otherType(self) -> None:
        """Another ``lb_type`` is the type of the subsets, too."""
        hosts = [host("a:1", weight=1, v="1"), host("b:1", weight=3, v="1"), host("c:1", v="2")]
        cluster = self.cluster(hosts, ("v",))
        cluster.configure(cluster.config, WeightedFactory())
        exchange = FakeExchange()
        exchange.criteria = criteria(v="1")
        found: list[Any] = [cluster.loadBalancer.chooseHost(exchange) for _ in range(400)]
        self.assertEqual(sum(one.address == "b:1" for one in found), 300)

    def test_snapshot(self) -> None:
        """A balancer that a request holds goes on choosing among the hosts it was made for."""
        cluster = self.cluster([host("a:1", v="1")], ("v",))
        before = cluster.loadBalancer
        cluster.update([host("b:1", v="1")])
        exchange = FakeExchange()
        exchange.criteria = criteria(v="1")
        self.assertEqual(getattr(before.chooseHost(exchange), "address", None), "a:1")

    def test_activeCheck(self) -> None:
        """A host that fails its check is chosen neither with criteria nor without (88)."""
        cluster = self.cluster([host(f"{name}:1", v="1") for name in "abc"], ("v",))
        self.addresses.setFlag("b:1", FAILED_ACTIVE_CHECK)
        for wanted in (criteria(v="1"), None):
            self.assertEqual(self.chosen(cluster, wanted), {"a:1", "c:1"})
        self.addresses.clearFlag("b:1", FAILED_ACTIVE_CHECK)
        for wanted in (criteria(v="1"), None):
            self.assertEqual(self.chosen(cluster, wanted), {"a:1", "b:1", "c:1"})

    def test_failover(self) -> None:
        """Within a subset, too, hosts of the next priority stand in for those that are ill."""
        hosts = [
            HostConfig(address=f"{name}:1", priority=priority, metadata={"v": version})
            for name, priority, version in (("a", 0, "1"), ("b", 1, "1"), ("c", 0, "2"))
        ]
        cluster = self.cluster(hosts, ("v",), policy=NO_FALLBACK)
        wanted = criteria(v="1")
        self.assertEqual(self.chosen(cluster, wanted), {"a:1"})
        self.addresses.setFlag("a:1", FAILED_ACTIVE_CHECK)
        self.assertEqual(self.chosen(cluster, wanted), {"b:1"})
        self.assertEqual(self.chosen(cluster, criteria(v="2")), {"c:1"})
        self.addresses.clearFlag("a:1", FAILED_ACTIVE_CHECK)
        self.assertEqual(self.chosen(cluster, wanted), {"a:1"})

    def test_panicOfASubset(self) -> None:
        """Panic is counted by part: a subset panics while the cluster as a whole does not."""
        hosts = [host(f"{name}:1", v=version) for name, version in zip("abcd", "1222", strict=True)]
        cluster = self.cluster(hosts, ("v",), policy=NO_FALLBACK)
        lb = LbConfig(panic_threshold=50, panic_mode="all")
        cluster.configure(attrs.evolve(cluster.config, lbconfig=lb), RoundRobinFactory())
        self.assertEqual(self.chosen(cluster, criteria(v="1")), {"a:1"})
        self.addresses.setFlag("a:1", FAILED_ACTIVE_CHECK)
        self.assertEqual(self.chosen(cluster, criteria(v="1")), {"a:1"})
        self.assertEqual(cluster.stats.lb_panic, 1)
        self.assertEqual(self.chosen(cluster, None), {"b:1", "c:1", "d:1"})
        self.flushLoggedErrors()

    def test_replaced(self) -> None:
        """The balancer of a part is told which one it replaces, the whole's and the subset's."""
        told: dict[str, Any] = {}

        class Noting(RoundRobinFactory):
            def build(self, hosts: Any, settings: Any) -> RoundRobin:
                told[settings.scope] = settings.before
                return super().build(hosts, settings)

        hosts = [host("a:1", v="1", z="1"), host("b:1", v="2", z="1")]
        cluster = self.cluster(hosts, ("v",), ("v", "z"))
        cluster.configure(cluster.config, Noting())
        self.chosen(cluster, criteria(v="1", z="1"))
        self.assertEqual(set(told), {"", "v=1,z=1"})
        self.assertIsNone(told["v=1,z=1"])
        balancer: Any = cluster.loadBalancer
        parts = dict(balancer.parts)
        cluster.update([*hosts, host("c:1", v="1", z="1")])
        self.assertIs(told["v=1,z=1"], parts[criteria(v="1", z="1")])
        self.assertIs(told[""], parts[()])
        plain = attrs.evolve(cluster.config, lb_subset_config=None)
        balancer = cluster.loadBalancer
        cluster.configure(plain, Noting())
        self.assertIs(told[""], balancer.parts[()])
