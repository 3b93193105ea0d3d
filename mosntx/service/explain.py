"""What would happen to a request: the words of ``mosntx explain`` and of the admin API.

Nothing is sent. The routers and clusters that serve are asked, with their health as of now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from attrs import frozen

from mosntx.config.schema import Listener, ProxyConfig
from mosntx.contracts.message import IRequestHead, Pair
from mosntx.protocol.bolt.heads import BoltRequest
from mosntx.protocol.bolt.simplemap import writePairs
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.router.explain import RouteExplanation, explainRoute
from mosntx.router.policies import requestTimeouts
from mosntx.service.failures import place
from mosntx.upstream.subset import ANY_ENDPOINT, DEFAULT_SUBSET, NO_FALLBACK, Subsets

if TYPE_CHECKING:
    from mosntx.service.sidecar import Sidecar
    from mosntx.upstream.cluster import Cluster

#: The client of a request that nobody has sent.
SOURCE: Final = "127.0.0.1:40000"

#: Hosts that are listed of a cluster; the others are counted.
MAX_HOSTS: Final = 50


class ExplainError(ValueError):
    """The question cannot be asked; the text says why."""


@frozen
class Question:
    """A request that nobody has sent.

    :ivar url: ``http://host/path`` or ``/path``; empty for RPC.
    :ivar fields: header fields; with RPC ``service`` is the service.
    """

    method: str = "GET"
    url: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    source: str = SOURCE

    def head(self) -> IRequestHead:
        """Return what a codec would have made of it.

        :raises ExplainError: when it is no request.
        """
        pairs: list[Pair] = [(name.encode(), value.encode()) for name, value in self.fields]
        if not self.url:
            return BoltRequest.of(writePairs(pairs))
        parts = urlsplit(self.url)
        if parts.scheme not in ("", "http", "https") or parts.path[:1] not in ("", "/"):
            raise ExplainError(f"{self.url!r} is no URL of HTTP")
        host = parts.netloc.encode()
        given = next((value for name, value in pairs if name.lower() == b"host"), None)
        if host and given is None:
            pairs.insert(0, (b"Host", host))
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        authority = given or host
        return RequestHead(self.method.encode(), target.encode(), authority.lower(), Headers(pairs))


def explain(sidecar: Sidecar, listener: str, question: Question) -> dict[str, Any]:
    """Return what would happen to a request that comes to a listener.

    :param listener: its name; empty if there is only one.
    :raises ExplainError: when there is no such listener, or it speaks no protocol of requests.
    """
    config, proxy = _listener(sidecar, listener)
    head = question.head()
    found = explainRoute(
        sidecar.routers.get(proxy.router_config_name).router, head, question.source
    )
    loaded = sidecar.loaded
    return {
        "listener": {
            "name": config.name or config.address,
            "config": place(config.path, loaded),
            "protocols": list(proxy.protocols),
            "filters": [spec.type for spec in config.stream_filters],
        },
        "router": proxy.router_config_name,
        "virtual_host": {
            "name": found.name,
            "config": place(found.virtualHost, loaded),
            "why": found.why,
        },
        "routes": [
            {"config": place(one.path, loaded), "matches": one.matches, "why": one.why}
            for one in found.tried
        ],
        **_outcome(sidecar, proxy, head, found),
    }


def _listener(sidecar: Sidecar, name: str) -> tuple[Listener, ProxyConfig]:
    listeners = sidecar.loaded.config.server.listeners
    names = [each.name or each.address for each in listeners]
    if not name and len(listeners) == 1:
        name = names[0]
    if name not in names:
        known = ", ".join(names) or "none"
        raise ExplainError(f"there is no listener {name!r}; there are {known}")
    config = listeners[names.index(name)]
    for spec in config.filters:
        if spec.type == "proxy":
            return config, spec.config
    raise ExplainError(f"listener {name!r} passes octets on and looks at no requests")


def _outcome(
    sidecar: Sidecar, proxy: ProxyConfig, head: IRequestHead, found: RouteExplanation
) -> dict[str, Any]:
    """What becomes of the request once the route is known."""
    route = found.route
    if route is None:
        return {"outcome": "answered here: status 404, no route matches", "clusters": []}
    if route.localReply is not None:
        status, _, fields = route.localReply(head)
        to = "".join(f", {name.decode()}: {value.decode()}" for name, value in fields)
        return {"outcome": f"answered by the route: status {status}{to}", "clusters": []}
    variants = [(route, 1.0)] if route.split is None else list(route.split.shares())
    clusters = [_cluster(sidecar, proxy, head, variant, share) for variant, share in variants]
    whole, once = requestTimeouts(route, head)
    policy = route.retryPolicy
    return {
        "outcome": "sent to " + " or ".join(dict.fromkeys(one["name"] for one in clusters)),
        "clusters": clusters,
        "timeouts": {"request": _seconds(whole), "attempt": _seconds(once)},
        "retries": {
            "most": policy.attempts,
            "statuses": _statuses(policy),
            "first_pause": _seconds(policy.firstPause),
            "longest_pause": _seconds(policy.lastPause),
        },
        "max_body": route.maxBody or "no limit",
    }


def _statuses(policy: Any) -> Any:
    if not policy.onStatus:
        return "none; only failed connects are repeated"
    return "500 and above" if policy.statuses is None else sorted(policy.statuses)


def _cluster(
    sidecar: Sidecar, proxy: ProxyConfig, head: IRequestHead, route: Any, share: float
) -> dict[str, Any]:
    name = route.clusterName(head)
    cluster = sidecar.clusters.get(name)
    protocol = route.upstreamProtocol or proxy.upstreamProtocol or "the client's"
    said: dict[str, Any] = {"name": name, "share": round(share, 4), "protocol": protocol}
    if cluster is None:
        return {**said, "problem": "there is no such cluster: status 404"}
    return {**said, **_hosts(cluster, route.metadataMatch), **_limits(sidecar, cluster)}


def _hosts(cluster: Cluster, criteria: Sequence[tuple[str, str]] | None) -> dict[str, Any]:
    chosen = candidates(cluster, criteria)
    may = {host.address for host in chosen.hosts}
    hosts = [
        {
            "address": host.address,
            "weight": host.weight,
            "healthy": host.healthy,
            "metadata": dict(host.metadata),
            "requests": host.stats.request_active,
            "candidate": host.healthy and host.address in may,
        }
        for host in cluster.hosts[:MAX_HOSTS]
    ]
    said: dict[str, Any] = {
        "type": cluster.type,
        "lb_type": cluster.config.lb_type,
        "criteria": dict(criteria or ()),
        "subset": chosen.why,
        "hosts": hosts,
        "more_hosts": max(0, len(cluster.hosts) - MAX_HOSTS),
    }
    if not any(host.healthy for host in chosen.hosts):
        why = "no host may be chosen" if chosen.hosts else "no host is in question"
        said["problem"] = f"{why}: status 502"
    return said


@frozen
class Candidates:
    """Hosts that are in question for a request, and why these."""

    hosts: Sequence[Any]
    why: str


def candidates(cluster: Cluster, criteria: Sequence[tuple[str, str]] | None) -> Candidates:
    """Return the hosts that the cluster's balancer would look at."""
    subsets: Any = cluster.loadBalancer
    if not isinstance(subsets, Subsets):
        why = "subsets are off, so the criteria do not count" if criteria else "all hosts"
        return Candidates(cluster.hosts, why)
    if not criteria:
        return Candidates(cluster.hosts, "the route has no criteria: all hosts")
    wanted = _list(f"{key}={value}" for key, value in criteria)
    found = subsets.hosts.get(tuple(criteria))
    if found is not None and any(host.healthy for host in found):
        return Candidates(found, f"the hosts with {wanted}")
    why = f"no host with {wanted} is healthy" if found else f"there is no subset {wanted}"
    return _instead(cluster, why, found or ())


def _instead(cluster: Cluster, why: str, found: Sequence[Any]) -> Candidates:
    """The fallback of a cluster with subsets."""
    config = cluster.config.lb_subset_config
    policy = NO_FALLBACK if config is None else config.fall_back_policy
    if config is not None and policy == ANY_ENDPOINT:
        return Candidates(cluster.hosts, f"{why}: any host, by fall_back_policy 1")
    if config is not None and policy == DEFAULT_SUBSET:
        default = config.default_subset.items()
        hosts = [host for host in cluster.hosts if default <= host.metadata.items()]
        return Candidates(hosts, f"{why}: the default subset, by fall_back_policy 2")
    return Candidates(found, f"{why}, and there is no fallback")


def _limits(sidecar: Sidecar, cluster: Cluster) -> dict[str, Any]:
    limits = cluster.limits
    return {
        "config": place(cluster.config.path, sidecar.loaded),
        "limits": {
            "requests": _used(limits.requests, limits.maxRequests),
            "pending": _used(limits.pending, limits.maxPending),
            "retries": _used(limits.retries, limits.maxRetries),
            "connections_per_host": limits.maxConnections or "no limit",
            "retry_budget": f"{limits.budget.share:.0%} of the requests, "
            f"or {limits.budget.least:g} a second",
        },
    }


def _used(now: int, most: int) -> str:
    return f"{now} of {most or 'any number'}"


def _seconds(value: float) -> str:
    return f"{value:g}s" if value else "no limit"


# as text


def explainLines(said: Mapping[str, Any]) -> Iterator[str]:
    """Yield an explanation for people."""
    listener, host = said["listener"], said["virtual_host"]
    yield f"listener      {listener['name']} ({listener['config']}), {_list(listener['protocols'])}"
    if listener["filters"]:
        yield f"filters       {_list(listener['filters'])}"
    yield f"router        {said['router']}"
    shown = f"{host['name'] or '-'} ({host['config']}): " if host["config"] else ""
    yield f"virtual host  {shown}{host['why']}"
    for route in said["routes"]:
        mark = "=>" if route["matches"] else "no"
        yield f"  {mark} {route['config']}: {route['why']}"
    yield f"outcome       {said['outcome']}"
    for cluster in said["clusters"]:
        yield from _clusterLines(cluster)
    if "timeouts" in said:
        times, retries = said["timeouts"], said["retries"]
        yield f"timeouts      {times['request']} for all, {times['attempt']} for one attempt"
        yield (
            f"retries       up to {retries['most']}, statuses {retries['statuses']}, "
            f"after {retries['first_pause']} to {retries['longest_pause']}"
        )
        yield f"max body      {said['max_body']}"


def _clusterLines(cluster: Mapping[str, Any]) -> Iterator[str]:
    yield f"cluster       {cluster['name']}, {cluster['share']:.1%}, protocol {cluster['protocol']}"
    if "config" in cluster:
        yield f"  config      {cluster['config']}, {cluster['type']}, {cluster['lb_type']}"
        yield f"  subset      {cluster['subset']}"
        for host in cluster["hosts"]:
            mark = "=>" if host["candidate"] else "no"
            health = "healthy" if host["healthy"] else "unhealthy"
            labels = _list(f"{key}={value}" for key, value in host["metadata"].items())
            yield (
                f"  {mark} {host['address']}, weight {host['weight']}, {health}, "
                f"{host['requests']} requests{', ' if labels else ''}{labels}"
            )
        if cluster["more_hosts"]:
            yield f"     and {cluster['more_hosts']} more"
        limits = _list(f"{key} {value}" for key, value in cluster["limits"].items())
        yield f"  limits      {limits}"
    if "problem" in cluster:
        yield f"  PROBLEM     {cluster['problem']}"


def _list(items: Iterable[str]) -> str:
    return ", ".join(items)
