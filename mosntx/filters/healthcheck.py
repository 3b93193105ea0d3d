"""``healthcheck``: answers health checks of clients (spec/config.md 6; wire/heartbeat.md).

Heartbeats of protocols of frames are answered with status 0 (well) or 1 (not well); requests for
the path ``endpoint`` with 200 or 503. Without ``passthrough`` the answer is what the health of
the clusters says. With it the application is asked, at most once per ``cache_time``; those who
come while it is being asked wait for its answer for a second, then get the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.schema import Duration, option
from mosntx.contracts.filters import (
    BEFORE_ROUTE,
    CONTINUE,
    REPLIED,
    STOP,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead, IResponseHead
from mosntx.contracts.stream import IHeartbeatAnswer
from mosntx.filters.base import StreamFilter
from mosntx.filters.heartbeats import (
    PROBE_TIMEOUT,
    HostsProbe,
    SharedResult,
    Waiter,
    healthyEnough,
    routedClusters,
)
from mosntx.net.timers import Timer

log = Logger()

#: Statuses of heartbeat acknowledgements (wire/README.md).
WELL: Final = 0
NOT_WELL: Final = 1

_KEY: Final = "mosntx.filters.healthcheck"


@frozen
class HealthcheckConfig:
    """Configuration of the stream filter ``healthcheck``."""

    passthrough: bool = option("ask the application, instead of looking at clusters", default=False)
    cache_time: Duration = option(
        "with `passthrough`: how long an answer of the application is good for; 0 = it is asked "
        "each time",
        default=0.0,
    )
    endpoint: str = option(
        "`/path`: answer HTTP requests for this path, too; anything else: with `passthrough`, the "
        "cluster that heartbeats are passed to",
        default="",
        absent="the only cluster of the routes, else those of `cluster_min_healthy_percentages`",
    )
    cluster_min_healthy_percentages: Mapping[str, float] = option(
        "cluster: percentage of its hosts that must be healthy, 0 to 100", factory=dict
    )


@implementer(IHeartbeatAnswer)
class HealthcheckFilter(StreamFilter):
    """Answers heartbeats; requests are not its business.

    One instance per listener, whose connections share the answer of the application.
    """

    phase = BEFORE_ROUTE

    def __init__(self, config: HealthcheckConfig, context: IFilterContext) -> None:
        self.config = config
        self._context = context
        self._heartbeats = SharedResult(context.wheel, config.cache_time)
        self._routerConfig: Callable[[], Any] = _noRouter
        self._routed: tuple[Any, frozenset[str]] = (None, frozenset())
        self._warned = False

    def followRouter(self, config: Callable[[], Any]) -> None:
        """Learn the listener's routes; called once when wired.

        :param config: returns the `mosntx.config.schema.RouterConfig` as of now, or ``None``.
        """
        self._routerConfig = config

    def heartbeat(self, streams: Any, frame: Any) -> None:
        """See `IHeartbeatAnswer.heartbeat`."""
        if not self.config.passthrough:
            streams.answerHeartbeat(frame, WELL if self._clustersWell() else NOT_WELL)
            return
        result = self._heartbeats

        def answer(healthy: bool | None) -> None:
            streams.answerHeartbeat(frame, WELL if healthy else NOT_WELL)

        if result.probing:
            result.wait(answer)
        elif result.fresh:
            answer(result.healthy)
        else:
            self._pass(streams.protocol.name, answer)

    def clusterNames(self) -> Sequence[str]:
        """Return the clusters that heartbeats are passed to; empty when nothing says which."""
        config = self.config
        if config.endpoint and not config.endpoint.startswith("/"):
            return (config.endpoint,)
        router = self._routerConfig()
        if router is not self._routed[0]:
            self._routed = (router, routedClusters(router))
        if len(self._routed[1]) == 1:
            return tuple(self._routed[1])
        return tuple(config.cluster_min_healthy_percentages)

    def _pass(self, protocol: str, answer: Callable[[bool | None], object]) -> None:
        names = self.clusterNames()
        if not names and not self._warned:
            self._warned = True
            log.warn(
                "healthcheck: heartbeats cannot be passed through and are answered as failed: "
                "name a cluster in 'endpoint'"
            )
        result = self._heartbeats
        result.probing = True

        def done(healthy: bool) -> None:
            answer(healthy)
            result.settle(healthy)

        clusters = self._context.clusters
        HostsProbe([clusters.get(name) for name in names], protocol, self._context.wheel, done)

    def _clustersWell(self) -> bool:
        return healthyEnough(self._context.clusters, self.config.cluster_min_healthy_percentages)


class EndpointFilter(HealthcheckFilter):
    """Also answers requests for a path."""

    def __init__(self, config: HealthcheckConfig, context: IFilterContext) -> None:
        super().__init__(config, context)
        self._path = config.endpoint.encode()

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        if head.path.partition(b"?")[0] != self._path:
            return CONTINUE
        return self._asked(exchange)

    def _asked(self, exchange: IExchange) -> int:
        _reply(exchange, self._clustersWell())
        return REPLIED


class _Role:
    """What a request for the path does: it waits for the probe, or is the probe.

    :ivar waiter: of a request that waits.
    :ivar timer: of the probe: the time that it has left.
    """

    __slots__ = ("timer", "waiter")

    def __init__(self, waiter: Waiter | None = None, timer: Timer | None = None) -> None:
        self.waiter = waiter
        self.timer = timer


class PassingEndpointFilter(EndpointFilter):
    """Passes a request for the path to the application when the last answer is too old."""

    def __init__(self, config: HealthcheckConfig, context: IFilterContext) -> None:
        super().__init__(config, context)
        self._result = SharedResult(context.wheel, config.cache_time)

    def responseHead(self, exchange: IExchange, head: IResponseHead, end: bool) -> int:
        """See `IStreamFilter.responseHead`: what the probe gets is the answer for all."""
        role = exchange.attributes.get(_KEY)
        if isinstance(role, _Role) and role.timer is not None:
            del exchange.attributes[_KEY]
            role.timer.cancel()
            self._result.settle(200 <= head.status < 300)
        return CONTINUE

    def complete(self, exchange: IExchange) -> None:
        """See `IStreamFilter.complete`: a client that leaves says nothing of the application."""
        role = exchange.attributes.pop(_KEY, None)
        if not isinstance(role, _Role):
            return
        if role.waiter is not None:
            self._result.leave(role.waiter)
        elif role.timer is not None:
            role.timer.cancel()
            self._result.abandon()

    def _asked(self, exchange: IExchange) -> int:
        result = self._result
        if result.probing:
            waiter = result.wait(lambda healthy: self._told(exchange, healthy))
            exchange.attributes[_KEY] = _Role(waiter=waiter)
            return STOP
        if result.fresh:
            _reply(exchange, result.healthy)
            return REPLIED
        self._probe(exchange)
        return CONTINUE

    def _told(self, exchange: IExchange, healthy: bool | None) -> None:
        """The wait of a request is over."""
        exchange.attributes.pop(_KEY, None)
        if healthy is None:
            self._probe(exchange)
            exchange.resume()
        else:
            _reply(exchange, healthy)

    def _probe(self, exchange: IExchange) -> None:
        """Let a request ask the application, for all."""
        self._result.probing = True
        timer = self._context.wheel.schedule(PROBE_TIMEOUT, lambda: self._timedOut(exchange))
        exchange.attributes[_KEY] = _Role(timer=timer)

    def _timedOut(self, exchange: IExchange) -> None:
        exchange.attributes.pop(_KEY, None)
        self._result.settle(False)
        _reply(exchange, False)


@implementer(IStreamFilterFactory)
class HealthcheckFactory:
    """See `IStreamFilterFactory`."""

    name = "healthcheck"
    configClass = HealthcheckConfig

    def build(self, config: HealthcheckConfig, context: IFilterContext) -> HealthcheckFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: for a percentage that is none, or a time below 0.
        """
        for name, least in config.cluster_min_healthy_percentages.items():
            if not 0 <= least <= 100:
                raise ValueError(
                    f"cluster_min_healthy_percentages.{name} is {least:g}; it must be from 0 to 100"
                )
        if config.cache_time < 0:
            raise ValueError(f"cache_time is {config.cache_time:g} s; it must not be below 0")
        if not config.endpoint.startswith("/"):
            return HealthcheckFilter(config, context)
        make = PassingEndpointFilter if config.passthrough else EndpointFilter
        return make(config, context)


def _reply(exchange: IExchange, healthy: bool) -> None:
    if healthy:
        exchange.reply(200, b"healthy")
    else:
        exchange.reply(503, b"unhealthy")


def _noRouter() -> None:
    """There is no router before `HealthcheckFilter.followRouter`."""
