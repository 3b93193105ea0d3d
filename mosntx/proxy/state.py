"""What one exchange knows: its slots, the bits of its state, and its end.

The order of things is in `mosntx.proxy.exchange`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from mosntx.contracts.message import IRequestHead, IResponseHead
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import DOWNSTREAM_GONE, IServerStreams
from mosntx.net.timers import Timer
from mosntx.proxy.chain import FilterState
from mosntx.proxy.convert.base import Conversion
from mosntx.proxy.reasons import OF_RESET
from mosntx.proxy.record import recordEnd

if TYPE_CHECKING:
    from mosntx.proxy.proxy import Proxy

# bits of ExchangeState._state
REQUEST_ENDED = 1  # the client has sent all
RESPONSE_ENDED = 2  # a tunnel has brought all of the upstream; the other direction goes on
RESPONSE_STARTED = 4  # the head has gone to the client
OVER = 8
REWRITTEN = 16  # the route's rewrites have been applied
COUNTED = 32  # the present attempt is counted in the cluster's limits
DOWN_PAUSED = 64  # we hold data of the request and have paused the client
SHOWING = 128  # the response head is being shown to the filters
HEAD_PASSED = 512  # all request filters have let the head pass
RETRYING = 1024  # the present attempt is counted in the cluster's limit of retries
TIMED = 2048  # the timer of the whole exchange runs
OFFERED = 4096  # the client offers another protocol, and the upstream has not answered yet
TUNNEL = 8192  # the offer was accepted: data are octets of that protocol
ACCEPTED = 16384  # the upstream has accepted; the filters may still see to that
CONNECT = 32768  # the client wants octets to a host, without any protocol
HEDGED = 65536  # the one hedge has been begun

ANSWERED = OVER | RESPONSE_STARTED


class ExchangeState(ABC):
    """The slots of an exchange, and what needs nothing else.

    Slots rather than a dictionary: one of these is made per request.
    """

    __slots__ = (
        "_conversion",
        "_hedge",
        "_mark",
        "_state",
        "_timer",
        "_tryTimer",
        "_up",
        "_upNumber",
        "_waiting",
        "attemptTime",
        "attempts",
        "body",
        "bytesReceived",
        "bytesSent",
        "cluster",
        "endTime",
        "filters",
        "flags",
        "host",
        "listener",
        "number",
        "races",
        "reason",
        "request",
        "requestEndTime",
        "response",
        "responseTime",
        "route",
        "startTime",
        "status",
        "streams",
        "tries",
        "upstreamConnection",
    )

    request: IRequestHead
    startTime: float

    def __init__(self, listener: Proxy, streams: IServerStreams, number: int) -> None:
        self.listener = listener
        self.streams = streams
        self.number = number
        # None until chosen. Typed Any: narrowing these costs a call at each use
        self.route: Any = None  # IRoute
        self.cluster: Any = None  # ICluster
        self.host: Any = None  # IHost
        self.response: IResponseHead | None = None
        self.body: Any = None  # RequestBody
        self.filters: Any = None  # FilterState
        self.attempts = self.flags = self.status = self.races = 0
        self.bytesReceived = self.bytesSent = 0
        self.requestEndTime = self.responseTime = self.endTime = self.attemptTime = 0.0
        self.reason = ""  # why it failed, once it has
        self.tries: list[tuple[Any, ...]] | None = None  # attempts that failed, see recordFailure
        self._state = 0
        self._conversion: Conversion | None = None  # of the present attempt
        self._hedge: Any = None  # Hedge
        self._mark = -1
        self._up: Any = None  # IClientStreams
        self._upNumber = 0
        self.upstreamConnection: IConnection | None = None
        self._timer: Timer | None = None
        self._tryTimer: Timer | None = None
        self._waiting: Deferred[Any] | None = None

    @abstractmethod
    def reply(self, status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """See `IExchange.reply`."""

    @abstractmethod
    def dropAttempt(self, reason: int) -> None:
        """End the attempt from our side, wherever it is."""

    @property
    def connection(self) -> IConnection:
        """The client's connection."""
        connection: IConnection = self.streams.connection
        return connection

    @property
    def over(self) -> bool:
        """All is over, in whatever way."""
        return bool(self._state & OVER)

    @property
    def attributes(self) -> dict[str, object]:
        """State of filters."""
        if self.filters is None:
            self.filters = FilterState()
        attributes: dict[str, object] = self.filters.attributes
        return attributes

    @property
    def part(self) -> bytes:
        """The data in a data hook."""
        return b"" if self.filters is None else self.filters.part

    @part.setter
    def part(self, data: bytes) -> None:
        if self.filters is not None:
            self.filters.part = data

    @property
    def local(self) -> str:
        """See `ILoadBalancerContext`."""
        address: str = self.streams.connection.local
        return address

    def hashKey(self) -> int | None:
        """See `IExchange.hashKey`."""
        return None if self.route is None else self.route.hashKey(self)

    def metadata(self) -> tuple[tuple[str, str], ...] | None:
        """See `ILoadBalancerContext.metadata`."""
        if self.route is None:
            return None
        criteria: tuple[tuple[str, str], ...] | None = self.route.metadataMatch
        return criteria

    def destination(self, field: bytes) -> str:
        """See `ILoadBalancerContext.destination`."""
        value: bytes | None = self.request.authority if field == b"host" else None
        return (value or self.request.headers.get(field) or b"").decode("latin-1")

    def _tellReset(self, reason: int) -> None:
        self.reason = OF_RESET[reason]
        for reset in self.listener.handlers.reset:
            reset(self, reason)

    def _finish(self) -> None:
        """All is over, in whatever way; happens once."""
        if self._state & OVER:
            return
        self._state |= OVER
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._hedge is not None:
            self._hedge.cancel()
        if self._up is not None or self._waiting is not None:
            self.dropAttempt(DOWNSTREAM_GONE)
        recordEnd(self)
