"""Clusters and hosts (MOSN pkg/config/v2/upstream.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from mosntx.config.schema.adaptive import AdaptiveConcurrency
from mosntx.config.schema.base import (
    IGNORED,
    Bounds,
    Duration,
    Located,
    Metadata,
    Uint32,
    option,
)
from mosntx.config.schema.health import HealthCheck, OutlierDetection
from mosntx.config.schema.http2 import ProtocolOptions
from mosntx.config.schema.tls import TlsContext

MAX_PENDING_REQUESTS = 1024
"""Requests waiting for a pool connection when no circuit breaker says otherwise (as Envoy)."""
MAX_WEIGHT = 128
"""MOSN clamps weights of hosts to 1…128."""


@attrs.frozen(kw_only=True)
class Host(Located):
    """One place where the service runs."""

    address: str = option("`ip:port`, `name:port` or `unix:/path`.")
    hostname: str = option("A label, shown in access logs.", default="")
    weight: Uint32 = option("Share of the requests, clamped to 1…128.", default=1, zero=1)
    metadata: Metadata = option(
        "Labels for subset load balancing.", factory=dict, aliases=("meta_data",)
    )
    tls_disable: bool = option(
        "Plain text to this host although the cluster has TLS.", default=False
    )
    priority: Annotated[int, Bounds(0, 127)] = option(
        "Hosts with 0 are used first; higher ones stand in for them. mosntx only.", default=0
    )
    zone: str = option(
        "Where the host runs, see `lbconfig.zone`. mosntx only.",
        default="",
        absent="`zone` of the metadata",
    )
    srv: bool = option(
        "`address` is a name of SRV records, without a port; in `STRICT_DNS`. mosntx only.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class RetryBudget:
    """How much the retries of all requests may add to the load of a cluster that fails."""

    percent: float = option("Retries, as a share of the requests of the last second.", default=20.0)
    min_per_second: float = option(
        "Retries that are allowed however few the requests are.", default=10.0
    )


@attrs.frozen(kw_only=True)
class CircuitBreaker(Located):
    """Limits of a cluster; 0 = unlimited."""

    max_connections: Uint32 = option(
        "Connections to each host at a time. For Bolt and TR without it: 1; for HTTP/2, which "
        "makes another one when all are full: 1024.",
        default=0,
        absent="unlimited",
    )
    max_pending_requests: Uint32 = option(
        "Requests waiting for a connection; 0 = 1024.",
        default=MAX_PENDING_REQUESTS,
        zero=MAX_PENDING_REQUESTS,
    )
    max_requests: Uint32 = option("Requests at a time.", default=0, absent="unlimited")
    max_retries: Uint32 = option("Retries at a time.", default=0, absent="unlimited")
    retry_budget: RetryBudget = option(
        "Limit of retries relative to the requests. mosntx only.", factory=RetryBudget
    )
    priority: Any = option(
        "Gone since 0.5: of several breakers the one with `default` counts, else the first.",
        default=None,
    )


@attrs.frozen(kw_only=True)
class LbConfig(Located):
    """Settings of load balancers."""

    choice_count: Uint32 = option(
        "Hosts compared by least request and the like.", default=2, zero=2
    )
    active_request_bias: float = option("Weight of active requests.", default=1.0, zero=1.0)
    client_error_bias: float = option("Weight of client errors.", default=1.0, zero=1.0)
    server_error_bias: float = option("Weight of server errors.", default=1.0, zero=1.0)
    zone: str = option(
        "The preferred zone, usually the one this process runs in. mosntx only.",
        default="",
        absent="no preference",
    )
    overprovisioning_factor: Annotated[int, Bounds(100, 10_000)] = option(
        "How much of its usual load a healthy host can bear when others of its priority and zone "
        "are not well; what is more goes to the next ones. mosntx only.",
        default=140,
        unit="percent",
    )
    panic_threshold: Annotated[float, Bounds(0, 100)] = option(
        "With fewer healthy hosts than this `panic_mode` says what happens. mosntx only.",
        default=0.0,
        unit="percent",
        absent="never",
    )
    panic_mode: str = option(
        "`fail` chooses no host at all, `all` chooses among all, healthy or not. mosntx only.",
        default="fail",
        choices=("fail", "all"),
    )


@attrs.frozen(kw_only=True)
class LbSubsetConfig(Located):
    """Choosing among the hosts with certain metadata."""

    fall_back_policy: Annotated[int, Bounds(0, 255)] = option(
        "Without such hosts: 0 fail, 1 any host, 2 the default subset.", default=0
    )
    default_subset: Mapping[str, str] = option("Metadata of the default subset.", factory=dict)
    subset_selectors: tuple[tuple[str, ...], ...] = option(
        "Sets of metadata keys to build subsets by; empty = off.", default=()
    )


@attrs.frozen(kw_only=True)
class OriginalDstLbConfig(Located):
    """Settings of ORIGINAL_DST clusters."""

    use_header: bool = option("Take the destination from a header.", default=False)
    header_name: str = option("The header.", default="host")
    replace_local: bool = option("Use 127.0.0.1 with the destination's port.", default=False)


@attrs.frozen(kw_only=True)
class SlowStart(Located):
    """Fewer requests for hosts that have just come."""

    mode: str = option("`duration`; anything else is off.", default="")
    slow_start_duration: Duration | None = option("How long.", default=None, absent="off")
    aggression: float = option("Shape of the rise; 1 = a straight line.", default=1.0)
    min_weight_percent: float = option("Share at the beginning, as a fraction.", default=0.1)


@attrs.frozen(kw_only=True)
class Keepalive(Located):
    """Heartbeats on idle upstream connections."""

    interval: Duration = option(
        "A heartbeat this often.", default=0.0, absent="after 15s without traffic"
    )
    timeout: Duration = option("Time for its answer.", default=1.0, zero=1.0)


@attrs.frozen(kw_only=True)
class DnsResolvers(Located):
    """Where DNS clusters ask."""

    servers: tuple[str, ...] = option("Addresses of name servers.", default=())
    search: tuple[str, ...] = option("Domains to try.", default=())
    port: int | str = option("Port of the name servers.", default="53")
    ndots: int = option("Dots that make a name absolute.", default=1)
    timeout: int = option("Time for one question.", default=5, unit="seconds")
    attempts: int = option("Questions per name.", default=2)


@attrs.frozen(kw_only=True)
class Cluster(Located):
    """A service: its hosts and how they are used."""

    name: str = option("Unique name.")
    type: str = option("Where the hosts come from.", default="SIMPLE")
    sub_type: str = option("Never had an effect.", default="", status=IGNORED)
    lb_type: str = option("How a host is chosen.", default="LB_ROUNDROBIN")
    lbconfig: LbConfig | None = option(
        "Settings of the load balancer.", default=None, aliases=("lb_config",), feature="lb_config"
    )
    max_request_per_conn: Uint32 = option("Never had an effect.", default=1024, status=IGNORED)
    conn_buffer_limit_bytes: Uint32 = option(
        "Never had an effect.", default=16384, unit="octets", status=IGNORED
    )
    circuit_breakers: tuple[CircuitBreaker, ...] = option(
        "Limits; the first one counts.", default=(), feature="circuit_breakers"
    )
    health_check: HealthCheck | None = option("Health checks.", default=None, absent="off")
    outlier_detection: OutlierDetection | None = option(
        "Leaving out hosts that answer badly. mosntx only; of 0.3 and 0.4 without effect.",
        default=None,
        absent="off",
    )
    adaptive_concurrency: AdaptiveConcurrency | None = option(
        "Limit of requests at a time by latency. mosntx only.", default=None, absent="off"
    )
    spec: Any = option("Never had an effect.", default=None, status=IGNORED)
    lb_subset_config: LbSubsetConfig | None = option(
        "Subset load balancing.", default=None, feature="subset"
    )
    original_dst_lb_config: OriginalDstLbConfig | None = option(
        "For `ORIGINAL_DST`.", default=None, feature="original_dst_lb"
    )
    cluster_manager_tls: bool = option("Use the TLS context of `cluster_manager`.", default=False)
    tls_context: TlsContext | None = option("TLS to the hosts.", default=None, absent="no TLS")
    hosts: tuple[Host, ...] = option("The hosts.", default=())
    connect_timeout: Duration = option("Time to connect; 0 = 10s.", default=10.0, zero=10.0)
    idle_timeout: Duration | None = option(
        "Close idle connections; 0 = never.", default=None, absent="never", feature="idle_timeout"
    )
    keepalive: Keepalive | None = option("Heartbeats.", default=None, feature="keepalive")
    mark: Uint32 = option("SO_MARK on sockets.", default=0, feature="mark")
    slow_start: SlowStart | None = option("Slow start.", default=None, feature="slow_start")
    cluster_pool_enable: bool = option(
        "Pools of its own instead of pools shared by address.",
        default=False,
        feature="cluster_pool",
    )
    dns_refresh_rate: Duration = option("Ask this often.", default=5.0, zero=5.0, feature="dns")
    respect_dns_ttl: bool = option("Ask when an answer is too old.", default=False, feature="dns")
    dns_lookup_family: str = option(
        "Addresses to ask for; `ALL` = both kinds, mosntx only.",
        default="",
        choices=("", "V4_ONLY", "V6_ONLY", "ALL"),
        absent="V4_ONLY",
        feature="dns",
    )
    dns_resolvers: DnsResolvers | None = option("Whom to ask.", default=None, feature="dns")
    dns_resolver_file: str = option(
        "File with name servers.", default="", absent="`/etc/resolv.conf`", feature="dns"
    )
    dns_resolver_port: int | str = option("Port of name servers.", default="53", feature="dns")
    hosts_file: str = option("File with a list of hosts, for type `FILE`. mosntx only.", default="")
    hosts_file_interval: Duration = option(
        "Look at the file this often. mosntx only.", default=1.0, zero=1.0
    )
    max_requests_per_connection: Uint32 = option(
        "Close an upstream connection after this many requests; 0 = unlimited. HTTP only: without "
        "effect on connections of Bolt and TR. mosntx only.",
        default=0,
    )
    protocol_options: ProtocolOptions = option(
        "Options by protocol, such as `Http2`. mosntx only.", factory=ProtocolOptions
    )
    pending_timeout: Duration = option(
        "Longest wait for a pool connection. mosntx only.", default=1.0
    )

    @property
    def circuitBreaker(self) -> CircuitBreaker:
        """The limits that count: of several the one with priority ``default``, else the first."""
        for breaker in self.circuit_breakers:
            if len(self.circuit_breakers) > 1 and str(breaker.priority).lower() == "default":
                return breaker
        return self.circuit_breakers[0] if self.circuit_breakers else CircuitBreaker()


@attrs.frozen(kw_only=True)
class ClusterManager(Located):
    """All clusters."""

    tls_context: TlsContext | None = option(
        "TLS of all clusters with `cluster_manager_tls`.", default=None, absent="no TLS"
    )
    cluster_pool_enable: bool = option(
        "Pools per cluster instead of per address, for all clusters.",
        default=False,
        feature="cluster_pool",
    )
    clusters: tuple[Cluster, ...] = option("Clusters.", default=())
    clusters_configs: str = option(
        "Directory with one cluster per file; not together with `clusters`.", default=""
    )

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "auto_discovery": "Gone since 0.16.",
        "registry_use_health_check": "Gone since 0.16.",
    }
