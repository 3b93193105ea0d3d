"""How protocols are made from configuration.

One row each, with the limits of the place that uses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from attrs import evolve

from mosntx.config.schema import ProxyConfig
from mosntx.contracts.codec import IProtocol
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import H2, NGH2, Http2Protocol, fastEngineInstalled
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.protocol import TrProtocol

#: Makes a protocol for a listener, or for upstream use when there is no configuration.
ProtocolRow = Callable[[ProxyConfig | None], IProtocol]


def http1(config: ProxyConfig | None) -> IProtocol:
    """HTTP/1.1 and 1.0."""
    limits = Http1Limits()
    if config is not None:
        limits = evolve(
            limits,
            header_timeout=config.request_header_timeout,
            max_request_line=config.max_request_line,
            max_headers=config.max_headers,
            max_header_size=config.max_header_size,
            max_body=config.max_request_body_size,
            max_backlog=config.max_pipelined * 1024,
            max_requests_per_connection=config.max_requests_per_connection,
        )
    return Http1Protocol(limits, os.urandom)


def http2(config: ProxyConfig | None) -> IProtocol:
    """HTTP/2, as RFC 9113 has it."""
    limits = Http2Limits()
    if config is None:
        return Http2Protocol(limits)
    options = config.http2
    floods = limits.floods
    size = config.max_header_size
    limits = evolve(
        limits,
        max_concurrent_streams=options.max_concurrent_streams,
        stream_window=options.initial_stream_window,
        connection_window=options.initial_connection_window,
        max_header_list_size=size,
        max_headers=config.max_headers,
        max_body=config.max_request_body_size,
        max_requests_per_connection=config.max_requests_per_connection,
        enable_push=options.enable_push,
        enable_connect_protocol=options.enable_connect_protocol,
        # A block that the limit above allows may come without any compression, in frames of 16 KiB.
        floods=evolve(
            floods,
            max_header_block=max(floods.max_header_block, size),
            max_continuations=max(floods.max_continuations, size // 8192),
        ),
    )
    return Http2Protocol(limits, options.http2_engine)


def http2Engines() -> frozenset[str]:
    """Return the engines of HTTP/2 that are installed."""
    return frozenset((H2, NGH2) if fastEngineInstalled() else (H2,))


def bolt(config: ProxyConfig | None) -> IProtocol:
    """Bolt; its connections begin with version 1."""
    return BoltProtocol("bolt", _boltLimits(config))


def boltv2(config: ProxyConfig | None) -> IProtocol:
    """Bolt; its connections begin with version 2."""
    return BoltProtocol("boltv2", _boltLimits(config))


def tr(config: ProxyConfig | None) -> IProtocol:
    """TR."""
    limits = TrLimits()
    if config is not None and config.max_request_body_size:
        limits = evolve(limits, max_content=config.max_request_body_size)
    return TrProtocol(limits)


def _boltLimits(config: ProxyConfig | None) -> BoltLimits:
    """Header maps keep to what a frame can say: a limit for headers of HTTP is not meant for it."""
    limits = BoltLimits()
    if config is not None and config.max_request_body_size:
        limits = evolve(limits, max_content=config.max_request_body_size)
    return limits
