"""Router configurations: virtual hosts, routes and their actions (MOSN pkg/config/v2/route.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from mosntx.config.schema.base import (
    IGNORED,
    Duration,
    FilterConfigs,
    Located,
    LooseDuration,
    Metadata,
    Uint32,
    UpstreamProtocol,
    option,
)
from mosntx.config.schema.match import Match


@attrs.frozen(kw_only=True)
class HeaderValue:
    """Name and value of a header."""

    key: str = option("Name of the header.")
    value: str = option("Its value, or `%variable%`.", default="")


@attrs.frozen(kw_only=True)
class HeaderToAdd(Located):
    """A header to add to a request or response."""

    header: HeaderValue = option("The header.")
    append: bool = option(
        "Join with an existing value by a comma instead of replacing it.", default=True
    )

    @property
    def key(self) -> str:
        """Name of the header, in lower case."""
        return self.header.key.lower()

    @property
    def value(self) -> str:
        """Value of the header."""
        return self.header.value


@attrs.frozen(kw_only=True)
class DirectResponse(Located):
    """An answer without asking any cluster."""

    status: int = option("Status of the answer.", default=0)
    body: str = option("Its text.", default="", absent="no body")


@attrs.frozen(kw_only=True)
class Redirect(Located):
    """An answer that sends the client elsewhere."""

    response_code: int = option("301, 302, 303, 307 or 308; 0 = 301.", default=301, zero=301)
    path_redirect: str = option("The new path.", default="", absent="the path of the request")
    host_redirect: str = option("The new host.", default="", absent="the host of the request")
    scheme_redirect: str = option("The new scheme.", default="", absent="the scheme of the request")


@attrs.frozen(kw_only=True)
class ClusterWeight(Located):
    """A cluster and its share."""

    name: str = option("The cluster.")
    weight: Uint32 = option("Its share of the sum of all weights.", default=0)
    metadata_match: Metadata = option("Hosts to use.", factory=dict, feature="subset")


@attrs.frozen(kw_only=True)
class WeightedCluster(Located):
    """One of several clusters of a route."""

    cluster: ClusterWeight = option("The cluster.", aliases=("clusters",))

    @property
    def name(self) -> str:
        """Name of the cluster."""
        return self.cluster.name

    @property
    def weight(self) -> int:
        """Its share of the sum of all weights."""
        return self.cluster.weight

    @property
    def metadata_match(self) -> Mapping[str, str]:
        """Metadata of the hosts to use."""
        return self.cluster.metadata_match


@attrs.frozen(kw_only=True)
class BackOff:
    """Pauses before retries: doubled each time, and half of each pause is random."""

    base_interval: Duration = option("Before the first retry.", default=0.01, zero=0.01)
    max_interval: Duration = option("At most.", default=0.25, zero=0.25)


@attrs.frozen(kw_only=True)
class RetryPolicy(Located):
    """When a failed attempt is made again."""

    retry_on: bool = option(
        "Also after answers of 500 and above, timeouts and lost connections.", default=False
    )
    retry_timeout: LooseDuration = option("Time for one attempt; 0 = no limit.", default=0.0)
    num_retries: Uint32 = option("Most attempts after the first.", default=0)
    status_codes: tuple[int, ...] = option(
        "Statuses to retry after.", default=(), absent="500 and above"
    )
    back_off: BackOff = option("Pauses before retries. mosntx only.", factory=BackOff)
    hedge_after: Duration = option(
        "Without an answer after so long, ask another host, too, and take the first answer; for "
        "requests that may be sent twice. mosntx only.",
        default=0.0,
        absent="never",
    )
    retry_non_idempotent: bool = option(
        "Send POST and PATCH again, too, after a lost connection or a timeout, although the "
        "upstream may have done what they ask for. mosntx only.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class HashHeader:
    """A header as hash key."""

    key: str = option("Name of the header.")


@attrs.frozen(kw_only=True)
class HashCookie:
    """A cookie as hash key."""

    name: str = option("Name of the cookie.")
    path: str = option("Never had an effect.", default="", status=IGNORED)
    ttl: Duration = option("Never had an effect.", default=0.0, status=IGNORED)


@attrs.frozen(kw_only=True)
class HashPolicy(Located):
    """What a consistent hash is made from. Only the first of a list counts."""

    header: HashHeader | None = option("A header.", default=None)
    cookie: HashCookie | None = option("A cookie; wins over `header`.", default=None)
    source_ip: Mapping[str, Any] | None = option("The client's address.", default=None)


@attrs.frozen(kw_only=True)
class RegexPattern:
    """A pattern."""

    regex: str = option("The pattern, RE2 syntax.", default="")
    google_re2: Any = option(
        "Names the syntax; there is only this one.", default=None, status=IGNORED
    )


@attrs.frozen(kw_only=True)
class RegexRewrite(Located):
    """Replacing all that a pattern finds in the path."""

    pattern: RegexPattern = option("What to find.", factory=RegexPattern)
    substitution: str = option("The new text; `$1` and `${name}` are groups.", default="")


@attrs.frozen(kw_only=True)
class RouteAction(Located):
    """Sending the request to a cluster."""

    cluster_name: str = option("The cluster.", default="")
    cluster_variable: str = option(
        "Variable with the cluster's name, used without `cluster_name`.",
        default="",
        feature="cluster_variable",
    )
    cluster_header: str = option("Never had an effect.", default="", status=IGNORED)
    weighted_clusters: tuple[WeightedCluster, ...] = option(
        "Several clusters, chosen by weight; wins over `cluster_name`.",
        default=(),
        feature="weighted_clusters",
    )
    upstream_protocol: UpstreamProtocol = option(
        "Protocol to speak upstream.",
        default="",
        absent="the client's",
        feature="protocol_conversion",
    )
    metadata_match: Metadata = option("Hosts to use.", factory=dict, feature="subset")
    timeout: LooseDuration = option(
        "Time for the whole request; 0 = 60s.", default=0.0, absent="60s"
    )
    retry_policy: RetryPolicy | None = option("Retries.", default=None, feature="retry")
    hash_policy: tuple[HashPolicy, ...] = option(
        "Key for consistent hashing.",
        default=(),
        absent="the client's address",
        feature="hash_policy",
    )
    prefix_rewrite: str = option("Replaces the matched prefix.", default="", feature="path_rewrite")
    regex_rewrite: RegexRewrite | None = option(
        "Rewrites the path, without `prefix_rewrite`.", default=None, feature="path_rewrite"
    )
    host_rewrite: str = option("The host to send.", default="", feature="host_rewrite")
    auto_host_rewrite: bool = option(
        "Send the chosen host's name, for STRICT_DNS clusters.",
        default=False,
        feature="host_rewrite",
    )
    auto_host_rewrite_header: str = option(
        "Send the value of this request header as host.", default="", feature="host_rewrite"
    )
    request_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to the request.", default=(), feature="header_rewrite"
    )
    request_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from the request.", default=(), feature="header_rewrite"
    )
    response_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to the response.", default=(), feature="header_rewrite"
    )
    response_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from the response.", default=(), feature="header_rewrite"
    )
    max_body: Uint32 = option(
        "Largest request body; 0 = no limit of the route. 413. mosntx only.",
        default=0,
        unit="octets",
    )
    allow_connect: bool = option(
        "Let CONNECT requests through to the cluster. mosntx only.",
        default=False,
        feature="connect",
    )

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {"runtime_key_prefix": "Never had an effect."}


@attrs.frozen(kw_only=True)
class MirrorPolicy(Located):
    """A second cluster that gets copies of requests; needs the stream filter ``mirror``."""

    cluster: str = option("The cluster.", default="")
    percent: Uint32 = option("How many of 100 requests; 0 = none.", default=0, unit="percent")
    trace_sampled: bool = option("Never had an effect.", default=False, status=IGNORED)


@attrs.frozen(kw_only=True)
class Route(Located):
    """What it matches and what it does: `direct_response`, else `redirect`, else `route`."""

    match: Match = option("The requests it is for.", factory=Match, absent="all requests")
    route: RouteAction | None = option("Send to a cluster.", default=None)
    direct_response: DirectResponse | None = option(
        "Answer.", default=None, feature="direct_response"
    )
    redirect: Redirect | None = option("Redirect.", default=None, feature="redirect")
    metadata: Metadata = option("Labels without effect.", factory=dict, status=IGNORED)
    per_filter_config: FilterConfigs = option(
        "Settings of stream filters for this route, by filter name.", factory=dict
    )
    request_mirror_policies: MirrorPolicy | None = option(
        "Copies of requests.", default=None, feature="mirror"
    )

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {"decorator": "Never had an effect."}


@attrs.frozen(kw_only=True)
class VirtualHost(Located):
    """Routes for certain hosts."""

    name: str = option("A label.", default="")
    domains: tuple[str, ...] = option(
        "Hosts: `name`, `name:port`, `name:*`, `*.suffix`, `*`.", default=()
    )
    routers: tuple[Route, ...] = option("Routes; the first that matches decides.", default=())
    require_tls: str = option("Never had an effect.", default="", status=IGNORED)
    request_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to requests.", default=(), feature="header_rewrite"
    )
    request_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from requests.", default=(), feature="header_rewrite"
    )
    response_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to responses.", default=(), feature="header_rewrite"
    )
    response_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from responses.", default=(), feature="header_rewrite"
    )
    per_filter_config: FilterConfigs = option(
        "Settings of stream filters for this virtual host, by filter name.", factory=dict
    )

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {"virtual_clusters": "Never had an effect."}


@attrs.frozen(kw_only=True)
class RouterConfig(Located):
    """A named set of virtual hosts."""

    router_config_name: str = option(
        "Name that proxies use; an entry without a name is left out.", default=""
    )
    virtual_hosts: tuple[VirtualHost, ...] = option("Virtual hosts.", default=())
    router_configs: str = option(
        "Directory with one virtual host per file; not together with `virtual_hosts`.", default=""
    )
    encoded_slash: str = option(
        "What `%2F` in a path is to routes and rewrites: a slash, itself, or refused with 400. "
        "mosntx only.",
        default="decode",
        choices=("decode", "keep", "reject"),
    )
    request_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to all requests.", default=(), feature="header_rewrite"
    )
    request_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from all requests.", default=(), feature="header_rewrite"
    )
    response_headers_to_add: tuple[HeaderToAdd, ...] = option(
        "Headers added to all responses.", default=(), feature="header_rewrite"
    )
    response_headers_to_remove: tuple[str, ...] = option(
        "Headers removed from all responses.", default=(), feature="header_rewrite"
    )
