"""``rate_limit``: so many requests a second and no more, counted in this process.

All requests of a route share one allowance, or each client or each value of a header has its own.
The route's ``per_filter_config.rate_limit`` replaces the listener's configuration for its requests,
and is counted apart from it. mosntx only: MOSN's ``flowControlFilter`` is a Sentinel client.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil
from typing import Annotated, Any, Final, cast

from attrs import frozen
from zope.interface import implementer

from mosntx.config.schema import option
from mosntx.config.schema.base import Bounds
from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    RATE_LIMITED,
    REPLIED,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead, IResponseHead
from mosntx.filters.base import StreamFilter
from mosntx.protocol.buckets import Bucket, Rate

#: Clients or header values that are counted at a time; 10 000 take about 3 MiB. The one that was
#: quiet for longest is forgotten for a new one.
MAX_KEYS: Final = 10_000

#: Octets of a header value that tell one key from another.
MAX_KEY: Final = 128

_LIMITED = "mosntx.filters.rate_limit"
ROUTE, CLIENT, HEADER = "route", "client", "header"


@frozen
class RateLimitConfig:
    """Configuration of the stream filter ``rate_limit``."""

    requests_per_second: float = option(
        "requests a second in the long run; 0 = no limit", default=0
    )
    burst: Annotated[int, Bounds(0, 2**31 - 1)] = option(
        "requests at once after a quiet time; 0 = those of one second", default=0
    )
    by: str = option(
        "whose requests are counted together: all of the `route`, those of a `client` address, or "
        "those with the same `header`",
        default=ROUTE,
        choices=(ROUTE, CLIENT, HEADER),
    )
    header: str = option("name of the header for `by: header`", default="")
    max_keys: Annotated[int, Bounds(1, 2**31 - 1)] = option(
        "clients or header values counted at a time; the one that was quiet for longest goes first",
        default=MAX_KEYS,
    )
    http_status: Annotated[int, Bounds(200, 599)] = option("status of the refusal", default=429)


class Allowance:
    """One configuration, and what is left of it for each key."""

    __slots__ = ("_buckets", "_name", "_rate", "config", "retryAfter")

    def __init__(self, config: RateLimitConfig) -> None:
        """:raises ValueError: when the configuration contradicts itself."""
        if config.requests_per_second < 0:
            raise ValueError("requests_per_second cannot be below 0")
        if config.by == HEADER and not config.header:
            raise ValueError("by: header needs the name of the header in `header`")
        self.config = config
        self._name = config.header.lower().encode()
        burst = config.burst or ceil(config.requests_per_second)
        self._rate = Rate(max(burst, 1), config.requests_per_second)
        self._buckets: OrderedDict[bytes, Bucket] = OrderedDict()
        #: Seconds until one request is allowed again, for ``Retry-After``.
        perSecond = config.requests_per_second
        self.retryAfter = b"%d" % max(1, ceil(1 / perSecond) if perSecond else 1)

    def take(self, exchange: IExchange, head: IRequestHead, now: float) -> bool:
        """Count one request; false when it is one too many."""
        if not self.config.requests_per_second:
            return True
        key = self._key(exchange, head)
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self.config.max_keys:
                self._buckets.popitem(last=False)
            bucket = self._buckets[key] = Bucket("", self._rate)
        else:
            self._buckets.move_to_end(key)
        return bucket.take(now)

    def _key(self, exchange: IExchange, head: IRequestHead) -> bytes:
        if self.config.by == CLIENT:
            peer: str = exchange.connection.peer
            return peer.rpartition(":")[0].encode()
        if self.config.by == HEADER:
            # Requests without the header share one allowance: leaving it out gains nothing.
            return (head.headers.get(self._name) or b"")[:MAX_KEY]
        return b""


class RateLimitFilter(StreamFilter):
    """Refuses requests beyond the allowance, and says when to come back."""

    phase = AFTER_ROUTE

    def __init__(self, config: RateLimitConfig, context: IFilterContext) -> None:
        self._own = Allowance(config)
        self._seconds = context.seconds
        #: Of routes with a configuration of their own, as long as those exist.
        self._ofRoutes: OrderedDict[int, Allowance] = OrderedDict()

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        allowance = self._allowance(exchange)
        if allowance.take(exchange, head, self._seconds()):
            return CONTINUE
        exchange.attributes[_LIMITED] = allowance.retryAfter
        exchange.reply(
            allowance.config.http_status, b"too many requests", RATE_LIMITED, "rate_limited"
        )
        return REPLIED

    def responseHead(self, exchange: IExchange, head: IResponseHead, end: bool) -> int:
        """Say in a refusal when to come back (RFC 9110 10.2.3)."""
        after = exchange.attributes.pop(_LIMITED, None)
        if after is not None:
            head.headers.set(b"Retry-After", cast(bytes, after))
        return CONTINUE

    def _allowance(self, exchange: IExchange) -> Allowance:
        route = exchange.route
        config: Any = None if route is None else route.filterConfig.get("rate_limit")
        if config is None:
            return self._own
        known = self._ofRoutes.get(id(config))
        if known is None or known.config is not config:
            known = self._ofRoutes[id(config)] = Allowance(config)
            if len(self._ofRoutes) > MAX_KEYS:  # of routes that were replaced at run time
                self._ofRoutes.popitem(last=False)
        return known


@implementer(IStreamFilterFactory)
class RateLimitFactory:
    """See `IStreamFilterFactory`."""

    name = "rate_limit"
    configClass = RateLimitConfig

    def build(self, config: RateLimitConfig, context: IFilterContext) -> RateLimitFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: when the configuration contradicts itself.
        """
        return RateLimitFilter(config, context)
