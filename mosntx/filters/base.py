"""What a stream filter starts from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    FILTER_FAILED,
    STOP,
    IExchange,
    IStreamFilter,
)
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead

log = Logger()


@implementer(IStreamFilter)
class StreamFilter:
    """A filter that does nothing.

    Override only what you need: a hook that is not overridden is never called.
    """

    phase = AFTER_ROUTE

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        return CONTINUE

    def requestData(self, exchange: IExchange, data: bytes, end: bool) -> int:
        """See `IStreamFilter.requestData`."""
        return CONTINUE

    def requestTrailers(self, exchange: IExchange, trailers: IHeaders) -> int:
        """See `IStreamFilter.requestTrailers`."""
        return CONTINUE

    def responseHead(self, exchange: IExchange, head: IResponseHead, end: bool) -> int:
        """See `IStreamFilter.responseHead`."""
        return CONTINUE

    def responseData(self, exchange: IExchange, data: bytes, end: bool) -> int:
        """See `IStreamFilter.responseData`."""
        return CONTINUE

    def responseTrailers(self, exchange: IExchange, trailers: IHeaders) -> int:
        """See `IStreamFilter.responseTrailers`."""
        return CONTINUE

    def complete(self, exchange: IExchange) -> None:
        """See `IStreamFilter.complete`."""


class AsyncFilter(StreamFilter, ABC):
    """A filter that must ask somebody before a request may go on: override `decide`."""

    def requestHead(self, exchange: IExchange, head: IRequestHead, end: bool) -> int:
        """Wait for `decide`.

        The exchange goes on when it has fired, and is cancelled with the request.
        """
        waiting: Deferred[Any] = self.decide(exchange, head)
        if waiting.called and not waiting.paused and not isinstance(waiting.result, Failure):
            return CONTINUE
        exchange.attributes[self._key()] = waiting
        waiting.addCallbacks(
            self._go, self._failed, callbackArgs=(exchange,), errbackArgs=(exchange,)
        )
        return STOP

    @abstractmethod
    def decide(self, exchange: IExchange, head: IRequestHead) -> Deferred[Any]:
        """Return a Deferred that fires when the request may go on.

        Call ``exchange.reply`` first to refuse it.

        A failure is answered with 500. It is cancelled when the client goes away.
        """

    def complete(self, exchange: IExchange) -> None:
        """Stop asking when the exchange is over before the answer has come."""
        waiting = exchange.attributes.pop(self._key(), None)
        if isinstance(waiting, Deferred):
            waiting.cancel()

    def _key(self) -> str:
        return f"{type(self).__name__}-{id(self)}"

    def _go(self, _result: Any, exchange: IExchange) -> None:
        exchange.attributes.pop(self._key(), None)
        exchange.resume()

    def _failed(self, failure: Failure, exchange: IExchange) -> None:
        if exchange.attributes.pop(self._key(), None) is None:
            return
        log.failure("stream filter {name} failed", failure, name=type(self).__name__)
        exchange.reply(500, b"a stream filter failed", FILTER_FAILED)
