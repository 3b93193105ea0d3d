"""Connections that carry many streams.

One per host, more only by ``max_connections`` (row B5; spec/upstream.md 12.2).

Who finds none ready waits, bounded in number and time, while one is being made. A host that refuses
is not dialled again at full speed: until its back-off is over, checkouts fail at once with what it
said last.
"""

from __future__ import annotations

from typing import Any

from zope.interface import implementer

from mosntx.contracts.stream import IFrameConnectionOwner
from mosntx.contracts.upstream import IConnectionPool
from mosntx.stream.keepalive import Keepalive
from mosntx.stream.multiplex.client import ClientConnection
from mosntx.upstream.pools.shared import (
    FIRST_BACKOFF,
    LAST_BACKOFF,
    MOST_CONNECTIONS,
    MultiplexLimits,
    SharedPool,
)

__all__ = [
    "FIRST_BACKOFF",
    "LAST_BACKOFF",
    "MOST_CONNECTIONS",
    "MultiplexLimits",
    "MultiplexPool",
]


@implementer(IConnectionPool, IFrameConnectionOwner)
class MultiplexPool(SharedPool[ClientConnection]):
    """See `IConnectionPool`."""

    __slots__ = ("_next",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """See `SharedPool`."""
        super().__init__(*args, **kwargs)
        self._next = 0

    def tryCheckout(self) -> ClientConnection | None:
        """See `IConnectionPool.tryCheckout`. Several connections take turns."""
        open_ = self._open
        if not open_:
            return None
        most = self._limits.connections
        if most == 1:
            return open_[0]
        if len(open_) + len(self._connecting) < most and self._mayDial():
            self._connect()
        self._next += 1
        return open_[self._next % len(open_)]

    def checkin(self, streams: ClientConnection) -> None:
        """See `IConnectionPool.checkin`: streams end without giving the connection back."""

    def _makeStreams(self) -> ClientConnection:
        limits = self._limits
        keepalive = Keepalive(self._wheel, limits.heartbeatInterval, limits.heartbeatTimeout)
        return ClientConnection(self._codec(), self, keepalive)
