"""``mirror``: copies of requests to a second cluster (MOSN pkg/filter/stream/mirror).

Which requests is said by ``request_mirror_policies`` of their route, whose
``per_filter_config.mirror`` replaces the listener's configuration. A copy is what the client has
sent, without the route's rewrites, taken whole and sent when the request has ended. It is tried
once; its response is thrown away, and whatever happens to it, the request itself hears nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import Any, Final, cast

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.config.schema import Uint32, option
from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead, IWholeResponse
from mosntx.contracts.stream import (
    GLOBAL_TIMEOUT,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IClientStreams,
    IResponseSink,
)
from mosntx.contracts.upstream import ILoadBalancerContext
from mosntx.filters.base import StreamFilter
from mosntx.filters.transcoder import UPSTREAM_PROTOCOL
from mosntx.net.timers import Timer
from mosntx.proxy.convert.base import conversionFor

log = Logger()

MAX_BODY: Final = 65536
"""Octets of a body that is copied, by default: most requests, and with `MAX_COPIES` at most 64 MiB
held for a mirror that has stopped reading."""
MAX_COPIES: Final = 1024
"""Copies of one listener under way: a slow mirror must not fill the memory."""
MAX_AMPLIFICATION: Final = 100
"""Copies of one request."""
LONGEST: Final = 60.0
"""Seconds that a copy may take when its route sets no limit."""

_KEY: Final = "mosntx.proxy.mirror"


@frozen
class MirrorConfig:
    """Configuration of the stream filter ``mirror``."""

    amplification: int = option("copies of each mirrored request, 1 to 100", default=1)
    broadcast: bool = option(
        "send a copy to every healthy host of the cluster, instead of one", default=False
    )
    max_body: Uint32 = option(
        "largest body that is copied; requests with more are not mirrored. mosntx only.",
        default=MAX_BODY,
        unit="octets",
    )


class _Taken:
    """What has come so far of a request that is to be copied."""

    __slots__ = ("cluster", "config", "data", "head", "size", "trailers")

    def __init__(self, head: IRequestHead, cluster: str, config: MirrorConfig) -> None:
        # Rewrites change the head in place, so fields and all have to be our own.
        self.head = deepcopy(head)
        self.cluster = cluster
        self.config = config
        self.data: list[bytes] = []
        self.size = 0
        self.trailers: IHeaders | None = None


class MirrorFilter(StreamFilter):
    """Takes requests down and sends their copies.

    :ivar active: copies under way.
    """

    phase = AFTER_ROUTE

    def __init__(self, config: MirrorConfig, context: IFilterContext) -> None:
        self._config = config
        self.context = context
        self.active = 0

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        route = exchange.route
        if route is None or route.mirror is None or route.localReply is not None:
            return CONTINUE
        if _KEY in exchange.attributes or _tunnels(head):  # matched again, or nothing to copy
            return CONTINUE
        cluster, percent = route.mirror
        if self.context.random.randrange(100) < percent:
            config = cast(MirrorConfig, route.filterConfig.get("mirror", self._config))
            taken = _Taken(head, cluster, config)
            if end:
                exchange.attributes[_KEY] = None
                self._send(exchange, taken)
            else:
                exchange.attributes[_KEY] = taken
        return CONTINUE

    def requestData(self, exchange: IExchange, data: bytes, end: bool) -> int:
        """See `IStreamFilter.requestData`."""
        taken: Any = exchange.attributes.get(_KEY)
        if taken is not None:
            taken.size += len(data)
            if taken.size > taken.config.max_body:
                exchange.attributes[_KEY] = None
                exchange.listener.stats.request_mirror_dropped += 1
                return CONTINUE
            taken.data.append(data)
            if end:
                exchange.attributes[_KEY] = None
                self._send(exchange, taken)
        return CONTINUE

    def requestTrailers(self, exchange: IExchange, trailers: IHeaders) -> int:
        """See `IStreamFilter.requestTrailers`."""
        taken: Any = exchange.attributes.get(_KEY)
        if taken is not None:
            exchange.attributes[_KEY] = None
            taken.trailers = trailers.copy()
            self._send(exchange, taken)
        return CONTINUE

    def complete(self, exchange: IExchange) -> None:
        """A request that did not come to its end is not copied."""
        exchange.attributes.pop(_KEY, None)

    def _send(self, exchange: IExchange, taken: _Taken) -> None:
        """Begin all copies. Nothing that goes wrong may reach the request."""
        stats = exchange.listener.stats
        hashKey = exchange.hashKey()
        try:
            for host in self._hosts(taken, hashKey):
                if self.active >= MAX_COPIES or not host.cluster.limits.tryRequest():
                    stats.request_mirror_dropped += 1
                    continue
                stats.request_mirror_total += 1
                self.active += 1
                Copy(self, exchange, taken, host).start()
        except LookupError as error:  # happens to every request, so it is not worth a traceback
            stats.request_mirror_failed += 1
            log.info("{error}", error=error)
        except Exception:
            stats.request_mirror_failed += 1
            log.failure("a request could not be mirrored")

    def _hosts(self, taken: _Taken, hashKey: int | None) -> Iterable[Any]:
        """The hosts that get a copy; one twice when it gets two."""
        name, config = taken.cluster, taken.config
        cluster = self.context.clusters.get(name)
        if cluster is None:
            raise LookupError(f"there is no cluster {name!r} to mirror to")
        if config.broadcast:
            chosen = [host for host in cluster.hosts if host.healthy]
        else:
            asks = _Choice(hashKey)
            choices = (cluster.loadBalancer.chooseHost(asks) for _ in range(config.amplification))
            chosen = [host for host in choices if host is not None]
        if not chosen:
            raise LookupError(f"no healthy host in cluster {name!r} to mirror to")
        return chosen


def _tunnels(head: IRequestHead) -> bool:
    """Whether the request asks for octets of another protocol."""
    return bool(getattr(head, "upgrade", b"")) or (
        bool(head.authority) and head.method == b"CONNECT"
    )


@implementer(ILoadBalancerContext)
class _Choice:
    """What the balancer of the mirror may know: the hash key. Subsets are the route's cluster's."""

    attempts = 0
    host = None
    local = ""

    def __init__(self, hashKey: int | None) -> None:
        self._hashKey = hashKey

    def hashKey(self) -> int | None:
        """See `ILoadBalancerContext.hashKey`."""
        return self._hashKey

    def metadata(self) -> tuple[tuple[str, str], ...] | None:
        """See `ILoadBalancerContext.metadata`."""
        return None

    def destination(self, field: bytes) -> str:
        """See `ILoadBalancerContext.destination`: a copy has none of its own."""
        return ""


@implementer(IResponseSink)
class Copy:
    """One copy on its way to one host; to conversions it is an exchange."""

    def __init__(self, owner: MirrorFilter, exchange: IExchange, taken: _Taken, host: Any) -> None:
        self.listener = exchange.listener
        self.route = exchange.route
        self.request = taken.head
        self.host = host
        self.filters = getattr(exchange, "filters", None)  # conversions look at them
        self._owner = owner
        self._taken = taken
        self._up: Any = None  # IClientStreams
        self._number = 0
        self._over = False
        self._timer: Timer | None = None
        self._waiting: Deferred[Any] | None = None
        self._conversion: Any = None

    def start(self) -> None:
        """Get a connection."""
        listener, spoken = self.listener, self.request.protocol
        protocol = self.route.upstreamProtocol or listener.upstreamProtocol or spoken
        if self.filters is not None:
            protocol = self.filters.attributes.get(UPSTREAM_PROTOCOL, protocol)
        try:
            if protocol != spoken:
                self._conversion = conversionFor(listener.conversions, spoken, protocol)
            limit = listener.timeouts(self.route, self.request)[0] or LONGEST
            self._timer = self._owner.context.wheel.schedule(limit, self._timedOut)
            pool = self.host.pool(protocol)
            up = pool.tryCheckout()
            if up is not None:
                self._open(up)
                return
            waiting = self._waiting = pool.checkout()
        except Exception:
            self._failed(Failure())
            return
        waiting.addCallback(self._checkedOut)
        waiting.addErrback(self._failed)

    def _checkedOut(self, up: IClientStreams) -> None:
        self._waiting = None
        self._open(up)

    def _failed(self, failure: Failure) -> None:
        self._waiting = None
        if not self._over:
            log.info("a copy for the mirror has failed: {error}", error=failure.value)
        self.responseReset(LOCAL_RESET)

    def _open(self, up: IClientStreams) -> None:
        """Send all of the copy."""
        self._up = up
        stats = self.host.stats
        stats.request_total += 1
        stats.request_active += 1
        if self._conversion is not None:
            self._up = up = self._conversion(up, self)
        taken = self._taken
        data, trailers = b"".join(taken.data), taken.trailers
        number = up.open(self, taken.head, not data and trailers is None)
        if self._over:
            return
        self._number = number
        if data:
            up.sendData(number, data, trailers is None)
        if trailers is not None and not self._over:
            up.sendTrailers(number, trailers)
        if taken.head.oneway:
            self._end()

    def _timedOut(self) -> None:
        self._timer = None
        if self._up is not None and self._number:
            self._up.reset(self._number, GLOBAL_TIMEOUT)
        self.responseReset(GLOBAL_TIMEOUT)

    def _end(self) -> None:
        if self._over:
            return
        self._over = True
        self._owner.active -= 1
        self.host.cluster.limits.releaseRequest()
        if self._up is not None:
            self.host.stats.request_active -= 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            waiting.cancel()

    def reply(self, status: int, text: bytes = b"", flag: int = 0) -> None:
        """A conversion cannot say the request in the upstream's protocol."""
        self.responseReset(PROTOCOL_ERROR)

    # IResponseSink

    def responseInformational(self, head: IResponseHead) -> None:
        """See `IResponseSink.responseInformational`."""

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink.responseHead`."""
        stats = self.host.stats
        if head.status < 500:
            stats.response_success += 1
        else:
            stats.response_failed += 1
        if end:
            self._end()

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink.responseData`."""
        if end:
            self._end()

    def responseTrailers(self, trailers: IHeaders) -> None:
        """See `IResponseSink.responseTrailers`."""
        self._end()

    def responseMessage(self, head: IWholeResponse) -> None:
        """See `IResponseSink.responseMessage`."""
        self.responseHead(head, True)

    def responseFlush(self) -> None:
        """See `IResponseSink.responseFlush`."""

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink.responseReset`: the copy is lost, and only counted."""
        if not self._over:
            self.listener.stats.request_mirror_failed += 1
            self._end()

    def pauseRequest(self) -> None:
        """See `IResponseSink.pauseRequest`: the copy is in the connection's buffer already."""

    def resumeRequest(self) -> None:
        """See `IResponseSink.resumeRequest`."""


@implementer(IStreamFilterFactory)
class MirrorFactory:
    """See `IStreamFilterFactory`."""

    name = "mirror"
    configClass = MirrorConfig

    def build(self, config: MirrorConfig, context: IFilterContext) -> MirrorFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: for a number of copies that makes no sense.
        """
        if not 1 <= config.amplification <= MAX_AMPLIFICATION:
            raise ValueError(
                f"amplification is {config.amplification}; it must be from 1 to {MAX_AMPLIFICATION}"
            )
        return MirrorFilter(config, context)
