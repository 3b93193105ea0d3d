"""Settings of the filters ``proxy``, ``tcp_proxy``, ``udp_proxy`` (MOSN pkg/config/v2/proxy.go)."""

# ruff: noqa: RUF009 - `option` is `attrs.field` with notes for loader and reference
from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from mosntx.config.schema.base import (
    IGNORED,
    Cidr,
    Duration,
    Located,
    LooseDuration,
    Uint32,
    internal,
    option,
)
from mosntx.config.schema.http2 import Http2Options

MAX_REQUEST_LINE = 8192
"""Octets of a request line; RFC 9112 section 3 asks for at least 8000."""
MAX_HEADERS = 100
"""Header fields of a message; more are a flood (Apache httpd has 100 as well)."""
MAX_HEADER_SIZE = 32768
"""Octets of a header block."""
MAX_PIPELINED = 64
"""KiB of unparsed octets kept while a request is in progress."""


@attrs.frozen(kw_only=True)
class Http1Options:
    """``extend_config.Http1``."""

    max_header_size: Uint32 | None = option(
        "Largest header block; wins over `max_header_size` of the filter.",
        default=None,
        unit="octets",
    )
    max_request_body_size: Uint32 | None = option(
        "Largest request body; 0 = unlimited; wins over the filter's key.",
        default=None,
        unit="octets",
    )

    CASE_SENSITIVE: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class BoltOptions:
    """``extend_config.bolt``."""

    enable_bolt_goaway: bool = option("Announce the end of a connection.", default=False)

    CASE_SENSITIVE: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class ProxyConfig(Located):
    """Settings of the network filter `proxy`: application protocols, and where their routes are."""

    name: str = option("A label without effect.", default="", status=IGNORED)
    downstream_protocol: str = option(
        "Protocol of the clients, several joined by commas, or `Auto`. "
        "The old `SofaRpc` is `bolt,boltv2`; `X` takes `extend_config.sub_protocol`."
    )
    upstream_protocol: str = option(
        "Without effect in MOSN since 0.26. In files of the old style, the protocol to convert to.",
        default="",
    )
    router_config_name: str = option("Name of the router configuration to use.", default="")
    router_handler_name: str = option(
        "Name of a custom route handler.", default="", feature="router_handler"
    )
    fallback_for_unknown_protocol: bool = option(
        "Pass octets of no known protocol to the next network filter instead of closing.",
        default=False,
        feature="protocol_fallback",
    )
    validate_clusters: bool = option("Never had an effect.", default=False, status=IGNORED)
    extend_config: Mapping[str, Any] = option(
        "Options per protocol, keyed by its name.", factory=dict
    )
    concurrency_num: int = option("Workers per connection in Go.", default=0, status=IGNORED)
    virtual_hosts: Annotated[Any, "inline_routes"] = option(
        "Routes inline, as in 0.1 and 0.2: an anonymous router configuration.", default=None
    )

    stream_idle_timeout: Duration = option(
        "Reset a request that makes no progress for this long; 0 = never. mosntx only.",
        default=300.0,
    )
    request_header_timeout: Duration = option(
        "Answer 408 when a header block takes longer, in HTTP/2 end the connection; 0 = never. "
        "mosntx only.",
        default=10.0,
    )
    max_request_line: Uint32 = option(
        "Longest request line. mosntx only.", default=MAX_REQUEST_LINE, unit="octets"
    )
    max_headers: Uint32 = option(
        "Most header fields of a message. mosntx only.", default=MAX_HEADERS
    )
    max_header_size: Uint32 = option(
        "Largest header block; `extend_config.Http1.max_header_size` wins. mosntx only.",
        default=MAX_HEADER_SIZE,
        unit="octets",
    )
    max_request_body_size: Uint32 = option(
        "Largest request body; 0 = unlimited. mosntx only.", default=0, unit="octets"
    )
    max_pipelined: Uint32 = option(
        "Unparsed octets kept while a request is in progress; then reading stops. mosntx only.",
        default=MAX_PIPELINED,
        unit="KiB",
    )
    max_requests_per_connection: Uint32 = option(
        "Close a client's connection after this many requests; 0 = unlimited. mosntx only.",
        default=0,
    )
    detect_timeout: Duration = option(
        "Close a connection whose protocol is not known after this long; 0 = never. mosntx only.",
        default=15.0,
    )
    use_remote_address: bool = option(
        "Add `X-Forwarded-For` and `X-Forwarded-Proto`. mosntx only.",
        default=False,
        feature="forwarding_headers",
    )
    via: str = option(
        "Add a `Via` header with this name. mosntx only.",
        default="",
        absent="no header",
        feature="forwarding_headers",
    )
    generate_request_id: bool = option(
        "Add `X-Request-Id` when the client sent none. mosntx only.",
        default=False,
        feature="forwarding_headers",
    )

    reason_header: bool = option(
        "Say in `X-Mosntx-Reason` why a request was answered from here. mosntx only.",
        default=False,
    )

    protocols: tuple[str, ...] = internal(())
    """The built downstream protocols in order, old names resolved; ``("Auto",)`` = detect any."""
    upstreamProtocol: str = internal("")
    """The protocol to convert to; "" = the same as downstream."""
    http1: Http1Options = internal(factory=Http1Options)
    http2: Http2Options = internal(factory=Http2Options)
    bolt: BoltOptions = internal(factory=BoltOptions)
    options: Mapping[str, Mapping[str, Any]] = internal(factory=dict)
    """``extend_config`` by protocol name, as plain maps, the flat form resolved."""

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "support_dynamic_route": "Of 0.1 and 0.2, without effect.",
        "basic_routes": "Of 0.1 and 0.2, without effect.",
    }


@attrs.frozen(kw_only=True)
class TcpRoute(Located):
    """A cluster for connections between certain addresses; an empty list or text means any."""

    cluster: str = option("The cluster to connect to.", default="")
    source_addrs: tuple[Cidr, ...] = option(
        "Networks of the client.", default=(), aliases=("sourceaddrs",)
    )
    destination_addrs: tuple[Cidr, ...] = option(
        "Networks of the address connected to.",
        default=(),
        aliases=("destinationaddrs",),
    )
    source_port: str = option(
        "Ports of the client, such as `80,8000-9000`.", default="", aliases=("sourceport",)
    )
    destination_port: str = option("Ports connected to.", default="", aliases=("destinationport",))


@attrs.frozen(kw_only=True)
class TcpProxyConfig(Located):
    """Settings of the network filters ``tcp_proxy`` and ``udp_proxy``: octets to a cluster."""

    stat_prefix: str = option("Never had an effect.", default="", status=IGNORED)
    cluster: str = option("The cluster to connect to; wins over `routes`.", default="")
    routes: tuple[TcpRoute, ...] = option(
        "The first that matches decides.", default=(), feature="tcp_routes"
    )
    idle_timeout: LooseDuration | None = option(
        "Close after this long without traffic. Whole numbers are nanoseconds.",
        default=None,
        absent="90s; 5s on UDP",
    )
    max_connect_attempts: Uint32 = option("Never had an effect.", default=0, status=IGNORED)
