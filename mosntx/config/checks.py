"""Cross-checks: what is right by itself but does not fit together."""

from __future__ import annotations

from collections.abc import Iterable

from mosntx.config.accessformat import checkFormat
from mosntx.config.address import MAX_PORT, Address, parseAddress, parsePorts
from mosntx.config.checkdiscovery import DNS_TYPES, checkDiscovery
from mosntx.config.checking import Checking
from mosntx.config.checkports import checkPorts
from mosntx.config.checkroutes import checkRoutes
from mosntx.config.checksubsets import checkSubsets
from mosntx.config.checktls import checkTls
from mosntx.config.decode import Decoder
from mosntx.config.nodes import quote
from mosntx.config.report import suggest
from mosntx.config.roller import parseRoller
from mosntx.config.schema import (
    Cluster,
    CodeRange,
    Config,
    Listener,
    PrometheusSink,
    ProxyConfig,
    TcpProxyConfig,
)

__all__ = ["checkConfig", "checkPorts"]

#: Balancers that have no slow start.
NOT_SLOW = frozenset(
    {"LB_MAGLEV", "LB_ORIGINAL_DST", "LB_RANDOM", "LB_REQUEST_ROUNDROBIN", "LB_RING_HASH"}
    | {"LB_ROUNDROBIN"}
)


def checkConfig(config: Config, decoder: Decoder) -> None:
    """Run all checks; what they find goes to the decoder's report."""
    check = Checking(config, decoder)
    checkListenerNames(check)
    checkListenerAddresses(check)
    checkAdmin(check)
    checkClusterNames(check)
    checkRouterNames(check)
    for cluster in config.cluster_manager.clusters:
        checkHosts(check, cluster)
        checkDiscovery(check, cluster)
        checkClusterWords(check, cluster)
        checkBalancing(check, cluster)
        checkAdaptive(check, cluster)
    checkProxies(check)
    checkTcpProxies(check)
    checkTargets(check)
    checkRoutes(check)
    if "subset" in decoder.names.features:
        checkSubsets(check)
    checkLogs(check)
    checkSinks(check)
    checkTls(check)


def _unique(check: Checking, named: Iterable[tuple[str, str]], what: str) -> None:
    """Report names that come twice: pairs of name and path."""
    seen: dict[str, str] = {}
    for name, path in named:
        if name in seen and name:
            message = f"duplicate {what} {quote(name)}: also {check.place(seen[name])}"
            check.error(path, message, "rename one of them")
        seen.setdefault(name, path)


def checkListenerNames(check: Checking) -> None:
    """A second listener of a name would replace the first."""
    listeners = check.config.server.listeners
    _unique(check, ((one.name, f"{one.path}.name") for one in listeners), "listener name")


def checkClusterNames(check: Checking) -> None:
    """A second cluster of a name would hide the first."""
    clusters = check.config.cluster_manager.clusters
    _unique(check, ((one.name, f"{one.path}.name") for one in clusters), "cluster name")


def checkRouterNames(check: Checking) -> None:
    """MOSN lets the later one win, so this is only a warning."""
    seen: dict[str, str] = {}
    for router in check.config.server.routers:
        path, name = f"{router.path}.router_config_name", router.router_config_name
        if name in seen:
            message = f"duplicate name {quote(name)}: this one replaces {check.place(seen[name])}"
            check.warning(path, message, "rename one of them")
        seen[name] = path


def _address(check: Checking, text: str, network: str, path: str) -> Address | None:
    """An address; None after reporting a malformed one."""
    if path in check.decoder.failed:
        return None
    try:
        return parseAddress(text, network)
    except ValueError as error:
        forms = "'/path'" if network == "unix" else "'ip:port', 'host:port' or '[v6]:port'"
        check.error(path, f"address {quote(text)}: {error}", f"write {forms}")
        return None


def checkListenerAddresses(check: Checking) -> None:
    """Well-formed addresses, and none opened twice."""
    opened: dict[tuple[str, str, int], str] = {}
    for listener in check.config.server.listeners:
        path = f"{listener.path}.address"
        address = _address(check, listener.address, listener.network, path)
        if address is None or not listener.bind_port or (not address.path and not address.port):
            continue
        key = _place(address)
        if key in opened:
            other = check.place(opened[key])
            message = f"address {quote(listener.address)} is opened twice: also {other}"
            check.error(path, message, "give each listener an address of its own")
        opened.setdefault(key, path)
    admin = check.config.admin
    if admin is not None and admin.port:
        key = _place(Address("tcp", admin.host, admin.port))
        if key in opened:
            message = f"the admin API has the address of a listener: {check.place(opened[key])}"
            check.error("admin.address.socket_address.port_value", message, "change one of them")


def _place(address: Address) -> tuple[str, str, int]:
    """What two addresses must not share."""
    host = "" if address.host in ("0.0.0.0", "::") else address.host.lower()
    return address.network, address.path or host, address.port


def checkAdmin(check: Checking) -> None:
    """Host and port of the admin API."""
    admin = check.config.admin
    if admin is None:
        return
    path = "admin.address.socket_address"
    host = f"[{admin.host}]" if ":" in admin.host else admin.host
    _address(check, f"{host}:{min(admin.port, MAX_PORT)}", "tcp", f"{path}.address")
    if not admin.port:
        check.warning(f"{path}.port_value", "is 0: any free port is taken", "give a port")


def checkHosts(check: Checking, cluster: Cluster) -> None:
    """Well-formed addresses; of equal ones MOSN keeps the first."""
    seen: dict[str, str] = {}
    for host in cluster.hosts:
        path = f"{host.path}.address"
        looked = cluster.type in DNS_TYPES  # see checkDiscovery
        address = None if looked else _address(check, host.address, "tcp", path)
        if address is not None and not address.path and not (address.port and address.host):
            message = f"address {quote(host.address)}: nothing can be connected to there"
            check.error(path, message, "a host needs a name or an IP address, and a port")
        if host.address in seen:
            first = check.place(seen[host.address])
            message = f"duplicate host {quote(host.address)}: only {first} is used"
            check.warning(path, message, "remove one of them")
        seen.setdefault(host.address, path)


def checkClusterWords(check: Checking, cluster: Cluster) -> None:
    """Values that MOSN silently treats as something else."""
    slow = cluster.slow_start
    if slow is not None and slow.mode not in ("", "duration"):
        message = f"unknown mode {quote(slow.mode)}: slow start is off"
        check.warning(f"{slow.path}.mode", message, "allowed: 'duration'")
    subset = cluster.lb_subset_config
    if subset is not None and subset.fall_back_policy > 2:
        message = f"unknown policy {subset.fall_back_policy}: 0 is used"
        check.warning(f"{subset.path}.fall_back_policy", message, "allowed: 0, 1, 2")
    for code in _codes(cluster):
        if code.start > code.end:
            check.warning(code.path, f"no status is from {code.start} to {code.end}")
    if cluster.cluster_manager_tls and check.config.cluster_manager.tls_context is None:
        message = "is on, but 'cluster_manager' has no 'tls_context'"
        fix = "plain text must not stand in for TLS: add one, or remove the key"
        check.error(f"{cluster.path}.cluster_manager_tls", message, fix)


def checkBalancing(check: Checking, cluster: Cluster) -> None:
    """Settings of load balancing that change nothing."""
    slow = cluster.slow_start
    on = slow is not None and slow.mode and slow.slow_start_duration
    if slow is not None and on and cluster.lb_type in NOT_SLOW:
        message = f"has no effect with {cluster.lb_type}"
        check.warning(slow.path, message, "needs LB_WEIGHTED_ROUNDROBIN or LB_LEAST_REQUEST")
    lb = cluster.lbconfig
    if lb is not None and lb.zone and cluster.hosts:
        zones = {host.zone or host.metadata.get("zone") for host in cluster.hosts}
        if lb.zone not in zones:
            message = f"no host is in the zone {quote(lb.zone)}"
            check.warning(f"{lb.path}.zone", message, "give the hosts their 'zone'")


def checkAdaptive(check: Checking, cluster: Cluster) -> None:
    """The bounds of a measured limit."""
    config = cluster.adaptive_concurrency
    if config is not None and config.min_limit > config.max_limit:
        message = f"min_limit {config.min_limit} is larger than max_limit {config.max_limit}"
        check.error(f"{config.path}.min_limit", message, "let it be smaller")


def _codes(cluster: Cluster) -> Iterable[CodeRange]:
    http = cluster.health_check.check_config.http_check_config if cluster.health_check else None
    return http.codes if http is not None else ()


def _checkCluster(check: Checking, name: str, path: str) -> None:
    """The cluster exists."""
    if not check.clustersKnown or not name or name in check.clusters:
        return
    fix = suggest(name, check.clusters) or "add it to cluster_manager.clusters"
    check.missing(path, f"there is no cluster {quote(name)}", fix)


def checkTargets(check: Checking) -> None:
    """Every cluster that a route names exists."""
    for route in check.routes():
        action, mirror = route.route, route.request_mirror_policies
        if action is not None:
            _checkCluster(check, action.cluster_name, f"{action.path}.cluster_name")
            for item in action.weighted_clusters:
                _checkCluster(check, item.name, f"{item.path}.cluster.name")
        if mirror is not None and mirror.percent:
            _checkCluster(check, mirror.cluster, f"{mirror.path}.cluster")


def _filters(listener: Listener, cls: type) -> Iterable[tuple[str, object]]:
    return ((spec.path, spec.config) for spec in listener.filters if isinstance(spec.config, cls))


def checkProxies(check: Checking) -> None:
    """Every proxy has a router configuration that exists; a typo must not start."""
    routers = {router.router_config_name for router in check.config.server.routers}
    if check.failedWithin("servers", ".router_config_name") or check.failedWithin(
        "servers[0].routers"
    ):
        return
    for listener in check.config.server.listeners:
        for path, config in _filters(listener, ProxyConfig):
            assert isinstance(config, ProxyConfig)
            name, where = config.router_config_name, f"{path}.config.router_config_name"
            if not name:
                fix = "add the name of one of servers[0].routers"
                check.missing(where, "the proxy has no 'router_config_name'", fix)
            elif name not in routers:
                fix = suggest(name, routers) or "add it to servers[0].routers"
                check.missing(where, f"there is no router configuration {quote(name)}", fix)


def checkTcpProxies(check: Checking) -> None:
    """Clusters and port ranges of tcp_proxy and udp_proxy."""
    for listener in check.config.server.listeners:
        for path, config in _filters(listener, TcpProxyConfig):
            assert isinstance(config, TcpProxyConfig)
            _checkCluster(check, config.cluster, f"{path}.config.cluster")
            if not config.cluster and not config.routes:
                fix = "add 'cluster'"
                check.error(f"{path}.config", "has neither 'cluster' nor 'routes'", fix)
            for route in config.routes:
                _checkCluster(check, route.cluster, f"{route.path}.cluster")
                for key in ("source_port", "destination_port"):
                    try:
                        parsePorts(getattr(route, key))
                    except ValueError as error:
                        check.error(f"{route.path}.{key}", str(error), "write '80,8000-9000'")


def checkLogs(check: Checking) -> None:
    """Formats of access logs, and the rotation of files."""
    server = check.config.server
    try:
        parseRoller(server.global_log_roller)
    except ValueError as error:
        check.error(
            f"{server.path}.global_log_roller", str(error), "write 'time=24' or 'size=100 keep=5'"
        )
    for listener in server.listeners:
        for log in listener.access_logs:
            problem = checkFormat(log.log_format)
            if problem:
                fix = "write %name%, and \\% for a percent sign"
                check.error(f"{log.path}.log_format", problem, fix)


def checkSinks(check: Checking) -> None:
    """Settings of the prometheus sink."""
    for sink in check.config.metrics.sinks:
        config, path = sink.config, f"{sink.path}.config"
        if not isinstance(config, PrometheusSink):
            continue
        if not config.port:
            check.error(f"{path}.port", "must not be 0", "give a port")
        if not config.endpoint.startswith("/"):
            check.error(f"{path}.endpoint", f"{quote(config.endpoint)} does not begin with '/'")
        if any(not 0 <= value <= 100 for value in config.percentiles):
            check.error(f"{path}.percentiles", "a percentile is within 0 and 100")
        if config.export_url:
            check.error(f"{path}.export_url", "pushing metrics is not supported", "remove it")
