"""What pools of connections with many streams have in common.

A host that refuses is not dialled again at full speed: until its back-off is over, checkouts fail
at once with what it said last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

from attrs import frozen
from twisted.python.failure import Failure

from mosntx.contracts.codec import IClientCodec
from mosntx.contracts.net import IConnector
from mosntx.net.timers import TimerWheel
from mosntx.stats.structs import HostStats
from mosntx.stream.keepalive import ANSWER_TIMEOUT
from mosntx.upstream.pools.base import ConnectionPool, reasonOf

#: A connection of the pool: `ClientConnection` or `FramedClient`.
S = TypeVar("S", bound=Any)

#: ``max_connections`` above this counts as 1 (MOSN: xDS writes 4294967295 for "no limit").
MOST_CONNECTIONS = 65534

#: Seconds of back-off after the first refused connect, and at most; doubled each time.
FIRST_BACKOFF = 0.1
LAST_BACKOFF = 5.0


@frozen
class MultiplexLimits:
    """How much a pool may hold.

    :ivar connections: to the host.
    :ivar maxPending: requests that may wait for a connection to be made.
    :ivar connectTimeout: seconds for the TCP connect.
    :ivar heartbeatInterval: seconds between heartbeats besides those for silence; 0.0 = none.
    :ivar heartbeatTimeout: seconds for the answer to a heartbeat.
    """

    connections: int = 1
    maxPending: int = 1024
    connectTimeout: float = 10.0
    heartbeatInterval: float = 0.0
    heartbeatTimeout: float = ANSWER_TIMEOUT

    @classmethod
    def of(cls, maxConnections: int, **others: Any) -> Self:
        """Make limits from the configured ``max_connections``."""
        good = 1 <= maxConnections <= MOST_CONNECTIONS
        return cls(connections=maxConnections if good else 1, **others)


class SharedPool(ConnectionPool[S]):
    """A pool whose connections are used by many at a time.

    A subclass says which of the open ones is given out.
    """

    __slots__ = ("_backoff", "_lastReason", "_limits", "_notBefore", "_open")

    def __init__(
        self,
        address: str,
        codec: Callable[[], IClientCodec],
        connector: IConnector,
        wheel: TimerWheel,
        stats: HostStats,
        limits: MultiplexLimits,
    ) -> None:
        """:param codec: makes the codec of a new connection."""
        super().__init__(
            address, codec, connector, wheel, stats, limits.maxPending, limits.connectTimeout
        )
        self._limits = limits
        self._open: list[S] = []
        self._backoff = 0.0
        self._notBefore = 0.0
        self._lastReason: Exception | None = None

    @property
    def active(self) -> int:
        """Connections with streams on them."""
        return sum(1 for streams in self._all if streams.active)

    @property
    def idle(self) -> int:
        """Connections without streams."""
        return len(self._all) - self.active

    def goneAway(self, streams: S) -> None:
        """See `IFrameConnectionOwner.goneAway`."""
        self._leave(streams)
        self._connectForWaiters()

    def lateAnswer(self, streams: S) -> None:
        """See `IFrameConnectionOwner.lateAnswer`."""
        self._stats.response_late += 1

    def protocolError(self, streams: S) -> None:
        """See `IConnectionOwner.protocolError`."""
        super().protocolError(streams)
        self._leave(streams)

    def _mayWait(self) -> float:
        """Wait for the connector's deadline, backed up by a second more.

        :raises Exception: what the host said last, while its back-off is not over.
        """
        if self._lastReason is not None and not self._mayDial():
            # It is raised again and again: do not let it collect tracebacks.
            raise self._lastReason.with_traceback(None)
        return self._limits.connectTimeout + 1.0

    def _mayDial(self) -> bool:
        """No back-off is under way."""
        return self._lastReason is None or self._wheel.seconds() >= self._notBefore

    def _connectForWaiters(self) -> None:
        if len(self._waiting) and not self._connecting and not self.draining:
            self._connect()

    def _ready(self, streams: S) -> None:
        self._dialled()
        self._open.append(streams)
        # One of them may break the connection.
        while streams.reusable and (waiter := self._waiting.pop()) is not None:
            waiter.callback(streams)

    def _refused(self, failure: Failure) -> None:
        """All wait for the same connection, so all are told."""
        self._waiting.failAll(self._backOff(failure))

    def _dialled(self) -> None:
        """The host is there."""
        self._backoff = 0.0
        self._lastReason = None

    def _backOff(self, failure: Failure) -> Exception:
        """The host has refused: do not dial it for a while. Returns why."""
        self._backoff = min(self._backoff * 2 or FIRST_BACKOFF, LAST_BACKOFF)
        self._notBefore = self._wheel.seconds() + self._backoff
        self._lastReason = reasonOf(failure)
        return self._lastReason

    def _left(self, streams: S) -> bool:
        self._leave(streams)
        return bool(streams.active)

    def _leave(self, streams: S) -> None:
        """No new streams on this connection."""
        if streams in self._open:
            self._open.remove(streams)
