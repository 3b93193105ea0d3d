"""Which pool a host gets in which protocol, with the limits of its cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.contracts.codec import FRAMED, PING_PONG, IProtocol
from mosntx.contracts.net import IConnector
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.timers import TimerWheel
from mosntx.protocol.http2.counters import Http2Counters
from mosntx.protocol.raw import RAW, RawProtocol
from mosntx.service.protocols import ProtocolRow, http2, http2Upstream
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import ANSWER_TIMEOUT
from mosntx.upstream.hosts import Host
from mosntx.upstream.pools.framed import FramedLimits, FramedPool
from mosntx.upstream.pools.multiplex import MultiplexLimits, MultiplexPool
from mosntx.upstream.pools.pingpong import PingPongPool, PoolLimits


class Pools:
    """Makes a pool at the first use of a host in a protocol.

    :param protocols: by name.
    :param connector: makes a connector whose connections end when idle for so many seconds.
    :ivar turn: of the writes of all framed streams; give it to the proxies too.
    """

    def __init__(
        self,
        protocols: Mapping[str, ProtocolRow],
        connector: Callable[[float], IConnector],
        wheel: TimerWheel,
        turn: WriteTurn | None = None,
    ) -> None:
        self.turn = turn or WriteTurn()
        self._rows: Mapping[str, ProtocolRow] = {RAW: lambda _: RawProtocol(), **protocols}
        self._connector = connector
        self._wheel = wheel
        self._spoken: dict[str, IProtocol] = {}

    def __call__(self, host: Host, protocol: str) -> IConnectionPool:
        """Return a new pool."""
        config = host.cluster.config
        spoken = self._protocol(host, protocol)
        connector = self._connector(config.idle_timeout or 0.0)
        codec: Any = spoken.clientCodec  # of the kind that the mode says
        wheel = self._wheel
        if spoken.poolMode == PING_PONG:
            limits = pingPongLimits(config)
            return PingPongPool(host.address, codec, connector, wheel, host.stats, limits)
        if spoken.poolMode == FRAMED:
            framed = framedLimits(config)
            return FramedPool(host.address, codec, connector, wheel, host.stats, framed, self.turn)
        frames = multiplexLimits(config)
        return MultiplexPool(host.address, codec, connector, wheel, host.stats, frames)

    def _protocol(self, host: Host, name: str) -> IProtocol:
        """Return a protocol: with options of its own for each cluster, else one for all."""
        row = self._rows[name]
        if row is http2:
            counters = host.cluster.stats.protocols.keep(name, Http2Counters)
            return http2Upstream(host.cluster.config.protocol_options.http2, counters)
        spoken = self._spoken.get(name)
        if spoken is None:
            spoken = self._spoken[name] = row(None)
        return spoken


def pingPongLimits(config: ClusterConfig) -> PoolLimits:
    """The limits of a pool with one stream per connection."""
    breaker = config.circuitBreaker
    return PoolLimits(
        maxConnections=breaker.max_connections,
        maxPending=breaker.max_pending_requests,
        pendingTimeout=config.pending_timeout,
        connectTimeout=config.connect_timeout,
        maxStreams=config.max_requests_per_connection,
    )


def multiplexLimits(config: ClusterConfig) -> MultiplexLimits:
    """The limits of a pool with many streams per connection."""
    breaker, keepalive = config.circuitBreaker, config.keepalive
    return MultiplexLimits.of(
        breaker.max_connections,
        maxPending=breaker.max_pending_requests,
        connectTimeout=config.connect_timeout,
        heartbeatInterval=keepalive.interval if keepalive else 0.0,
        heartbeatTimeout=keepalive.timeout if keepalive else ANSWER_TIMEOUT,
    )


def framedLimits(config: ClusterConfig) -> FramedLimits:
    """The limits of a pool with many framed streams per connection."""
    breaker, keepalive = config.circuitBreaker, config.keepalive
    return FramedLimits.of(
        breaker.max_connections,
        maxPending=breaker.max_pending_requests,
        pendingTimeout=config.pending_timeout,
        connectTimeout=config.connect_timeout,
        maxStreams=config.max_requests_per_connection,
        heartbeatInterval=keepalive.interval if keepalive else 0.0,
        heartbeatTimeout=keepalive.timeout if keepalive else ANSWER_TIMEOUT,
    )
