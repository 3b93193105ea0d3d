"""What pools of either kind have in common: connecting, counting, draining."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.contracts.codec import IClientCodec
from mosntx.contracts.net import LOCAL_CLOSE, IConnection, IConnector
from mosntx.net.connector import ConnectTimeout
from mosntx.net.timers import TimerWheel
from mosntx.stats.structs import HostStats
from mosntx.upstream.pools.errors import PoolDraining, PoolOverflow
from mosntx.upstream.pools.waiting import WaitingQueue

log = Logger()

#: A connection of the pool: `SequentialClient` or `ClientConnection`.
S = TypeVar("S", bound=Any)


class ConnectionPool(ABC, Generic[S]):
    """The connections to one host, those being made, and who waits for them."""

    __slots__ = (
        "_all",
        "_codec",
        "_connectTimeout",
        "_connecting",
        "_connector",
        "_drained",
        "_stats",
        "_waiting",
        "_wheel",
        "address",
        "draining",
    )

    def __init__(
        self,
        address: str,
        codec: Callable[[], IClientCodec],
        connector: IConnector,
        wheel: TimerWheel,
        stats: HostStats,
        maxPending: int,
        connectTimeout: float,
    ) -> None:
        """:param codec: makes the codec of a new connection."""
        self.address = address
        self.draining = False
        self._codec = codec
        self._connector = connector
        self._wheel = wheel
        self._stats = stats
        self._connectTimeout = connectTimeout
        self._all: set[S] = set()
        self._connecting: set[Deferred[Any]] = set()
        self._waiting = WaitingQueue(wheel, maxPending)
        self._drained: Deferred[None] | None = None

    @property
    def waiting(self) -> int:
        """Checkouts that wait now."""
        return len(self._waiting)

    @abstractmethod
    def tryCheckout(self) -> S | None:
        """See `IConnectionPool.tryCheckout`."""

    @abstractmethod
    def _mayWait(self) -> float:
        """Return how many seconds a checkout may wait.

        :raises Exception: when waiting would be in vain.
        """

    @abstractmethod
    def _makeStreams(self) -> S:
        """Return the streams of a connection that is to be made."""

    @abstractmethod
    def _connectForWaiters(self) -> None:
        """Make the connections that those who wait need."""

    @abstractmethod
    def _ready(self, streams: S) -> None:
        """A new connection can be used."""

    @abstractmethod
    def _refused(self, failure: Failure) -> None:
        """A connection could not be made: tell who waits for it."""

    @abstractmethod
    def _left(self, streams: S) -> bool:
        """A connection has ended. Say whether an exchange was cut by that."""

    def checkout(self) -> Deferred[Any]:
        """See `IConnectionPool.checkout`."""
        streams = self.tryCheckout()
        if streams is not None:
            return succeed(streams)
        if self.draining:
            return _fail(PoolDraining(f"the pool of {self.address} is closing"))
        if self._waiting.full:
            self._stats.request_pending_overflow += 1
            return _fail(
                PoolOverflow(f"{len(self._waiting)} requests already wait for {self.address}")
            )
        try:
            seconds = self._mayWait()
        except Exception as error:
            return _fail(error)
        waiter = self._waiting.wait(seconds)
        self._connectForWaiters()
        return waiter

    def protocolError(self, streams: S) -> None:
        """See `IConnectionOwner.protocolError`."""
        self._stats.response_protocol_error += 1

    def stale(self, streams: S) -> None:
        """See `IConnectionOwner.stale`."""

    def connectionGone(self, streams: S, event: int) -> None:
        """See `IConnectionOwner.connectionGone`."""
        if streams not in self._all:
            return
        self._all.discard(streams)
        self._stats.countClose(event == LOCAL_CLOSE, self._left(streams))
        self._connectForWaiters()
        self._maybeDrained()

    def drain(self) -> Deferred[None]:
        """See `IConnectionPool.drain`."""
        self.draining = True
        if self._drained is None:
            self._drained = Deferred()
            self._waiting.failAll(PoolDraining(f"the pool of {self.address} is closing"))
            for attempt in list(self._connecting):
                attempt.cancel()
            for streams in list(self._all):
                streams.drain()
            self._maybeDrained()
        return self._drained

    def abort(self) -> None:
        """Close every connection at once."""
        for streams in list(self._all):
            streams.connection.abort()

    # connecting

    def _connect(self) -> None:
        streams = self._makeStreams()
        connector: Any = self._connector
        handlers = (streams,) if hasattr(streams, "connectionEvent") else ()
        attempt = connector.connect(self.address, self._connectTimeout, streams, handlers)
        self._connecting.add(attempt)
        attempt.addCallbacks(
            self._connected,
            self._connectFailed,
            callbackArgs=(streams, attempt),
            errbackArgs=(attempt,),
        )
        attempt.addErrback(
            lambda failure: log.failure("connection to {host}", failure, host=self.address)
        )

    def _connected(self, connection: IConnection, streams: S, attempt: Deferred[Any]) -> None:
        self._connecting.discard(attempt)
        self._stats.connection_total += 1
        self._stats.connection_active += 1
        self._all.add(streams)
        if connection.closed:
            self.connectionGone(streams, connection.closeEvent)
        elif self.draining:
            streams.drain()
        else:
            self._ready(streams)

    def _connectFailed(self, failure: Failure, attempt: Deferred[Any]) -> None:
        self._connecting.discard(attempt)
        if self.draining or failure.check(CancelledError):
            self._maybeDrained()
            return
        if failure.check(ConnectTimeout):
            self._stats.request_timeout += 1  # MOSN counts it here
        else:
            self._stats.connection_con_fail += 1
        failure.cleanFailure()
        self._refused(failure)
        self._connectForWaiters()

    def _maybeDrained(self) -> None:
        done = self._drained
        if done is not None and not done.called and not self._all and not self._connecting:
            done.callback(None)


def _fail(error: Exception) -> Deferred[Any]:
    """Return a Deferred that has failed, without the cost of a traceback."""
    failed: Deferred[Any] = Deferred()
    failed.errback(Failure(error))
    return failed


def reasonOf(failure: Failure) -> Exception:
    """The exception of a failure."""
    return cast(Exception, failure.value)
