"""``fault``: delays and failures on purpose (MOSN pkg/filter/stream/faultinject; spec/config.md 6).

The route's ``per_filter_config.fault`` replaces the listener's configuration for its requests.
"""

from __future__ import annotations

from typing import Any, cast

from attrs import frozen
from zope.interface import implementer

from mosntx.config.patterns import Pattern
from mosntx.config.schema import Duration, option
from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    DELAY_INJECTED,
    FAULT_INJECTED,
    REPLIED,
    STOP,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead
from mosntx.filters.base import StreamFilter

_TIMER = "mosntx.filters.fault"


@frozen
class FaultDelay:
    """How long, and for how many requests."""

    percentage: int = option("share of requests that are delayed, 0 to 100", default=0)
    fixed_delay: Duration = option("how long", default=0.0)


@frozen
class FaultAbort:
    """With which status, and for how many requests."""

    percentage: int = option("share of requests that are answered here, 0 to 100", default=0)
    status: int = option("HTTP status of the answer", default=503)


@frozen
class FaultHeader:
    """A header that a request must have to be hit."""

    name: str = option("name of the header")
    value: str = option("value, or pattern when `regex`", default="")
    regex: bool = option("`value` is an RE2 pattern that is searched for", default=False)


@frozen
class FaultConfig:
    """Configuration of the stream filter ``fault``."""

    delay: FaultDelay = option("hold requests back", factory=FaultDelay)
    abort: FaultAbort = option("answer requests here", factory=FaultAbort)
    upstream_cluster: str = option("only requests for this cluster", default="")
    headers: tuple[FaultHeader, ...] = option("only requests with all these headers", factory=tuple)


class _Fault:
    """A configuration, ready for requests."""

    __slots__ = ("_headers", "config")

    def __init__(self, config: FaultConfig) -> None:
        for part, share in (("delay", config.delay.percentage), ("abort", config.abort.percentage)):
            if not 0 <= share <= 100:
                raise ValueError(f"{part}.percentage is {share}; it must be from 0 to 100")
        if not 200 <= config.abort.status <= 599:
            raise ValueError(f"abort.status is {config.abort.status}; it must be from 200 to 599")
        self.config = config
        self._headers: list[tuple[bytes, bytes, Pattern | None]] = [
            (
                header.name.lower().encode(),
                header.value.encode(),
                Pattern(header.value) if header.regex else None,
            )
            for header in config.headers
        ]

    def concerns(self, exchange: IExchange, head: IRequestHead) -> bool:
        """Say whether the request is one of those meant."""
        cluster = self.config.upstream_cluster
        if cluster and (exchange.route is None or exchange.route.clusterName(head) != cluster):
            return False
        for name, value, pattern in self._headers:
            found = head.headers.get(name)
            if found is None:
                return False
            if not (pattern.search(found) if pattern is not None else found == value):
                return False
        return True


class FaultFilter(StreamFilter):
    """Delays, then aborts, each with its own probability."""

    phase = AFTER_ROUTE

    def __init__(self, config: FaultConfig, context: IFilterContext) -> None:
        self._own = _Fault(config)
        self._context = context
        # per_filter_config objects live as long as their route; compiled once each
        self._perRoute: dict[int, tuple[Any, _Fault]] = {}

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        fault = self._faultFor(exchange)
        if not fault.concerns(exchange, head):
            return CONTINUE
        delay = fault.config.delay
        if delay.fixed_delay > 0 and self._hit(delay.percentage):
            exchange.flags |= DELAY_INJECTED
            exchange.attributes[_TIMER] = self._context.wheel.schedule(
                delay.fixed_delay, lambda: self._delayed(exchange, fault)
            )
            return STOP
        return self._abort(exchange, fault)

    def complete(self, exchange: IExchange) -> None:
        """Forget a delay whose client did not wait."""
        timer = cast(Any, exchange.attributes.pop(_TIMER, None))
        if timer is not None:
            timer.cancel()

    def _faultFor(self, exchange: IExchange) -> _Fault:
        config = exchange.route.filterConfig.get("fault") if exchange.route is not None else None
        if config is None:
            return self._own
        known = self._perRoute.get(id(config))
        if known is None or known[0] is not config:
            known = self._perRoute[id(config)] = (config, _Fault(cast(FaultConfig, config)))
        return known[1]

    def _hit(self, percentage: int) -> bool:
        return bool(percentage > self._context.random.randrange(100))

    def _delayed(self, exchange: IExchange, fault: _Fault) -> None:
        exchange.attributes.pop(_TIMER, None)
        if self._abort(exchange, fault) == CONTINUE:
            exchange.resume()

    def _abort(self, exchange: IExchange, fault: _Fault) -> int:
        abort = fault.config.abort
        if not self._hit(abort.percentage):
            return CONTINUE
        exchange.reply(abort.status, b"fault injected", FAULT_INJECTED)
        return REPLIED


@implementer(IStreamFilterFactory)
class FaultFactory:
    """See `IStreamFilterFactory`."""

    name = "fault"
    configClass = FaultConfig

    def build(self, config: FaultConfig, context: IFilterContext) -> FaultFilter:
        """See `IStreamFilterFactory.build`."""
        return FaultFilter(config, context)
