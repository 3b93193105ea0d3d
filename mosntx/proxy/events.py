"""Event handlers of exchanges (row E4): who is told what, arranged so that nobody costs nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.filters import IExchange
from mosntx.contracts.stream import IStreamEventHandler

log = Logger()


@implementer(IStreamEventHandler)
class StreamEventHandler:
    """A handler that does nothing. Override only what you need: the rest is never called."""

    def streamCreated(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler.streamCreated`."""

    def streamHeadSent(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler.streamHeadSent`."""

    def streamReset(self, exchange: IExchange, reason: int) -> None:
        """See `IStreamEventHandler.streamReset`."""

    def streamComplete(self, exchange: IExchange) -> None:
        """See `IStreamEventHandler.streamComplete`."""


class StreamEventHandlers:
    """The handlers of a listener, by event: tuples of functions that never raise."""

    __slots__ = ("complete", "created", "failures", "headSent", "reset")

    def __init__(self, handlers: Iterable[IStreamEventHandler] = ()) -> None:
        every = tuple(handlers)
        #: exceptions that handlers have raised
        self.failures = 0
        self.created = self._listeners(every, "streamCreated")
        self.headSent = self._listeners(every, "streamHeadSent")
        self.reset = self._listeners(every, "streamReset")
        self.complete = self._listeners(every, "streamComplete")

    def _listeners(
        self, handlers: Iterable[IStreamEventHandler], name: str
    ) -> tuple[Callable[..., None], ...]:
        base = getattr(StreamEventHandler, name)
        return tuple(
            self._guarded(getattr(handler, name), type(handler).__name__)
            for handler in handlers
            if getattr(type(handler), name, None) is not base
        )

    def _guarded(self, method: Callable[..., None], name: str) -> Callable[..., None]:
        def call(*args: Any) -> None:
            try:
                method(*args)
            except Exception:
                self.failures += 1
                log.failure("stream event handler {name} failed", name=name)

        return call
