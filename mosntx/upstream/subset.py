"""Subset load balancing: only the hosts whose metadata match (spec/upstream.md 7).

MOSN walks a trie, key -> value -> key -> value, and only where a selector ends there is a subset
(pkg/upstream/cluster/subset_loadbalancer.go). Criteria are sorted by key, and so are selectors:
the way through the trie is the criteria themselves. So all subsets stand in one table by their
criteria, and one look-up finds what the walk finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from zope.interface import implementer

from mosntx.config.schema import LbSubsetConfig
from mosntx.contracts.upstream import IHealthAware, IHost, ILoadBalancer, ILoadBalancerContext
from mosntx.stats.structs import ClusterStats

#: Values of ``fall_back_policy``; all others count as `NO_FALLBACK`.
NO_FALLBACK = 0
ANY_ENDPOINT = 1
DEFAULT_SUBSET = 2

#: Pairs of key and value, sorted by key; each key once.
Criteria = tuple[tuple[str, str], ...]

#: Makes a balancer over some hosts; the criteria say which part of the cluster they are,
#: ``()`` = all of it. The third is the balancer of this part that is being replaced.
Make = Callable[[Sequence[IHost], Criteria, ILoadBalancer | None], ILoadBalancer]


def balance(
    config: LbSubsetConfig | None,
    hosts: Sequence[IHost],
    make: Make,
    stats: ClusterStats,
    before: ILoadBalancer | Subsets | None = None,
) -> ILoadBalancer:
    """Return the balancer of a cluster: `Subsets` when it has selectors, else one over all hosts.

    :param stats: gets the number of subsets, and later each fallback.
    :param before: the balancer that is being replaced.
    """
    stats.lb_subsets_created = 0
    selectors = [] if config is None else sortedSelectors(config.subset_selectors)
    if config is None or not selectors:
        return make(hosts, (), _partOf(before, ()))
    return Subsets(config, selectors, hosts, make, stats, before)


def _partOf(balancer: ILoadBalancer | Subsets | None, part: Criteria) -> ILoadBalancer | None:
    """Return the balancer of a part of a cluster, from the one of the whole."""
    if isinstance(balancer, Subsets):
        return balancer.parts.get(part)
    return None if part else balancer


def sortedSelectors(selectors: Iterable[Iterable[str]]) -> list[tuple[str, ...]]:
    """Return each selector once, its keys sorted and each once; none of them empty."""
    known = dict.fromkeys(tuple(sorted(set(selector))) for selector in selectors)
    known.pop((), None)
    return list(known)


def members(
    selectors: Iterable[Sequence[str]], hosts: Iterable[IHost]
) -> dict[Criteria, list[IHost]]:
    """Return the hosts of each subset, in their order.

    A host that has not all keys of a selector is in none of the selector's subsets.
    """
    found: dict[Criteria, list[IHost]] = {}
    labelled = [(host, host.metadata) for host in hosts if host.metadata]
    for selector in selectors:
        for host, metadata in labelled:
            try:
                criteria = tuple([(key, metadata[key]) for key in selector])
            except KeyError:
                continue
            known = found.get(criteria)
            if known is None:
                found[criteria] = [host]
            else:
                known.append(host)
    return found


@implementer(IHealthAware)
class Subsets:
    """See `ILoadBalancer`. Each subset has a balancer of the cluster's ``lb_type``.

    A request without criteria may go to any host, whatever the fallback policy. Choosing for no
    request at all (``None``) follows the policy as in MOSN, but finds any host without fallback.

    There may be thousands of subsets, routes ask for a few, and some balancers are large: each is
    made when it is asked for.

    :ivar hosts: those of each subset by its criteria; for views and checks.
    :ivar parts: all balancers there are by now, by criteria: of the whole, of subsets that were
        asked for, and of the default subset, whether a selector makes it or not.
    """

    __slots__ = ("_all", "_instead", "_made", "_make", "_stats", "hosts", "parts")

    def __init__(
        self,
        config: LbSubsetConfig,
        selectors: Iterable[Sequence[str]],
        hosts: Sequence[IHost],
        make: Make,
        stats: ClusterStats,
        before: ILoadBalancer | Subsets | None = None,
    ) -> None:
        """Sort the hosts; what was asked for of the balancer before is made at once.

        :param selectors: as `sortedSelectors` returns them.
        """
        self.hosts: Mapping[Criteria, Sequence[IHost]] = members(selectors, hosts)
        self._make = make
        self._made: dict[Criteria, ILoadBalancer] = {}
        self.parts: dict[Criteria, ILoadBalancer] = {}
        self._all = self.parts[()] = make(hosts, (), _partOf(before, ()))
        self._instead = self._fallback(config, hosts, before)
        if isinstance(before, Subsets):
            for criteria in before.used:
                self._find(criteria, before)
        self._stats = stats
        stats.lb_subsets_created = len(self.hosts)

    @property
    def used(self) -> Iterable[Criteria]:
        """The criteria of the subsets that have a balancer by now."""
        return self._made.keys()

    def healthChanged(self, host: IHost) -> None:
        """See `IHealthAware.healthChanged`."""
        labels = host.metadata.items()
        for criteria, balancer in self.parts.items():
            if IHealthAware.providedBy(balancer) and labels >= set(criteria):
                aware: Any = balancer
                aware.healthChanged(host)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`. When no host of the subset is healthy, fall back."""
        instead = self._instead
        if context is None:
            if instead is None:
                return self._all.chooseHost(None)
        else:
            criteria = context.metadata()
            if not criteria:
                return self._all.chooseHost(context)
            subset = self._made.get(criteria)
            if subset is None:
                subset = self._find(criteria)
            if subset is not None:
                host = subset.chooseHost(context)
                if host is not None:
                    return host
            if instead is None:
                return None
        self._stats.lb_subsets_fallback += 1
        return instead.chooseHost(context)

    def _find(
        self, criteria: Criteria, before: ILoadBalancer | Subsets | None = None
    ) -> ILoadBalancer | None:
        """Return the balancer of a subset, ``None`` when there is no such subset."""
        made = self._made.get(criteria)
        if made is None and criteria in self.hosts:
            made = self._make(self.hosts[criteria], criteria, _partOf(before, criteria))
            self._made[criteria] = self.parts[criteria] = made
        return made

    def _fallback(
        self,
        config: LbSubsetConfig,
        hosts: Sequence[IHost],
        before: ILoadBalancer | Subsets | None,
    ) -> ILoadBalancer | None:
        """Return what chooses when the subset has no host to give."""
        policy = config.fall_back_policy
        wanted = config.default_subset
        if policy == ANY_ENDPOINT or (policy == DEFAULT_SUBSET and not wanted):
            return self._all
        if policy != DEFAULT_SUBSET:
            return None
        criteria = tuple(sorted(wanted.items()))
        known = self._find(criteria, before)
        if known is not None:
            return known
        some = [
            host
            for host in hosts
            if all(host.metadata.get(key) == value for key, value in criteria)
        ]
        made = self.parts[criteria] = self._make(some, criteria, _partOf(before, criteria))
        return made
