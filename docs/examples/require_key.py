from __future__ import annotations

from attrs import frozen
from zope.interface import implementer

from mosntx.contracts.filters import (
    BEFORE_ROUTE,
    CONTINUE,
    REPLIED,
    IExchange,
    IFilterContext,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IRequestHead
from mosntx.filters.base import StreamFilter


@frozen
class RequireKeyConfig:
    """What may stand under `config`."""

    keys: tuple[str, ...]
    header: str = "x-api-key"


class RequireKey(StreamFilter):
    """Answers 401 to requests without one of the keys."""

    phase = BEFORE_ROUTE

    def __init__(self, config: RequireKeyConfig) -> None:
        self._keys = frozenset(key.encode() for key in config.keys)
        self._header = config.header.lower().encode()
        self.refused = 0

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """Look at the key."""
        if head.headers.get(self._header) in self._keys:
            return CONTINUE
        self.refused += 1
        exchange.reply(401, b"a key is needed")
        return REPLIED


@implementer(IStreamFilterFactory)
class RequireKeyFactory:
    """The row for the catalog."""

    name = "require_key"
    configClass = RequireKeyConfig

    def build(self, config: RequireKeyConfig, context: IFilterContext) -> RequireKey:
        """Make the filter of one listener."""
        if not config.keys:
            raise ValueError("keys is empty: nobody would be let in")
        return RequireKey(config)
