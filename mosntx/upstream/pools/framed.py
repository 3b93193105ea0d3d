"""Connections that carry many streams, as many as the host takes (HTTP/2).

The first connection with room is given out, so that few are in use and the rest can go idle. When
all are full another one is made, up to ``max_connections``; who then finds none with room waits,
bounded in number and time, until a stream has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from attrs import frozen
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.codec import IFramedClientCodec
from mosntx.contracts.net import IConnector
from mosntx.contracts.stream import IFrameConnectionOwner
from mosntx.contracts.upstream import IConnectionPool
from mosntx.net.timers import TimerWheel
from mosntx.stats.structs import HostStats
from mosntx.stream.framed.client import FramedClient
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive
from mosntx.upstream.pools.shared import MOST_CONNECTIONS, MultiplexLimits, SharedPool

#: ``max_connections`` when nothing is said: another connection is only made when all are full, so
#: this is a bound for emergencies. One connection would be a bound on requests, of the host's
#: choosing: with 100 streams the 101st request would wait (Envoy's default for a cluster).
DEFAULT_CONNECTIONS = 1024


@frozen
class FramedLimits(MultiplexLimits):
    """How much a pool may hold.

    :ivar pendingTimeout: seconds a request may wait for room on a connection.
    :ivar maxStreams: requests per connection; 0 = no limit.
    """

    pendingTimeout: float = 1.0
    maxStreams: int = 0

    @classmethod
    def of(cls, maxConnections: int, **others: Any) -> Self:
        """See `MultiplexLimits.of`; 0 and what counts as no limit are `DEFAULT_CONNECTIONS`."""
        good = 1 <= maxConnections <= MOST_CONNECTIONS
        return cls(connections=maxConnections if good else DEFAULT_CONNECTIONS, **others)


@implementer(IConnectionPool, IFrameConnectionOwner)
class FramedPool(SharedPool[FramedClient]):
    """See `IConnectionPool`."""

    __slots__ = ("_turn",)

    _limits: FramedLimits

    def __init__(
        self,
        address: str,
        codec: Callable[[], IFramedClientCodec],
        connector: IConnector,
        wheel: TimerWheel,
        stats: HostStats,
        limits: FramedLimits,
        turn: WriteTurn,
    ) -> None:
        """:param codec: makes the codec of a new connection."""
        super().__init__(address, codec, connector, wheel, stats, limits)
        self._turn = turn

    def tryCheckout(self) -> FramedClient | None:
        """See `IConnectionPool.tryCheckout`."""
        for streams in self._open:
            if streams.capacity > 0:
                return streams
        return None

    def checkin(self, streams: FramedClient) -> None:
        """See `IConnectionPool.checkin`: there may be room for those who wait."""
        if len(self._waiting):
            self._serve(streams)

    def _serve(self, streams: FramedClient) -> None:
        """Let those who wait use a connection, as far as it has room."""
        # One of them may break the connection.
        while streams.capacity > 0 and (waiter := self._waiting.pop()) is not None:
            waiter.callback(streams)

    def _mayWait(self) -> float:
        """Wait for room, and before that for a connection, if one will be made.

        :raises Exception: what the host said last, while its back-off is not over and there is no
            other connection to wait for.
        """
        if not self._open:
            return super()._mayWait() + self._limits.pendingTimeout
        seconds = self._limits.pendingTimeout
        return seconds + self._limits.connectTimeout if self._mayGrow() else seconds

    def _mayGrow(self) -> bool:
        """Another connection may be made; those that take no new streams do not count.

        Not while one without any streams has no room: another would have none either.
        """
        if len(self._open) >= self._limits.connections or not self._mayDial():
            return False
        return all(streams.active for streams in self._open)

    def _connectForWaiters(self) -> None:
        """Make one connection at a time: it may have room for all."""
        if not len(self._waiting) or self._connecting or self.draining:
            return
        if self._mayGrow():
            self._connect()
        elif not self._open and self._lastReason is not None:  # what they waited for has gone
            self._waiting.failAll(self._lastReason)

    def _makeStreams(self) -> FramedClient:
        limits = self._limits
        keepalive = Keepalive(self._wheel, limits.heartbeatInterval, limits.heartbeatTimeout)
        return FramedClient(
            self._codec(),  # type: ignore[arg-type]  # a framed one, see __init__
            self,
            self._wheel,
            self._turn,
            keepalive,
            limits.maxStreams,
            limits.connectTimeout,
        )

    def _ready(self, streams: FramedClient) -> None:
        self._dialled()
        self._open.append(streams)
        self._serve(streams)
        self._connectForWaiters()

    def _refused(self, failure: Failure) -> None:
        """Those who wait go on waiting when there are other connections."""
        reason = self._backOff(failure)
        if not self._open:
            self._waiting.failAll(reason)
