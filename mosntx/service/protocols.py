"""How protocols are made from configuration.

One row each, with the limits of the place that uses them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from attrs import evolve

from mosntx.config.schema import Http2UpstreamOptions, ProxyConfig
from mosntx.contracts.codec import IProtocol
from mosntx.net.timers import TimerWheel
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.http2.guard import FloodLimits
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import H2, NGH2, Http2Protocol, fastEngineInstalled
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.stream.keepalive import Keepalive

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
    floods, size = limits.floods, config.max_header_size
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
        settings_timeout=options.settings_timeout,
        header_timeout=config.request_header_timeout,
        window_timeout=options.window_timeout,
        floods=_roomFor(size, floods),
    )
    return Http2Protocol(limits, options.http2_engine)


def http2Upstream(options: Http2UpstreamOptions, counters: Http2Counters) -> IProtocol:
    """HTTP/2 as the hosts of one cluster are spoken to."""
    limits = Http2Limits()
    size = options.max_header_size
    limits = evolve(
        limits,
        max_concurrent_streams=options.max_concurrent_streams,
        stream_window=options.initial_stream_window,
        connection_window=options.initial_connection_window,
        max_header_list_size=size,
        max_headers=options.max_headers,
        enable_push=options.enable_push,
        floods=_roomFor(size, limits.floods),
    )
    return Http2Protocol(limits, options.http2_engine, counters)


def _roomFor(size: int, floods: FloodLimits) -> FloodLimits:
    """Let a block of so many octets come without any compression, in frames of 16 KiB."""
    return evolve(
        floods,
        max_header_block=max(floods.max_header_block, size),
        max_continuations=max(floods.max_continuations, size // 8192),
    )


def clientKeepalive(config: ProxyConfig, wheel: TimerWheel) -> Callable[[], Keepalive] | None:
    """Return what makes keepalives for clients with streams in parts; ``None`` when there is none.

    A client that misses one PING is gone: it has also said nothing else for longer than that.
    """
    times = config.http2.keepalive
    if not times.interval:
        return None
    return partial(
        Keepalive, wheel, timeout=times.timeout, silence=times.interval, misses=1, idle=False
    )


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
