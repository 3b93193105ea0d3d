"""``transcoder``: convert requests to another protocol (MOSN pkg/filter/stream/transcoder).

The filter only says that it is to be done; the proxy does it (`mosntx.proxy.convert`). The route's
``per_filter_config.transcoder`` replaces the listener's configuration for its requests, when the
filter runs after the route.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from attrs import frozen
from zope.interface import implementer

from mosntx.config.schema import option
from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead
from mosntx.filters.base import StreamFilter

#: Keys of `IExchange.attributes`: the protocol that the upstream is to be spoken to, by its
#: configuration name, and the ``type`` of the transcoder that wants it so. The first one may be set
#: by any filter.
UPSTREAM_PROTOCOL = "mosntx.upstreamProtocol"
TRANSCODED = "mosntx.filters.transcoder"

#: ``type`` of what makes frames of Bolt of any request of HTTP (spec/proxy.md 8.2).
HTTP_TO_BOLT = "http2bolt_simple"

#: ``type`` -> the protocols of clients, the protocol of the upstream.
_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    HTTP_TO_BOLT: (("Http1", "Http2"), "bolt"),
    "httpTohttp2": (("Http1",), "Http2"),
    "http2Tohttp": (("Http2",), "Http1"),
}


@frozen
class TranscoderPhase:
    """When the filter runs."""

    receiver_phase: int = option(
        "0 before the route, 1 after it, 2 after the choice of the host", default=AFTER_ROUTE
    )


@frozen
class TranscoderConfig:
    """Configuration of the stream filter ``transcoder``."""

    type: str = option("what to convert: http2bolt_simple, httpTohttp2 or http2Tohttp", default="")
    rules: tuple[Mapping[str, Any], ...] = option(
        "conversions chosen by matchers", default=(), feature="transcoder_rules"
    )
    trans: TranscoderPhase = option("when the filter runs", factory=TranscoderPhase)


class TranscoderFilter(StreamFilter):
    """Chooses the protocol of the upstream, for requests of the protocol that it converts."""

    def __init__(self, config: TranscoderConfig) -> None:
        self._own = config
        self.phase = config.trans.receiver_phase

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`.

        :raises KeyError: for a type of a route that there is not: the request is answered with 500,
            and goes nowhere in a protocol that is not meant.
        """
        config = self._own
        if exchange.route is not None:
            config = cast(TranscoderConfig, exchange.route.filterConfig.get("transcoder", config))
        type_ = config.type
        if not type_ and config.rules:
            return CONTINUE  # has been reported as not built
        clients, upstream = _TYPES[type_]
        if head.protocol in clients:
            attributes: dict[str, Any] = exchange.attributes
            attributes[UPSTREAM_PROTOCOL] = upstream
            attributes[TRANSCODED] = type_
        return CONTINUE


@implementer(IStreamFilterFactory)
class TranscoderFactory:
    """See `IStreamFilterFactory`."""

    name = "transcoder"
    configClass = TranscoderConfig

    def build(self, config: TranscoderConfig, context: IFilterContext) -> TranscoderFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: for a type or a phase that there is not.
        """
        if config.type not in _TYPES and (config.type or not config.rules):
            raise ValueError(f"type is {config.type!r}; there is {', '.join(_TYPES)}")
        if not BEFORE_ROUTE <= config.trans.receiver_phase <= AFTER_CHOOSE_HOST:
            raise ValueError(f"receiver_phase is {config.trans.receiver_phase}; it is 0, 1 or 2")
        return TranscoderFilter(config)
