"""Field by field, what MOSN's keys of routes and clusters do here: tables made from the schema.

Everything that the schema knows (what is built, ignored, or of mosntx only) is taken from there.
What is written here are the differences of keys that work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from mosntx.config.fields import FieldSpec, classSpec
from mosntx.config.names import FEATURES, Names
from mosntx.config.reference import asRst
from mosntx.config.schema import (
    CircuitBreaker,
    Cluster,
    ClusterManager,
    ClusterWeight,
    DirectResponse,
    DnsResolvers,
    DslExpression,
    HashCookie,
    HashHeader,
    HashPolicy,
    HeaderMatch,
    HeaderToAdd,
    HeaderValue,
    HealthCheck,
    Host,
    HttpCheck,
    Keepalive,
    LbConfig,
    LbSubsetConfig,
    Match,
    MirrorPolicy,
    OriginalDstLbConfig,
    Redirect,
    RegexPattern,
    RegexRewrite,
    RetryPolicy,
    Route,
    RouteAction,
    RouterConfig,
    SlowStart,
    VariableMatch,
    VirtualHost,
    WeightedCluster,
)
from mosntx.config.schema.base import IGNORED

#: What is said of a key.
WORKS: Final = "works"
DIFFERS: Final = "differs"
NOT_BUILT: Final = "not built"
OWN: Final = "mosntx only"

SECTIONS: Final[Sequence[tuple[str, Sequence[type]]]] = (
    ("Router configuration", (RouterConfig, VirtualHost, Route)),
    ("Match", (Match, HeaderMatch, VariableMatch, DslExpression)),
    ("Answers of a route", (DirectResponse, Redirect)),
    ("Route action", (RouteAction, WeightedCluster, ClusterWeight, RegexRewrite, RegexPattern)),
    ("Headers to add", (HeaderToAdd, HeaderValue)),
    ("Hash policy", (HashPolicy, HashHeader, HashCookie)),
    ("Retry policy", (RetryPolicy,)),
    ("Mirror policy", (MirrorPolicy,)),
    ("Cluster manager and cluster", (ClusterManager, Cluster)),
    ("Host", (Host,)),
    ("Circuit breaker", (CircuitBreaker,)),
    ("Health check", (HealthCheck, HttpCheck)),
    ("Load balancer", (LbConfig, OriginalDstLbConfig, SlowStart)),
    ("Subsets", (LbSubsetConfig,)),
    ("Keepalive", (Keepalive,)),
    ("DNS", (DnsResolvers,)),
)
"""The tables and their classes. Classes that MOSN does not have are in the reference only."""

_TLS: Final = "tls"
NEEDS: Final[Mapping[type, Mapping[str, str]]] = {
    Cluster: {"tls_context": _TLS, "cluster_manager_tls": _TLS},
    ClusterManager: {"tls_context": _TLS},
    Host: {"tls_disable": _TLS},
}
"""Features of keys that are errors without them, so that the schema does not name one."""

_BAD_PATTERN: Final = "A pattern that does not compile is an error of the file."
_BOTH_WAYS: Final = "Also applied in routes by variables and expressions, which MOSN leaves out."
_READ_ONLY: Final = "Read at start; not written when something changes later."
_TO_HTTP2: Final = "Also applied to requests that go up in HTTP/2."
DIFFERENCES: Final[Mapping[type, Mapping[str, str]]] = {
    ClusterManager: {"clusters_configs": _READ_ONLY},
    RouterConfig: {
        "router_configs": _READ_ONLY,
        "virtual_hosts": "A mistake is an error of the file; MOSN's router then has no routes.",
        "request_headers_to_add": _BOTH_WAYS,
        "request_headers_to_remove": _BOTH_WAYS,
    },
    VirtualHost: {
        "domains": "When nothing but the port keeps a request from matching, the log says so.",
        "per_filter_config": "Built-in filters look at it; a route's replaces it, by filter.",
        "request_headers_to_add": _BOTH_WAYS,
        "request_headers_to_remove": _BOTH_WAYS,
    },
    Route: {
        "per_filter_config": "Settings that a filter refuses are errors of the file.",
    },
    Match: {
        "regex": _BAD_PATTERN,
        "variables": "Variables that do not match are not logged.",
        "dsl_expressions": "Mistakes are errors of the file; a missing value is no match.",
    },
    HeaderMatch: {"regex": f"{_BAD_PATTERN} MOSN drops the condition."},
    VariableMatch: {
        "name": "A name that no request has is an error of the file.",
        "regex": f"{_BAD_PATTERN} MOSN fails at each request.",
        "model": "Another word is an error of the file. MOSN fails at each request.",
    },
    DslExpression: {"expression": "What is not known when a route is chosen is an error."},
    DirectResponse: {
        "status": "One that ends no exchange (1xx, 600) is an error of the file.",
        "body": "The request's headers are not echoed.",
    },
    RouteAction: {
        "cluster_name": "One that does not exist is an error of the file; later it is 404.",
        "cluster_variable": "A name that no request has is an error of the file.",
        "weighted_clusters": "Shares are exact; weights that sum up to 0 are an error.",
        "upstream_protocol": "Converts by itself. MOSN needs the filter `transcoder` since 0.26.",
        "metadata_match": "An empty one is none; MOSN takes the fallback then.",
        "timeout": "Until the head of the answer is there, not its end.",
        "prefix_rewrite": _TO_HTTP2,
        "regex_rewrite": f"{_TO_HTTP2} {_BAD_PATTERN}",
        "host_rewrite": _TO_HTTP2,
        "auto_host_rewrite": f"{_TO_HTTP2} Also for LOGICAL_DNS, and for weighted clusters.",
        "auto_host_rewrite_header": f"{_TO_HTTP2} A value that is no host is left alone.",
        "request_headers_to_add": _BOTH_WAYS,
        "request_headers_to_remove": _BOTH_WAYS,
    },
    ClusterWeight: {
        "name": "One name may stand there twice; each entry counts.",
        "weight": "0 is never chosen.",
        "metadata_match": "Without it all hosts count; MOSN takes the fallback then.",
    },
    RegexRewrite: {"substitution": "Groups may be written `\\1`, too."},
    HashHeader: {"key": "Headers of RPC requests, too."},
    HashPolicy: {"source_ip": "The client's address; MOSN's is 0 on most listeners."},
    RetryPolicy: {
        "retry_on": "A GET is sent again after a lost answer on HTTP/1, a POST is not.",
        "num_retries": "As written, and 3 without; MOSN has never fewer than 3.",
    },
    MirrorPolicy: {
        "cluster": "Also copies when the upstream protocol is named; MOSN does not.",
        "percent": "Bodies above `max_body` of the filter are not copied.",
    },
    Cluster: {
        "type": "Unknown ones are errors; MOSN takes SIMPLE.",
        "lb_type": "Unknown ones are errors; MOSN takes LB_ROUNDROBIN. Never an unhealthy host.",
        "lb_subset_config": "An empty list of criteria is none.",
        "dns_resolver_file": "When it is not there 127.0.0.1 is asked, with a warning.",
    },
    Host: {
        "address": "IPv6 in brackets works in STRICT_DNS, too.",
        "metadata": "A value that is no text is left out, with a warning.",
    },
    CircuitBreaker: {
        "max_connections": "Who finds none free waits up to `pending_timeout`; MOSN: 503 at once.",
        "max_pending_requests": "Bounds those who wait; without effect in MOSN.",
        "max_retries": "Counted exactly; MOSN's count can fall below 0. Besides, `retry_budget`.",
    },
    HealthCheck: {
        "protocol": "`Http2`, `bolt`, `boltv2` and `tr` ask, too; MOSN only connects.",
        "check_config": "A wrong type is an error of the file.",
        "common_callbacks": "Names of functions that are given to `Sidecar`, not of Go's.",
    },
    HttpCheck: {
        "path": "A URL is an error of the file; with MOSN the check always fails.",
        "scheme": "With `https` it only connects until TLS is built.",
    },
    LbSubsetConfig: {"subset_selectors": "An empty one is left out; MOSN crashes at its start."},
    OriginalDstLbConfig: {
        "use_header": "Without it MOSN knows the destination of redirected connections.",
        "header_name": "A request that names this listener gets no host.",
    },
}
"""What a key does otherwise than in MOSN."""


def mosnFieldsRst(names: Names) -> str:
    """Return all tables as reST.

    :param names: what the build knows.
    """
    lines: list[str] = []
    for title, classes in SECTIONS:
        lines += [title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1"]
        lines += ["   :widths: 30 14 56", "", "   * - key", "     - here", "     - how, or why"]
        for cls in classes:
            prefix = "" if cls is classes[0] else f"{cls.__name__}: "
            for key, status, note in rows(cls, names):
                lines += [f"   * - {prefix}``{key}``", f"     - {status}"]
                lines.append(f"     - {asRst(note)}".rstrip())
        lines.append("")
    return "\n".join(lines)


def rows(cls: type, names: Names) -> Iterator[tuple[str, str, str]]:
    """Yield the keys of a class: key, what it does here, and how or why."""
    spec = classSpec(cls)
    for field in spec.fields:
        status, note = _verdict(cls, field, names.features)
        yield field.key, status, note
    for key, why in sorted(spec.ignored.items()):
        yield key, IGNORED, why


def _verdict(cls: type, field: FieldSpec, features: frozenset[str]) -> tuple[str, str]:
    doc = str(field.notes.get("doc", ""))
    feature = field.notes.get("feature") or NEEDS.get(cls, {}).get(field.key, "")
    if field.notes.get("status") == IGNORED:
        return IGNORED, doc
    if f"{OWN}." in doc or f"{OWN};" in doc:
        return OWN, doc.replace(f" {OWN}.", "")
    if feature and feature not in features:
        return NOT_BUILT, f"Needs {FEATURES[feature]}."
    note = DIFFERENCES.get(cls, {}).get(field.key, "")
    return (DIFFERS, note) if note else (WORKS, "")
