"""Cross-checks of subsets: selectors, the hosts they find, and the routes that ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mosntx.config.checking import Checking
from mosntx.config.nodes import quote
from mosntx.config.schema import Cluster, LbSubsetConfig, Route

POLICIES = (0, 1, 2)
"""Values of ``fall_back_policy``; the last one reads ``default_subset``."""
DEFAULT_SUBSET = POLICIES[-1]

Keys = tuple[str, ...]


def checkSubsets(check: Checking) -> None:
    """Everything about subsets. All findings are warnings: MOSN starts with such files."""
    for cluster in check.config.cluster_manager.clusters:
        subset = cluster.lb_subset_config
        if subset is not None and not check.failedWithin(subset.path):
            checkSelectors(check, cluster, subset)
            checkDefault(check, cluster, subset)
    clusters = {one.name: one for one in reversed(check.config.cluster_manager.clusters)}
    for route in check.routes():
        for name, wanted, path in criteriaOf(check, route):
            target = clusters.get(name)
            if target is not None and not check.failedWithin(target.path):
                checkCriteria(check, target, wanted, path)


def keysOf(subset: LbSubsetConfig | None) -> list[Keys]:
    """Return the selectors that have an effect, with sorted keys."""
    selectors = () if subset is None else subset.subset_selectors
    return [tuple(sorted(set(selector))) for selector in selectors if selector]


def checkSelectors(check: Checking, cluster: Cluster, subset: LbSubsetConfig) -> None:
    """Selectors that are there twice, or that build no subset of the hosts in the file."""
    where = f"{subset.path}.subset_selectors"
    seen: dict[Keys, str] = {}
    labelled = [host.metadata for host in cluster.hosts]
    for number, selector in enumerate(subset.subset_selectors):
        if not selector:
            continue
        path, keys = f"{where}[{number}]", tuple(sorted(set(selector)))
        if keys in seen:
            check.warning(path, f"the same keys as {check.place(seen[keys])}", "remove one of them")
        elif labelled and not any(set(keys) <= set(labels) for labels in labelled):
            message = f"no host has metadata for {_keys(keys)}: there is no such subset"
            check.warning(path, message, "add them to 'metadata' of hosts")
        seen.setdefault(keys, path)


def checkDefault(check: Checking, cluster: Cluster, subset: LbSubsetConfig) -> None:
    """A default subset that is not used, is not there, or is all hosts."""
    path, policy, wanted = subset.path, subset.fall_back_policy, subset.default_subset
    if not keysOf(subset):
        if policy in POLICIES[1:] or wanted:
            fix = "name keys of metadata in 'subset_selectors'"
            check.warning(path, "has no effect without 'subset_selectors'", fix)
    elif policy != DEFAULT_SUBSET:
        if wanted:
            message = f"has no effect with 'fall_back_policy' {policy}"
            fix = f"set 'fall_back_policy' to {DEFAULT_SUBSET}"
            check.warning(f"{path}.default_subset", message, fix)
    elif not wanted:
        message = "falls back to 'default_subset', which is empty: any host is used"
        check.warning(f"{path}.fall_back_policy", message, "add 'default_subset', or write 1")
    elif cluster.hosts and not any(
        wanted.items() <= host.metadata.items() for host in cluster.hosts
    ):
        message = "no host has all of this metadata: the fallback has no host"
        check.warning(f"{path}.default_subset", message, "change it, or 'metadata' of hosts")


def criteriaOf(check: Checking, route: Route) -> Iterator[tuple[str, Mapping[str, str], str]]:
    """Yield cluster, criteria and path of each metadata_match of a route that counts."""
    action = route.route
    if action is None:
        return
    weighted = any(item.weight for item in action.weighted_clusters)
    path = f"{action.path}.metadata_match"
    if weighted and action.metadata_match:
        message = "has no effect beside 'weighted_clusters'"
        check.warning(path, message, "move it into each 'cluster' that it is for")
    elif action.metadata_match:
        yield action.cluster_name, action.metadata_match, path
    for item in action.weighted_clusters:
        if item.metadata_match:
            yield item.name, item.metadata_match, f"{item.path}.cluster.metadata_match"


def checkCriteria(check: Checking, cluster: Cluster, wanted: Mapping[str, str], path: str) -> None:
    """The cluster has a selector of exactly the keys that a route asks for."""
    selectors, keys = keysOf(cluster.lb_subset_config), tuple(sorted(wanted))
    if keys in selectors:
        return
    name = quote(cluster.name)
    fix = f"add {_keys(keys)} to its 'subset_selectors'"
    if not selectors:
        message = f"has no effect: cluster {name} has no 'lb_subset_config.subset_selectors'"
        check.warning(path, message, fix)
        return
    near = _nearest(keys, selectors)
    if near is not None:
        fix = f"match exactly {_keys(near)}, or {fix}"
    message = f"cluster {name} has no selector {_keys(keys)}: its fallback is always used"
    check.warning(path, message, fix)


def _nearest(keys: Keys, selectors: Iterable[Keys]) -> Keys | None:
    """The selector that shares the most keys and has the fewest others; None without any."""
    wanted = set(keys)
    near = max(selectors, key=lambda one: (len(wanted & set(one)), -len(one)))
    return near if wanted & set(near) else None


def _keys(keys: Keys) -> str:
    return f"[{', '.join(keys)}]"
