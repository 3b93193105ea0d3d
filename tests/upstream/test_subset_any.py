"""Property tests of `mosntx.upstream.subset`: the same choices as a walk through MOSN's trie."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import LbSubsetConfig
from mosntx.stats.structs import ClusterStats
from mosntx.testing.upstream import FakeExchange, FakeHost
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.balancers.settings import BalancerSettings
from mosntx.upstream.subset import balance

KEYS = st.sampled_from(["a", "b", "c", "ab"])
LABELS = st.dictionaries(KEYS, st.sampled_from(["1", "2", ""]), max_size=4)
HOSTS = st.lists(st.tuples(LABELS, st.booleans()), max_size=6)
SELECTORS = st.lists(st.lists(KEYS, max_size=3), min_size=1, max_size=4).filter(any)


class _Node:
    """A place in the trie; ``hosts`` is None in the middle of a selector."""

    def __init__(self) -> None:
        self.children: dict[tuple[str, str], _Node] = {}
        self.hosts: list[FakeHost] | None = None


class Trie:
    """Subsets as MOSN has them: slow, and near to its description."""

    def __init__(self, selectors: Iterable[Sequence[str]], hosts: Sequence[FakeHost]) -> None:
        self.root = _Node()
        self.hosts = hosts
        self.count = 0
        for selector in {tuple(sorted(set(one))) for one in selectors if one}:
            for host in hosts:
                if all(key in host.metadata for key in selector):
                    self._put(host, selector)

    def _put(self, host: FakeHost, selector: Sequence[str]) -> None:
        node = self.root
        for key in selector:
            node = node.children.setdefault((key, host.metadata[key]), _Node())
        if node.hosts is None:
            node.hosts = []
            self.count += 1
        node.hosts.append(host)

    def find(self, wanted: Iterable[tuple[str, str]]) -> list[FakeHost]:
        """Return the hosts of the subset where these pairs lead."""
        node: _Node | None = self.root
        for pair in wanted:
            node = node.children.get(pair) if node is not None else None
        return [] if node is None else node.hosts or []

    def choices(
        self, wanted: tuple[tuple[str, str], ...] | None, policy: int, default: dict[str, str]
    ) -> set[str]:
        """Return the addresses of all hosts that may be chosen."""
        if not wanted:
            return {host.address for host in self.hosts if host.healthy}
        found = {host.address for host in self.find(wanted) if host.healthy}
        if found or policy == 0:
            return found
        needed = default.items() if policy == 2 else ()
        return {
            host.address
            for host in self.hosts
            if host.healthy and all(host.metadata.get(key) == value for key, value in needed)
        }


class AnySubsetTests(SynchronousTestCase):
    """Any hosts, selectors, policies and criteria."""

    @given(
        HOSTS,
        SELECTORS,
        st.sampled_from([0, 1, 2]),
        LABELS,
        st.lists(st.one_of(st.none(), LABELS), max_size=6),
    )
    def test_like(
        self,
        labels: list[tuple[dict[str, str], bool]],
        selectors: list[list[str]],
        policy: int,
        default: dict[str, str],
        asked: list[dict[str, str] | None],
    ) -> None:
        """Whatever is asked, exactly the hosts that the trie allows are chosen."""
        hosts = [
            FakeHost(f"h{number}", metadata=metadata, healthy=healthy)
            for number, (metadata, healthy) in enumerate(labels)
        ]
        trie = Trie(selectors, hosts)
        settings = BalancerSettings(random=Random(1), seconds=Clock().seconds)
        factory, stats = RoundRobinFactory(), ClusterStats("c")
        config = LbSubsetConfig(
            fall_back_policy=policy,
            default_subset=default,
            subset_selectors=tuple(tuple(selector) for selector in selectors),
        )
        balancer = balance(
            config, hosts, lambda some, part, before: factory.build(some, settings), stats
        )
        self.assertEqual(stats.lb_subsets_created, trie.count)
        for metadata in asked:
            context = FakeExchange()
            context.criteria = None if metadata is None else tuple(sorted(metadata.items()))
            found: list[Any] = [balancer.chooseHost(context) for _ in range(2 * len(hosts) + 1)]
            chosen = {host.address for host in found if host is not None}
            self.assertEqual(chosen, trie.choices(context.criteria, policy, default))
            self.assertEqual(None in found, not chosen)
