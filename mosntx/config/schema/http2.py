"""Options of HTTP/2, of listeners and of clusters. MOSN has none but ``http2_use_stream``."""

from __future__ import annotations

from typing import Annotated, ClassVar

import attrs

from mosntx.config.schema.base import Bounds, Duration, Uint32, option

INT31_MAX = 2**31 - 1
"""The largest window of HTTP/2, RFC 9113 section 6.9.1."""
UPSTREAM_HEADER_SIZE = 65536
"""Octets of a field list of an upstream: it is trusted more than clients are."""
UPSTREAM_HEADERS = 100
"""Header fields of an upstream's message."""


@attrs.frozen(kw_only=True)
class Http2Keepalive:
    """PING to clients that have requests under way."""

    interval: Duration = option(
        "Ask a client from which nothing has come for this long whether it lives; 0 = never.",
        default=60.0,
    )
    timeout: Duration = option(
        "Close the connection when the answer takes longer.", default=20.0, zero=20.0
    )

    CASE_SENSITIVE: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class _Common:
    """What both sides have."""

    http2_engine: str = option(
        "The library behind the protocol; `auto` is `ngh2` where it is installed (the extra "
        "`fast`), else `h2`. mosntx only.",
        default="auto",
        choices=("auto", "h2", "ngh2"),
    )
    max_concurrent_streams: Annotated[int, Bounds(1, INT31_MAX)] = option(
        "Requests under way on one connection: of a client at most; to an upstream at most, when "
        "it takes as many. mosntx only.",
        default=100,
    )
    initial_stream_window: Annotated[int, Bounds(1, INT31_MAX)] = option(
        "What the peer may send of one body before it is read. mosntx only.",
        default=65536,
        unit="octets",
    )
    initial_connection_window: Annotated[int, Bounds(65535, INT31_MAX)] = option(
        "The same for all bodies of a connection; at least the windows of all streams. "
        "mosntx only.",
        default=1048576,
        unit="octets",
    )
    enable_push: bool = option(
        "Take pushed responses of upstreams, and pass them on to clients that take them. "
        "mosntx only.",
        default=True,
    )

    CASE_SENSITIVE: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class Http2Options(_Common):
    """``extend_config.Http2``."""

    http2_use_stream: bool = option(
        "In MOSN: pass bodies on as they come instead of whole. mosntx always does; both values "
        "mean the same.",
        default=False,
    )
    enable_connect_protocol: bool = option(
        "Offer extended CONNECT (RFC 8441). mosntx only.", default=True
    )
    settings_timeout: Duration = option(
        "Close a connection whose preface and first SETTINGS take longer; 0 = never. mosntx only.",
        default=10.0,
    )
    window_timeout: Duration = option(
        "Reset a stream whose window stays closed for this long with data waiting; close a "
        "connection of which that is true; 0 = never. mosntx only.",
        default=60.0,
    )
    keepalive: Http2Keepalive = option(
        "Whether clients with requests under way are there. mosntx only.", factory=Http2Keepalive
    )


@attrs.frozen(kw_only=True)
class Http2UpstreamOptions(_Common):
    """``protocol_options.Http2`` of a cluster."""

    max_header_size: Uint32 = option(
        "Largest field list of a response, decoded; more is a 502. mosntx only.",
        default=UPSTREAM_HEADER_SIZE,
        unit="octets",
    )
    max_headers: Uint32 = option(
        "Most header fields of a response; more are a 502. mosntx only.", default=UPSTREAM_HEADERS
    )


@attrs.frozen(kw_only=True)
class ProtocolOptions:
    """Options of a cluster by protocol."""

    http2: Http2UpstreamOptions = option(
        "Of HTTP/2. Heartbeats are in `keepalive` of the cluster, requests per connection in "
        "`max_requests_per_connection`.",
        factory=Http2UpstreamOptions,
        name="Http2",
    )

    CASE_SENSITIVE: ClassVar[bool] = True
