"""Connections that carry one stream at a time (HTTP/1; spec/upstream.md 12.1).

The connection used last is used first, so that few stay warm and the rest can go idle. A connection
comes back only after a complete, clean exchange. Who finds none idle waits while one is being made,
or, at ``max_connections``, for one to come back.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.codec import IClientCodec
from mosntx.contracts.net import IConnector
from mosntx.contracts.stream import IConnectionOwner
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.timers import TimerWheel
from mosntx.stats.structs import HostStats
from mosntx.stream.sequential.client import SequentialClient
from mosntx.upstream.pools.base import ConnectionPool, reasonOf


@frozen
class PoolLimits:
    """How much a pool may hold.

    :ivar maxConnections: connections to the host; 0 = no limit (MOSN's default).
    :ivar maxPending: requests that may wait. A wait is memory of ours and patience of the client,
        so it is bounded by default.
    :ivar pendingTimeout: seconds a request may wait for a connection to come free.
    :ivar connectTimeout: seconds for the TCP connect (MOSN: 10).
    :ivar maxStreams: requests per connection; 0 = no limit.
    """

    maxConnections: int = 0
    maxPending: int = 1024
    pendingTimeout: float = 1.0
    connectTimeout: float = 10.0
    maxStreams: int = 0


@implementer(IConnectionPool, IConnectionOwner)
class PingPongPool(ConnectionPool[SequentialClient]):
    """See `IConnectionPool`."""

    __slots__ = ("_idle", "_limits")

    def __init__(
        self,
        address: str,
        codec: Callable[[], IClientCodec],
        connector: IConnector,
        wheel: TimerWheel,
        stats: HostStats,
        limits: PoolLimits,
    ) -> None:
        """:param codec: makes the codec of a new connection."""
        super().__init__(
            address, codec, connector, wheel, stats, limits.maxPending, limits.connectTimeout
        )
        self._limits = limits
        self._idle: dict[SequentialClient, None] = {}

    @property
    def active(self) -> int:
        """Connections checked out now."""
        return len(self._all) - len(self._idle)

    @property
    def idle(self) -> int:
        """Connections ready now."""
        return len(self._idle)

    def tryCheckout(self) -> SequentialClient | None:
        """See `IConnectionPool.tryCheckout`."""
        while self._idle:
            streams = self._idle.popitem()[0]
            if not streams.draining:  # else it is closing, which takes until the next turn
                return streams
        return None

    def checkin(self, streams: SequentialClient) -> None:
        """See `IConnectionPool.checkin`."""
        if self.draining or not streams.reusable:
            streams.drain()
            return
        waiter = self._waiting.pop()
        if waiter is not None:
            waiter.callback(streams)
        else:
            self._idle[streams] = None

    def stale(self, streams: SequentialClient) -> None:
        """See `IConnectionOwner.stale`: the request is repeated on a connection that is new."""
        idle, self._idle = self._idle, {}
        for each in idle:
            each.drain()

    def _mayWait(self) -> float:
        seconds = self._limits.pendingTimeout
        if self._mayConnect():  # then the connector's deadline rules, and this one backs it up
            seconds += self._limits.connectTimeout
        return seconds

    def _mayConnect(self) -> bool:
        most = self._limits.maxConnections
        return not most or len(self._all) + len(self._connecting) < most

    def _connectForWaiters(self) -> None:
        """Make as many connections as requests wait, within the limit."""
        while (
            len(self._connecting) < len(self._waiting) and not self.draining and self._mayConnect()
        ):
            self._connect()

    def _makeStreams(self) -> SequentialClient:
        return SequentialClient(self._codec(), self, self._limits.maxStreams)

    def _ready(self, streams: SequentialClient) -> None:
        self.checkin(streams)

    def _refused(self, failure: Failure) -> None:
        """Each connection is made for one who waits, so one of them is told."""
        waiter = self._waiting.pop()
        if waiter is not None:
            waiter.errback(reasonOf(failure))

    def _left(self, streams: SequentialClient) -> bool:
        self._idle.pop(streams, None)
        return streams.cut
