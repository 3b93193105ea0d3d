"""How protocols are made from configuration.

One row each, with the limits of the place that uses them.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from mosntx.config.schema import ProxyConfig
from mosntx.contracts.codec import IProtocol
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.http1.protocol import Http1Protocol
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
    return Http1Protocol(limits)


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
