"""The flight recorder: the last requests that did not end with an answer of their upstream.

What one wants to know at night: why, when, on which hosts, at which limit, and which line of the
configuration said so. A request that ends well leaves nothing here and costs nothing.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

if TYPE_CHECKING:
    from mosntx.proxy.state import ExchangeState

#: Failures kept: enough for the minutes before somebody looks, few enough to read.
MAX_ENTRIES: Final = 500

#: Octets for all of them, roughly. Long paths and many attempts make entries large.
MAX_OCTETS: Final = 512 * 1024

#: Octets of a path or a name that are kept; the beginning says what it was.
MAX_TEXT: Final = 256

#: Attempts of one request that are kept, the first ones.
MAX_TRIES: Final = 16

#: What an entry takes besides its texts, and each of its tries.
_ENTRY_OCTETS: Final = 700
_TRY_OCTETS: Final = 250


@frozen
class Try:
    """One attempt that failed. Times are seconds since the request began.

    :ivar sent: when the request was complete at the upstream; ``None`` when that was not seen.
    :ivar outcome: code of the reason, or ``status <n>`` of an answer that was thrown away.
    :ivar detail: what the operating system or the peer said, if anything.
    """

    host: str
    began: float
    sent: float | None
    ended: float
    outcome: str
    detail: str


@frozen
class FailureEntry:
    """One failed request.

    :ivar number: counts from 1 since the start.
    :ivar time: when it ended, seconds since 1970.
    :ivar reason: code, see `mosntx.proxy.reasons`.
    :ivar limit: the value of the limit that was hit, ``""`` when none was.
    :ivar route: where the route stands in the configuration, ``""`` without one; likewise
        ``clusterPath``.
    :ivar seconds: from the request's head to the end.
    """

    number: int
    time: float
    listener: str
    client: str
    protocol: str
    method: str
    target: str
    status: int
    flags: int
    reason: str
    limit: str
    route: str
    cluster: str
    clusterPath: str
    seconds: float
    bytesReceived: int
    bytesSent: int
    tries: tuple[Try, ...]
    octets: int


class FlightRecorder:
    """Keeps the last failures within a number and a budget of octets.

    :ivar counts: failures since the start by reason.
    """

    def __init__(
        self,
        wallSeconds: Callable[[], float],
        maxEntries: int = MAX_ENTRIES,
        maxOctets: int = MAX_OCTETS,
    ) -> None:
        """:param wallSeconds: seconds since 1970."""
        self._wallSeconds = wallSeconds
        self._maxEntries = maxEntries
        self._maxOctets = maxOctets
        self._entries: deque[FailureEntry] = deque()
        self._octets = 0
        self._number = 0
        self.counts: Counter[str] = Counter()

    def record(self, exchange: ExchangeState) -> None:
        """An exchange has ended, and its `reason` says that it failed."""
        self.counts[exchange.reason] += 1
        self._number += 1
        entry = self._entry(exchange)
        self._entries.append(entry)
        self._octets += entry.octets
        while len(self._entries) > self._maxEntries or self._octets > self._maxOctets:
            self._octets -= self._entries.popleft().octets

    def entries(self) -> Iterator[FailureEntry]:
        """Yield what is kept, the last failure first."""
        return iter(tuple(reversed(self._entries)))

    def _entry(self, exchange: ExchangeState) -> FailureEntry:
        request, cluster, route = exchange.request, exchange.cluster, exchange.route
        target = _target(request)
        method = _text(request.method)
        tries = tuple(_tries(exchange))
        size = _ENTRY_OCTETS + len(target) + len(method)
        size += sum(_TRY_OCTETS + len(one.host) + len(one.detail) for one in tries)
        return FailureEntry(
            number=self._number,
            time=self._wallSeconds(),
            listener=exchange.listener.name,
            client=str(exchange.connection.peer),
            protocol=request.protocol,
            method=method,
            target=target,
            status=exchange.status,
            flags=exchange.flags,
            reason=exchange.reason,
            limit=_limit(exchange),
            route="" if route is None else route.path,
            cluster="" if cluster is None else cluster.name,
            clusterPath="" if cluster is None else cluster.config.path,
            seconds=exchange.endTime - exchange.startTime,
            bytesReceived=exchange.bytesReceived,
            bytesSent=exchange.bytesSent,
            tries=tries,
            octets=size,
        )


def _tries(exchange: ExchangeState) -> Iterator[Try]:
    begin = exchange.startTime
    for host, began, sent, ended, outcome, detail in exchange.tries or ():
        yield Try(
            host,
            began - begin,
            sent - begin if sent and sent >= began else None,
            ended - begin,
            outcome,
            detail[:MAX_TEXT],
        )


def _limit(exchange: ExchangeState) -> str:
    """The value of the limit that ended the request."""
    read = _LIMITS.get(exchange.reason)
    return "" if read is None else read(exchange)


def _routeTimeouts(exchange: ExchangeState) -> tuple[float, float]:
    return exchange.listener.timeouts(exchange.route, exchange.request)


_LIMITS: Final[dict[str, Callable[[Any], str]]] = {
    "cluster_requests": lambda exchange: str(exchange.cluster.limits.maxRequests),
    "adaptive_limit": lambda exchange: str(exchange.cluster.limits.maxRequests),
    "pool_overflow": lambda exchange: str(exchange.cluster.limits.maxPending),
    "pool_timeout": lambda exchange: f"{exchange.cluster.config.pending_timeout:g}s",
    "timeout": lambda exchange: f"{_routeTimeouts(exchange)[0]:g}s",
    "try_timeout": lambda exchange: f"{_routeTimeouts(exchange)[1]:g}s",
    "idle_timeout": lambda exchange: f"{exchange.listener.idleTimeout:g}s",
}


def _target(request: Any) -> str:
    """What was asked for: authority and path, or the service of RPC."""
    if request.path or request.authority:
        return _text(request.authority + request.path)
    return _text(request.service)


def _text(octets: bytes) -> str:
    return octets[:MAX_TEXT].decode("utf-8", "replace")
