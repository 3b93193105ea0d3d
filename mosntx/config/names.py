"""What a build of mosntx knows by name, and what MOSN knows.

The loader asks `Names` (made by the caller, usually from the catalog) what is built. A name that is
not in it but that MOSN has is accepted and reported as not yet supported; a name nobody has is a
mistake of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import attrs

FEATURES: Final[Mapping[str, str]] = {
    "access_log": "access logs of listeners",
    "admin": "the admin API",
    "auto_config": "directories `router_configs` and `clusters_configs`",
    "circuit_breakers": "limits per cluster",
    "cluster_pool": "connection pools per cluster instead of per address",
    "cluster_variable": "the target cluster named by a variable",
    "connect": "CONNECT requests allowed by a route",
    "direct_response": "routes that answer themselves",
    "dns": "DNS settings of clusters",
    "dsl": "routes chosen by expressions",
    "extends": "extension blocks",
    "forwarding_headers": "X-Forwarded-For, Via and X-Request-Id",
    "hash_policy": "the hash key of a route for consistent hashing",
    "header_rewrite": "adding and removing headers",
    "health_check": "active health checks",
    "host_rewrite": "rewriting the host",
    "idle_timeout": "closing idle connections",
    "keepalive": "heartbeats on upstream connections",
    "lb_config": "settings of load balancers",
    "log_roller": "rotation of log files",
    "mark": "SO_MARK on upstream sockets",
    "metrics_matcher": "leaving out metrics",
    "metrics_sample": "settings of histograms",
    "mirror": "copying requests to a second cluster",
    "original_dst": "the original destination of redirected connections",
    "original_dst_lb": "settings of ORIGINAL_DST clusters",
    "path_rewrite": "rewriting the path",
    "plugin": "sub-process plugins",
    "pprof": "the profiling server",
    "protocol_conversion": "another protocol upstream than downstream",
    "protocol_fallback": "passing unknown protocols to the next network filter",
    "redirect": "routes that redirect",
    "retry": "retry policies",
    "reuseport": "SO_REUSEPORT on listeners",
    "router_handler": "custom route handlers",
    "sds": "certificates from a secret discovery service",
    "slow_start": "slow start of new hosts",
    "subset": "subset load balancing by metadata",
    "tcp_routes": "routes of tcp_proxy and udp_proxy",
    "third_part_codec": "codecs from plugins",
    "tls": "TLS on listeners and clusters",
    "tracing": "tracing",
    "udp": "UDP listeners",
    "unix": "unix-domain listeners",
    "upgrade": "hot upgrade",
    "variables": "routes chosen by variables",
    "wasm": "WebAssembly plugins",
    "weighted_clusters": "routes with several weighted clusters",
    "transcoder_rules": "transcoders chosen by rules",
    "xds": "configuration from an xDS server",
}
"""Every feature that `Names.features` may contain -> what it is, in words for the user."""

PROTOCOLS: Final = frozenset(
    {"Http1", "Http2", "bolt", "boltv2", "dubbo", "dubbo-thrift", "tars", "tr", "x_example", "Auto"}
)
"""Protocols of MOSN and its samples; ``Auto`` finds the protocol from the first octets."""

NETWORK_FILTERS: Final = frozenset(
    {"proxy", "tcp_proxy", "udp_proxy", "connection_manager", "fault_inject", "grpc", "tunnel"}
    | {"rpc_proxy", "x_proxy"}
)
"""Network filters that MOSN knows."""

LISTENER_FILTERS: Final = frozenset({"original_dst"})
"""Listener filters that MOSN knows."""

STREAM_FILTERS: Final = frozenset(
    {"fault", "payload_limit", "gzip", "mirror", "dsl", "fault_tolerance", "flowControlFilter"}
    | {"ip_access", "header_to_metadata", "transcoder", "dubbo_stream", "grpc_metric", "proxywasm"}
    | {"seata", "jwt_authn", "rbac", "istio.stats", "mixer", "healthcheck", "so_plugin"}
)
"""Stream filters that MOSN knows."""

ACCESS_CONTROL_FILTERS: Final = frozenset({"ip_access", "jwt_authn", "rbac"})
"""Stream filters whose absence lets requests through that the file means to refuse."""

BALANCERS: Final = frozenset(
    {"LB_RANDOM", "LB_ROUNDROBIN", "LB_ORIGINAL_DST", "LB_WEIGHTED_ROUNDROBIN", "LB_LEAST_REQUEST"}
    | {"LB_MAGLEV", "LB_REQUEST_ROUNDROBIN", "LB_LEAST_CONNECTION", "LB_PEAK_EWMA"}
    | {"LB_RING_HASH"}
)
"""Values of ``lb_type``: MOSN's, and ``LB_RING_HASH``, which is ours."""

CLUSTER_TYPES: Final = frozenset(
    {"SIMPLE", "STATIC", "DYNAMIC", "EDS", "STRICT_DNS", "LOGICAL_DNS", "ORIGINAL_DST"} | {"FILE"}
)
"""Values of a cluster's ``type`` that MOSN knows, and ``FILE``, which is ours."""

SINKS: Final = frozenset({"prometheus"})
"""Metrics sinks that MOSN knows."""

TRACERS: Final = frozenset({"SOFATracer", "SkyWalking", "Zipkin", "jaeger", "otel", "PluginDriver"})
"""Tracing drivers that MOSN knows."""

ENGINES: Final = frozenset({"h2", "ngh2"})
"""Libraries that HTTP/2 may be spoken with."""


def _names(value: Iterable[str]) -> frozenset[str]:
    return frozenset(value)


def _filters(value: Mapping[str, type | None] | Iterable[str]) -> Mapping[str, type | None]:
    """A mapping as it is; any other collection of names as a mapping to None."""
    return dict(value) if isinstance(value, Mapping) else dict.fromkeys(value)


@attrs.frozen(kw_only=True)
class Names:
    """What a build knows. Filters map to the class of their `config` or to None (a plain map)."""

    protocols: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Protocol names as configured, for example ``{"Http1"}``. ``Auto`` need not be in it."""
    networkFilters: Mapping[str, type | None] = attrs.field(factory=dict, converter=_filters)
    """``proxy``, ``tcp_proxy``, ``udp_proxy`` with None are decoded with the schema's classes."""
    listenerFilters: Mapping[str, type | None] = attrs.field(factory=dict, converter=_filters)
    """``original_dst`` with None is decoded with the schema's own class."""
    streamFilters: Mapping[str, type | None] = attrs.field(factory=dict, converter=_filters)
    """Also the classes for ``per_filter_config`` of routes and virtual hosts."""
    balancers: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Values of ``lb_type``."""
    clusterTypes: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Values of a cluster's ``type``."""
    sinks: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Metrics sinks."""
    tracers: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Tracing drivers."""
    engines: frozenset[str] = attrs.field(default=frozenset({"h2"}), converter=_names)
    """Values of ``http2_engine`` that can be had here, besides ``auto``."""
    features: frozenset[str] = attrs.field(default=frozenset(), converter=_names)
    """Keys of `FEATURES` that are built."""

    @classmethod
    def everything(cls) -> Names:
        """All that MOSN knows, filters as plain maps: for tools and tests that only read files."""
        return cls(
            protocols=PROTOCOLS,
            networkFilters=dict.fromkeys(NETWORK_FILTERS),
            listenerFilters=dict.fromkeys(LISTENER_FILTERS),
            streamFilters=dict.fromkeys(STREAM_FILTERS),
            balancers=BALANCERS,
            clusterTypes=CLUSTER_TYPES,
            sinks=SINKS,
            tracers=TRACERS,
            engines=ENGINES,
            features=frozenset(FEATURES),
        )
