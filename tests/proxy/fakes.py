"""One exchange with fakes on both sides: a test plays client connection, pool and upstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.config.schema import Route
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead
from mosntx.contracts.stream import IClientStreams, IResponseSink, IServerStreams
from mosntx.contracts.upstream import IClusters
from mosntx.filters.base import StreamFilter
from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.proxy.chain import FilterChain, FilterEntry
from mosntx.proxy.events import StreamEventHandlers
from mosntx.proxy.exchange import Exchange
from mosntx.proxy.proxy import Proxy
from mosntx.router.policies import requestTimeouts
from mosntx.stats.structs import DownstreamStats
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeCluster, FakeHost, FakePool
from tests.proxy.build import Witness
from tests.router.build import acting, routing


def head(status: int = 200, **fields: str) -> ResponseHead:
    """Return the head of a response; underscores in names of fields are hyphens."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return ResponseHead(status, Headers(pairs))


@implementer(IServerStreams)
class FakeServerStreams:
    """The client's connection: notes what is sent.

    :ivar sent: ``(what, part, end)`` in order.
    :ivar paused: the client is to send no more.
    """

    def __init__(self) -> None:
        self.connection = FakeConnection()
        self.protocol = Http1Protocol()
        self.sent: list[tuple[str, Any, bool]] = []
        self.paused = False

    def sendInformational(self, number: int, head: IResponseHead) -> None:
        """See `IServerStreams`."""
        self.sent.append(("informational", head.status, False))

    def sendHead(self, number: int, head: IResponseHead, end: bool) -> None:
        """See `IServerStreams`."""
        self.sent.append(("head", head.status, end))

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IServerStreams`."""
        self.sent.append(("data", data, end))

    def flush(self, number: int) -> None:
        """See `IServerStreams`: nothing is ever held back here."""

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IServerStreams`."""
        self.sent.append(("trailers", list(trailers.items()), True))

    def reset(self, number: int, reason: int) -> None:
        """See `IServerStreams`."""
        self.sent.append(("reset", reason, True))

    def pauseStream(self, number: int) -> None:
        """See `IServerStreams`."""
        self.paused = True

    def resumeStream(self, number: int) -> None:
        """See `IServerStreams`."""
        self.paused = False


@implementer(IClientStreams)
class FakeClientStreams:
    """A connection to an upstream: notes what is sent.

    :ivar sent: ``(what, part, end)`` in order.
    :ivar dead: answer `open` with a reset by this reason.
    :ivar paused: the upstream is to send no more.
    """

    def __init__(self, dead: int = 0) -> None:
        self.connection = FakeConnection()
        self.active = 0
        self.fresh = True
        self.dead = dead
        self.sent: list[tuple[str, Any, bool]] = []
        self.paused = False

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams`."""
        if self.dead:
            sink.responseReset(self.dead)
            return 0
        self.sent.append(("head", head.method, end))
        return 7

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams`."""
        self.sent.append(("data", data, end))

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IClientStreams`."""
        self.sent.append(("trailers", list(trailers.items()), True))

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams`."""
        self.sent.append(("reset", reason, True))

    def pauseStream(self, number: int) -> None:
        """See `IClientStreams`."""
        self.paused = True

    def resumeStream(self, number: int) -> None:
        """See `IClientStreams`."""
        self.paused = False


@implementer(IClusters)
class GivenClusters:
    """See `IClusters`: one cluster."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster

    def get(self, name: str) -> FakeCluster | None:
        """See `IClusters.get`."""
        return self._cluster if name == self._cluster.name else None

    def names(self) -> Sequence[str]:
        """See `IClusters.names`."""
        return [self._cluster.name]


class ExchangeTestCase(SynchronousTestCase):
    """A test with an exchange between fakes.

    :ivar up: the upstream connection that is ready; others may be added to ``pool.ready``.
    """

    def begin(self, *routes: Route, filters: Sequence[StreamFilter] = ()) -> Exchange:
        """Make everything; the request has not begun."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.host = FakeHost()
        self.cluster = FakeCluster("c", [self.host])
        self.pool: FakePool = self.host.pool("Http1")
        self.up = FakeClientStreams()
        self.pool.ready.append(self.up)
        self.witness = Witness()
        self.listener = Proxy(
            name="l",
            protocols=[Http1Protocol()],
            router=routing(*(routes or (acting(),))),
            clusters=GivenClusters(self.cluster),
            stats=DownstreamStats("l"),
            wheel=self.wheel,
            timeouts=requestTimeouts,
            chain=FilterChain(FilterEntry(type(one).__name__, one) for one in filters),
            handlers=StreamEventHandlers([self.witness]),
        )
        return self.newExchange()

    def newExchange(self) -> Exchange:
        """Return another exchange, with a client of its own."""
        self.down = FakeServerStreams()
        exchange = self.listener.newExchange(self.down, 1)
        assert isinstance(exchange, Exchange)
        return exchange

    def requested(self, *routes: Route, method: bytes = b"GET", end: bool = True) -> Exchange:
        """Make everything and let the head of a request come."""
        exchange = self.begin(*routes)
        exchange.requestHead(httpRequest(method=method), end)
        return exchange

    def assertOver(self, status: int, flags: int = 0) -> None:
        """Check how the one exchange has ended, and that nothing is left of it."""
        outcomes = [(one.status, one.flags) for one in self.witness.ended]
        self.assertEqual(outcomes, [(status, flags)])
        stats, limits = self.listener.stats, self.cluster.limits
        self.assertEqual((stats.request_total, stats.request_active), (1, 0))
        self.assertEqual(stats.codes[status], 1)
        self.assertEqual(self.host.stats.request_active, 0)
        self.clock.advance(0.05)  # pauses before a repetition that nobody wants any more
        self.assertEqual((limits.requests, limits.retries, self.wheel.active), (0, 0, 0))
