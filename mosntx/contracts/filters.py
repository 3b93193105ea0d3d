"""Stream filters and what they see of an exchange (capabilities P3, S6, S8, X6, E3)."""

from __future__ import annotations

from typing import Any

from zope.interface import Attribute, Interface

#: Phases of request filters (spec/proxy.md 4 and 5; MOSN pkg/types/proxy.go). A filter names the
#: one its request hooks run in.
BEFORE_ROUTE = 0
AFTER_ROUTE = 1
AFTER_CHOOSE_HOST = 2

#: Verdicts. MOSN's ``Termination`` is `IExchange.abort`, its hijack is `IExchange.reply` with
#: `REPLIED`.
CONTINUE = 0  # the next filter
# wait here until `IExchange.resume`; parts that come meanwhile are held and the sender is paused
STOP = 1
REPLIED = 2  # the filter has called `IExchange.reply`; request filters end here
# only after the route: match again, then go on with the same phase from its start
REMATCH_ROUTE = 3
RECHOOSE_HOST = 4  # only after the host: choose again

#: Response flags (spec/proxy.md 6.4; MOSN api/request.go), a bit mask.
NO_HEALTHY_UPSTREAM = 0x2
UPSTREAM_REQUEST_TIMEOUT = 0x4
UPSTREAM_LOCAL_RESET = 0x8
UPSTREAM_REMOTE_RESET = 0x10
UPSTREAM_CONNECTION_FAILURE = 0x20
UPSTREAM_CONNECTION_TERMINATION = 0x40
UPSTREAM_OVERFLOW = 0x80
NO_ROUTE_FOUND = 0x100
DELAY_INJECTED = 0x200
FAULT_INJECTED = 0x400
RATE_LIMITED = 0x800
REQUEST_ENTITY_TOO_LARGE = 0x1000
DOWNSTREAM_TERMINATE = 0x2000
FILTER_FAILED = 0x4000  # ours: a stream filter raised

#: The flags that count as "this process failed the request" in ``request_failed`` (spec/proxy.md
#: 6.4).
FAILED_HERE = (
    NO_HEALTHY_UPSTREAM
    | NO_ROUTE_FOUND
    | UPSTREAM_LOCAL_RESET
    | FAULT_INJECTED
    | RATE_LIMITED
    | DOWNSTREAM_TERMINATE
    | REQUEST_ENTITY_TOO_LARGE
    | FILTER_FAILED
)


class IExchange(Interface):
    """A request and its response, as filters, balancers, access logs and event handlers see it.

    The typed per-request context of row S8.
    """

    listener = Attribute("the proxy that accepted it: ``.name``, ``.stats``")
    number = Attribute("``int``: number of the stream on the client's connection")
    connection = Attribute("`mosntx.contracts.net.IConnection` of the client")
    request = Attribute("`mosntx.contracts.message.IRequestHead`")
    response = Attribute("`mosntx.contracts.message.IResponseHead` or ``None`` so far")
    route = Attribute("`mosntx.contracts.route.IRoute` or ``None``")
    cluster = Attribute("`mosntx.contracts.upstream.ICluster` or ``None``")
    host = Attribute(
        "`mosntx.contracts.upstream.IHost` or ``None``: the one of the present attempt"
    )
    upstreamConnection = Attribute(
        "`mosntx.contracts.net.IConnection` of the last attempt, or ``None``"
    )
    attempts = Attribute("``int``: upstream attempts begun")
    reason = Attribute(
        "``str``: code of why it did not end with an answer of the upstream, ``''`` when it did; "
        "see `mosntx.proxy.reasons`"
    )
    status = Attribute(
        "``int``: status sent to the client, also of local replies; 504 when the client left first"
        " (MOSN); 0 so far"
    )
    flags = Attribute("``int``: response flags above")
    attributes = Attribute("``dict[str, object]``: state of filters, made at first use")
    part = Attribute(
        "``bytes``: inside data hooks, the data; assign to replace it for the filters after this "
        "one and for the peer"
    )
    startTime = Attribute("``float``: monotonic seconds when the request head had come")
    requestEndTime = Attribute(
        "``float``: when the request had been handed on completely; 0.0 before"
    )
    responseTime = Attribute("``float``: when the response head had come; 0.0 before")
    endTime = Attribute("``float``: when all was over; 0.0 before")
    bytesReceived = Attribute("``int``: octets of the request body")
    bytesSent = Attribute("``int``: octets of the response body")

    def reply(status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """Answer the request from here (MOSN: hijack), with ``text`` and a line end.

        :param reason: code for the flight recorder (`mosntx.proxy.reasons`); from flag and status
            when there is none.

        Return `REPLIED` afterwards. In response hooks it replaces the response, as long as its head
        was not sent.
        """

    def resume() -> None:
        """Go on after the filter that said `STOP`.

        Ignored when the exchange is over or nothing stopped.
        """

    def abort() -> None:
        """End the exchange at once and send nothing (MOSN: Termination)."""

    def hashKey() -> int | None:
        """The key for consistent balancing that the route computes, ``None`` without a route."""


class IStreamFilter(Interface):
    """One filter of a listener's chain.

    One instance for all exchanges of the chain, per-request state in `IExchange.attributes`.

    `mosntx.filters.base.StreamFilter` provides it and does nothing; a hook that a filter does not
    override costs nothing. Response hooks run in the
    same order as request hooks (MOSN; not reversed). An exception ends only its own exchange: 500,
    or the filter is passed over with ``fail_open``.
    """

    phase = Attribute(
        "``int``: `BEFORE_ROUTE`, `AFTER_ROUTE` or `AFTER_CHOOSE_HOST`: when `requestHead` runs"
    )

    def requestHead(exchange: IExchange, head: Any, end: bool) -> int:
        """The request begins. Returns a verdict."""

    def requestData(exchange: IExchange, data: bytes, end: bool) -> int:
        """Octets of the body on their way up; only after `requestHead` continued.

        `CONTINUE` or `REPLIED`.
        """

    def requestTrailers(exchange: IExchange, trailers: Any) -> int:
        """Trailers on their way up."""

    def responseHead(exchange: IExchange, head: Any, end: bool) -> int:
        """The response begins, local replies included. `CONTINUE` or `REPLIED`."""

    def responseData(exchange: IExchange, data: bytes, end: bool) -> int:
        """Octets of the body on their way down."""

    def responseTrailers(exchange: IExchange, trailers: Any) -> int:
        """Trailers on their way down."""

    def complete(exchange: IExchange) -> None:
        """The exchange is over, in whatever way.

        Called exactly once for each exchange that reached the chain.
        """


class IBackground(Interface):
    """What works besides requests: told when its Sidecar starts and stops.

    A stream filter that keeps timers between requests provides it, too.
    """

    def start() -> None:
        """The Sidecar serves from now on; called at most once."""

    def stop() -> None:
        """The Sidecar has drained: give everything up and leave no timer.

        Also called when the start has failed, then perhaps without `start`.
        """


class IFilterContext(Interface):
    """What filters are built with instead of globals; one per Sidecar."""

    clock = Attribute("``IReactorTime``: for waits")
    seconds = Attribute("``Callable[[], float]``: the monotonic clock")
    random = Attribute("``random.Random``")
    wheel = Attribute("`mosntx.net.timers.TimerWheel`: cheap timeouts")
    clusters = Attribute("`mosntx.contracts.upstream.IClusters`")
    ejections = Attribute("`mosntx.contracts.upstream.IEjections`: shared by all who eject hosts")


class IStreamFilterFactory(Interface):
    """A row of the catalog: makes stream filters from configuration."""

    name = Attribute("``str``: the ``type`` in the configuration")
    configClass = Attribute(
        "an attrs class that the filter's ``config`` is decoded into, or ``None`` for a plain "
        "mapping"
    )

    def build(config: Any, context: IFilterContext) -> IStreamFilter:
        """Return the filter of one chain.

        :raises ValueError: when the configuration cannot work; the message is shown with the
            configuration path.
        """
