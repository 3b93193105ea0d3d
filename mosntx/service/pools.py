"""Which pool a host gets in which protocol, with the limits of its cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.contracts.codec import PING_PONG, IProtocol
from mosntx.contracts.net import IConnector
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.timers import TimerWheel
from mosntx.protocol.raw import RAW, RawProtocol
from mosntx.service.protocols import ProtocolRow
from mosntx.stream.keepalive import ANSWER_TIMEOUT
from mosntx.upstream.hosts import Host
from mosntx.upstream.pools.multiplex import MultiplexLimits, MultiplexPool
from mosntx.upstream.pools.pingpong import PingPongPool, PoolLimits


class Pools:
    """Makes a pool at the first use of a host in a protocol.

    :param protocols: by name.
    :param connector: makes a connector whose connections end when idle for so many seconds.
    """

    def __init__(
        self,
        protocols: Mapping[str, ProtocolRow],
        connector: Callable[[float], IConnector],
        wheel: TimerWheel,
    ) -> None:
        self._rows: Mapping[str, ProtocolRow] = {RAW: lambda _: RawProtocol(), **protocols}
        self._connector = connector
        self._wheel = wheel
        self._spoken: dict[str, IProtocol] = {}

    def __call__(self, host: Host, protocol: str) -> IConnectionPool:
        """Return a new pool."""
        spoken = self._spoken.get(protocol)
        if spoken is None:
            spoken = self._spoken[protocol] = self._rows[protocol](None)
        config = host.cluster.config
        connector = self._connector(config.idle_timeout or 0.0)
        codec, wheel = spoken.clientCodec, self._wheel
        if spoken.poolMode == PING_PONG:
            limits = pingPongLimits(config)
            return PingPongPool(host.address, codec, connector, wheel, host.stats, limits)
        frames = multiplexLimits(config)
        return MultiplexPool(host.address, codec, connector, wheel, host.stats, frames)


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
