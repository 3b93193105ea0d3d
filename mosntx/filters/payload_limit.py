"""``payload_limit``.

Refuse request bodies above a size (MOSN pkg/filter/stream/payloadlimit; spec/config.md 6).

The route's ``per_filter_config.payload_limit`` replaces the listener's configuration for its
requests.
"""

from __future__ import annotations

from typing import cast

from attrs import frozen
from zope.interface import implementer

from mosntx.config.schema import option
from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    REPLIED,
    REQUEST_ENTITY_TOO_LARGE,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead
from mosntx.filters.base import StreamFilter


@frozen
class PayloadLimitConfig:
    """Configuration of the stream filter ``payload_limit``."""

    max_entity_size: int = option("largest body in octets, 0 = no limit", default=0)
    http_status: int = option("HTTP status of the refusal", default=413)


class PayloadLimitFilter(StreamFilter):
    """Looks at Content-Length first, then counts what comes."""

    phase = AFTER_ROUTE

    def __init__(self, config: PayloadLimitConfig) -> None:
        self._own = config

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """Refuse a body that says it is too long."""
        config = self._configFor(exchange)
        length = head.headers.get(b"content-length")
        if length is not None and 0 < config.max_entity_size < int(length):
            return self._refuse(exchange, config)
        return CONTINUE

    def requestData(self, exchange: IExchange, data: bytes, end: bool) -> int:
        """Refuse a body that turns out too long. What goes through a tunnel is no body."""
        offer: bytes = getattr(exchange.request, "upgrade", b"")
        if offer and exchange.response is not None:
            return CONTINUE
        config = self._configFor(exchange)
        if 0 < config.max_entity_size < exchange.bytesReceived:
            return self._refuse(exchange, config)
        return CONTINUE

    def _configFor(self, exchange: IExchange) -> PayloadLimitConfig:
        if exchange.route is not None:
            config = exchange.route.filterConfig.get("payload_limit")
            if config is not None:
                return cast(PayloadLimitConfig, config)
        return self._own

    def _refuse(self, exchange: IExchange, config: PayloadLimitConfig) -> int:
        exchange.reply(
            config.http_status, b"the request body is too large", REQUEST_ENTITY_TOO_LARGE
        )
        return REPLIED


@implementer(IStreamFilterFactory)
class PayloadLimitFactory:
    """See `IStreamFilterFactory`."""

    name = "payload_limit"
    configClass = PayloadLimitConfig

    def build(self, config: PayloadLimitConfig, context: IFilterContext) -> PayloadLimitFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: for a status that is none.
        """
        if not 200 <= config.http_status <= 599:
            raise ValueError(f"http_status is {config.http_status}; it must be from 200 to 599")
        return PayloadLimitFilter(config)
