"""Tests of `mosntx.upstream.subset`: MOSN's scenarios 57 to 70."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.config.schema import LbSubsetConfig
from mosntx.contracts.upstream import IHealthAware, ILoadBalancer, ILoadBalancerFactory
from mosntx.stats.structs import ClusterStats
from mosntx.testing.contracts.balancer import BalancerSuite
from mosntx.testing.upstream import FakeExchange, FakeHost
from mosntx.upstream.balancers.random import RandomFactory
from mosntx.upstream.balancers.roundrobin import RoundRobin, RoundRobinFactory
from mosntx.upstream.balancers.settings import BalancerSettings
from mosntx.upstream.balancers.weighted import WeightedFactory
from mosntx.upstream.subset import (
    ANY_ENDPOINT,
    DEFAULT_SUBSET,
    NO_FALLBACK,
    Criteria,
    Subsets,
    balance,
    sortedSelectors,
)

PROD = {"stage": "prod", "type": "std"}
#: The hosts of MOSN's tests.
REFERENCE: dict[str, dict[str, str]] = {
    "e1": {**PROD, "version": "1.0", "xlarge": "true"},
    "e2": {**PROD, "version": "1.0"},
    "e3": {**PROD, "version": "1.1"},
    "e4": {**PROD, "version": "1.1"},
    "e5": {"stage": "prod", "version": "1.0", "type": "bigmem"},
    "e6": {"stage": "prod", "version": "1.1", "type": "bigmem"},
    "e7": {"stage": "dev", "version": "1.2-pre", "type": "std"},
}
SELECTORS = (("stage", "type"), ("stage", "version"), ("version",), ("xlarge", "version"))
ALL = set(REFERENCE)


def reference() -> list[FakeHost]:
    """Return the hosts of MOSN's tests."""
    return [FakeHost(name, metadata=metadata) for name, metadata in REFERENCE.items()]


def criteria(**pairs: str) -> Criteria:
    return tuple(sorted(pairs.items()))


def asking(wanted: Criteria | None) -> FakeExchange:
    exchange = FakeExchange()
    exchange.criteria = wanted
    return exchange


class Balancing:
    """A balancer over hosts, and its stats."""

    def __init__(
        self,
        hosts: Sequence[FakeHost],
        *selectors: Iterable[str],
        policy: int = NO_FALLBACK,
        default: Mapping[str, str] | None = None,
        factory: Any = None,
    ) -> None:
        self.stats = ClusterStats("c")
        make: Any = factory or RoundRobinFactory()
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds)
        config = LbSubsetConfig(
            fall_back_policy=policy,
            default_subset=default or {},
            subset_selectors=tuple(tuple(selector) for selector in selectors),
        )
        self.balancer: Any = balance(
            config, hosts, lambda some, part, before: make.build(some, settings), self.stats
        )

    def chosen(self, wanted: Criteria | None, times: int = 20) -> set[str | None]:
        """Return the addresses that requests with these criteria get."""
        return self.counted(asking(wanted), times)

    def counted(self, context: FakeExchange | None, times: int = 20) -> set[str | None]:
        """Return the addresses that one context gets."""
        found = (self.balancer.chooseHost(context) for _ in range(times))
        return {None if host is None else host.address for host in found}

    @property
    def tree(self) -> dict[Criteria, list[str]]:
        """The addresses of each subset."""
        return {key: [host.address for host in some] for key, some in self.balancer.hosts.items()}


class SubsetTests(SynchronousTestCase):
    """Building and choosing."""

    def test_reference(self) -> None:
        """Each selector has one subset for each combination of values that hosts have (57)."""
        balancing = Balancing(reference(), *SELECTORS)
        wanted = {
            criteria(stage="dev", type="std"): ["e7"],
            criteria(stage="dev", version="1.2-pre"): ["e7"],
            criteria(stage="prod", type="std"): ["e1", "e2", "e3", "e4"],
            criteria(stage="prod", type="bigmem"): ["e5", "e6"],
            criteria(stage="prod", version="1.0"): ["e1", "e2", "e5"],
            criteria(stage="prod", version="1.1"): ["e3", "e4", "e6"],
            criteria(version="1.0"): ["e1", "e2", "e5"],
            criteria(version="1.1"): ["e3", "e4", "e6"],
            criteria(version="1.2-pre"): ["e7"],
            criteria(version="1.0", xlarge="true"): ["e1"],
        }
        self.assertEqual(balancing.tree, wanted)
        self.assertEqual(balancing.stats.lb_subsets_created, 10)
        for key, names in wanted.items():
            self.assertEqual(balancing.chosen(key), set(names))

    def test_exact(self) -> None:
        """A selector's first key alone is no subset, nor are more keys than it has (58)."""
        balancing = Balancing(reference(), *SELECTORS)
        both = criteria(stage="prod", version="1.0")
        self.assertEqual(balancing.chosen(both), {"e1", "e2", "e5"})
        self.assertEqual(balancing.chosen(criteria(stage="prod")), {None})
        self.assertEqual(
            balancing.chosen(criteria(stage="prod", version="1.0", type="std")), {None}
        )
        self.assertEqual(balancing.chosen(criteria(stage="prod", version="9")), {None})

    def test_onlyOneSelector(self) -> None:
        """With [xlarge, version] the version alone finds nothing (59)."""
        balancing = Balancing(reference(), ("xlarge", "version"))
        self.assertEqual(balancing.chosen(criteria(version="1.0")), {None})
        self.assertEqual(balancing.chosen(criteria(version="1.0", xlarge="true")), {"e1"})

    def test_defaultSubset(self) -> None:
        """The default subset takes what has no subset, and choices for no request (60)."""
        balancing = Balancing(
            reference(), ("version", "xlarge"), policy=DEFAULT_SUBSET, default={"stage": "dev"}
        )
        self.assertEqual(balancing.chosen(criteria(version="1.0", xlarge="true")), {"e1"})
        for wanted in (
            criteria(version="1.0", xlarge="false"),
            criteria(version="1.2", xlarge="true"),
            criteria(stage="prod"),
        ):
            self.assertEqual(balancing.chosen(wanted), {"e7"})
        self.assertEqual(balancing.counted(None), {"e7"})
        self.assertEqual(balancing.stats.lb_subsets_fallback, 80)

    def test_noCriteria(self) -> None:
        """No criteria, or an empty list of them, are all hosts, whatever the policy (62)."""
        for policy in (NO_FALLBACK, ANY_ENDPOINT, DEFAULT_SUBSET):
            balancing = Balancing(
                reference(), ("version",), policy=policy, default={"stage": "dev"}
            )
            self.assertEqual(balancing.chosen(None), ALL)
            self.assertEqual(balancing.chosen(()), ALL)
            self.assertEqual(balancing.stats.lb_subsets_fallback, 0)

    def test_anyEndpoint(self) -> None:
        """Only a full match is a subset; all else finds any host (61)."""
        labels: list[dict[str, str]] = [
            {"zone": "z0", "room": "r0"},
            {"zone": "z0"},
            {"room": "r1"},
            {},
        ]
        hosts = [FakeHost(f"h{n}", metadata=metadata) for n, metadata in enumerate(labels)]
        balancing = Balancing(hosts, ("zone", "room"), policy=ANY_ENDPOINT)
        self.assertEqual(balancing.chosen(criteria(zone="z0", room="r0")), {"h0"})
        for wanted in (
            criteria(zone="z0"),
            criteria(room="r1"),
            criteria(zone="z1", room="r1"),
            criteria(a="b"),
            (),
            None,
        ):
            self.assertEqual(balancing.chosen(wanted), {"h0", "h1", "h2", "h3"})
        self.assertEqual(balancing.counted(None), {"h0", "h1", "h2", "h3"})

    def test_noFallback(self) -> None:
        """Without fallback a subset that is not there has no host, and nothing is counted (62)."""
        balancing = Balancing(reference(), *SELECTORS)
        self.assertEqual(len(balancing.chosen(criteria(stage="prod", version="1.0"))), 3)
        self.assertEqual(balancing.chosen(criteria(stage="prod")), {None})
        self.assertEqual(balancing.chosen(None), ALL)
        self.assertEqual(balancing.counted(None), ALL)
        self.assertEqual(balancing.stats.lb_subsets_fallback, 0)

    def test_moreKeys(self) -> None:
        """Criteria of two keys find no subset of one, but with ANY_ENDPOINT all hosts (65)."""
        balancing = Balancing(reference(), ("stage",), ("version",), policy=ANY_ENDPOINT)
        self.assertEqual(balancing.chosen(criteria(stage="prod", version="1.0")), ALL)

    def test_selectorsOfOneCluster(self) -> None:
        """The order of a selector's keys does not matter; doubles and empty ones are left out."""
        self.assertEqual(
            sortedSelectors([["b", "a"], ["a", "b", "a"], [], ["a"], ["b", "a"]]),
            [("a", "b"), ("a",)],
        )
        twice = Balancing(reference(), ("version", "stage"), ("stage", "version"))
        once = Balancing(reference(), ("stage", "version"))
        self.assertEqual(twice.tree, once.tree)
        self.assertEqual(twice.stats.lb_subsets_created, 3)

    def test_off(self) -> None:
        """Without a selector there are no subsets; criteria are not looked at."""
        for selectors in ((), ((),)):
            balancing = Balancing(reference(), *selectors)
            self.assertIsInstance(balancing.balancer, RoundRobin)
            self.assertEqual(balancing.chosen(criteria(stage="none")), ALL)
            self.assertEqual(balancing.stats.lb_subsets_created, 0)


class FallbackTests(SynchronousTestCase):
    """Subsets that cannot serve."""

    def test_unhealthySubset(self) -> None:
        """When no host of the subset is healthy, the policy decides (70)."""
        for policy, wanted in (
            (NO_FALLBACK, {None}),
            (ANY_ENDPOINT, {"e3", "e4", "e6", "e7"}),
            (DEFAULT_SUBSET, {"e7"}),
        ):
            hosts = reference()
            balancing = Balancing(hosts, ("version",), policy=policy, default={"stage": "dev"})
            old = [host for host in hosts if host.metadata["version"] == "1.0"]
            for host in old:
                host.healthy = False
            self.assertEqual(balancing.chosen(criteria(version="1.0")), wanted)
            self.assertEqual(balancing.stats.lb_subsets_fallback, 20 if policy else 0)
            old[1].healthy = True
            self.assertEqual(balancing.chosen(criteria(version="1.0")), {"e2"})

    def test_emptyDefault(self) -> None:
        """A default subset without metadata is all hosts."""
        balancing = Balancing(reference(), ("version",), policy=DEFAULT_SUBSET)
        self.assertEqual(balancing.chosen(criteria(version="9")), ALL)

    def test_defaultWithoutHosts(self) -> None:
        """A default subset that no host is in has no host to give; the attempt counts."""
        default = {"stage": "prod", "version": "1.2-pre"}
        balancing = Balancing(reference(), ("version",), policy=DEFAULT_SUBSET, default=default)
        self.assertEqual(balancing.chosen(criteria(version="9"), 1), {None})
        self.assertEqual(balancing.stats.lb_subsets_fallback, 1)

    def test_defaultNeedsAllPairs(self) -> None:
        """The default subset needs no selector, and its hosts have all of its pairs."""
        default = {"xlarge": "true", "type": "std"}
        balancing = Balancing(reference(), ("version",), policy=DEFAULT_SUBSET, default=default)
        self.assertEqual(balancing.chosen(criteria(version="9")), {"e1"})

    def test_defaultThatIsASubset(self) -> None:
        """A default subset that a selector builds, too, shares its turns."""
        balancing = Balancing(
            reference(), ("stage",), policy=DEFAULT_SUBSET, default={"stage": "prod"}
        )
        turns = [
            balancing.balancer.chooseHost(asking(criteria(stage=stage))).address
            for stage in ("prod", "none") * 3
        ]
        self.assertEqual(sorted(turns), ["e1", "e2", "e3", "e4", "e5", "e6"])

    def test_unknownPolicy(self) -> None:
        """A policy that nobody knows is no fallback."""
        balancing = Balancing(reference(), ("version",), policy=200)
        self.assertEqual(balancing.chosen(criteria(version="9")), {None})

    def test_noHosts(self) -> None:
        """Without hosts no fallback finds one."""
        for policy in (NO_FALLBACK, ANY_ENDPOINT, DEFAULT_SUBSET):
            balancing = Balancing([], ("zone",), policy=policy)
            for wanted in (criteria(zone="a"), None, ()):
                self.assertEqual(balancing.chosen(wanted), {None})
            self.assertEqual(balancing.counted(None), {None})


class OfEachTypeTests(SynchronousTestCase):
    """A subset chooses as the cluster's ``lb_type`` says."""

    def test_weights(self) -> None:
        """Within a subset the weights of its hosts count."""
        hosts = [
            FakeHost(f"h{n}", weight=weight, metadata={"v": version})
            for n, (weight, version) in enumerate([(1, "a"), (3, "a"), (100, "b"), (2, "b")])
        ]
        balancing = Balancing(hosts, ("v",), factory=WeightedFactory())
        shares = Counter(
            balancing.balancer.chooseHost(asking(criteria(v="a"))).address for _ in range(400)
        )
        self.assertEqual(shares, {"h0": 100, "h1": 300})

    def test_turns(self) -> None:
        """Each subset has turns of its own: requests of another one take none of them."""
        balancing = Balancing(reference(), ("type",))
        std, bigmem = criteria(type="std"), criteria(type="bigmem")
        chosen = []
        for _ in range(5):
            chosen.append(balancing.balancer.chooseHost(asking(std)).address)
            balancing.balancer.chooseHost(asking(bigmem))
        self.assertEqual(len(set(chosen)), 5)

    def test_madeWhenAskedFor(self) -> None:
        """A subset that nobody asks for has no balancer; one that was asked for keeps it."""
        made: list[tuple[str, ...]] = []

        class Noting(RoundRobinFactory):
            def build(self, hosts: Sequence[Any], settings: Any) -> RoundRobin:
                made.append(tuple(host.address for host in hosts))
                return super().build(hosts, settings)

        balancing = Balancing(reference(), ("type",), factory=Noting())
        self.assertEqual(made, [tuple(REFERENCE)])
        for _ in range(3):
            balancing.chosen(criteria(type="bigmem"))
            balancing.chosen(criteria(type="small"))
        self.assertEqual(made, [tuple(REFERENCE), ("e5", "e6")])
        self.assertEqual(list(balancing.balancer.used), [criteria(type="bigmem")])

    def test_preparedAfterAChange(self) -> None:
        """What was asked for before a change of hosts is ready after it, without a request."""
        before = Balancing(reference(), ("type",), ("version",))
        for wanted in (criteria(type="bigmem"), criteria(version="1.0")):
            before.chosen(wanted)
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds)
        factory, stats = RoundRobinFactory(), ClusterStats("c")
        after: Any = balance(
            LbSubsetConfig(subset_selectors=(("type",),)),
            reference(),
            lambda some, part, before: factory.build(some, settings),
            stats,
            before.balancer,
        )
        self.assertEqual(list(after.used), [criteria(type="bigmem")])

    def test_random(self) -> None:
        """With a random balancer all hosts of a subset are chosen, and no others."""
        balancing = Balancing(reference(), ("stage",), factory=RandomFactory())
        self.assertEqual(balancing.chosen(criteria(stage="prod"), 300), ALL - {"e7"})


class SubsetSuiteTests(BalancerSuite, SynchronousTestCase):
    """What holds for every balancer, for one subset among others."""

    def factory(self) -> ILoadBalancerFactory:
        """See `BalancerSuite`: the subset's own balancer."""
        return RoundRobinFactory()

    def balancer(self, among: list[FakeHost], seed: int = 1, **more: Any) -> ILoadBalancer:
        """See `BalancerSuite`: subsets, with hosts of another version that are well."""
        for host in among:
            host.metadata = {"version": "1"}
        others = [FakeHost(f"10.1.0.{n}:80", metadata={"version": "2"}) for n in range(3)]
        config = LbSubsetConfig(
            subset_selectors=(("version",),),
            fall_back_policy=DEFAULT_SUBSET,
            default_subset={"version": "1"},
        )
        factory, settings = self.factory(), self.settings(seed)
        balancer = balance(
            config,
            [*others, *among],
            lambda some, part, before: factory.build(some, settings),
            ClusterStats("c"),
        )
        self.assertIsInstance(balancer, Subsets)
        verifyObject(IHealthAware, balancer)
        return balancer

    def choose(self, balancer: ILoadBalancer, times: int) -> list[Any]:
        """See `BalancerSuite`: requests for version 1."""
        return [balancer.chooseHost(asking(criteria(version="1"))) for _ in range(times)]
