"""A filter that does what a test says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    REPLIED,
    STOP,
)
from mosntx.filters.base import StreamFilter

#: What a script does in a hook: called with the exchange and the part.
Action = Callable[[Any, Any], int]


class Script(StreamFilter):
    """A filter that notes its calls and does what a test says.

    :ivar actions: by hook.
    """

    def __init__(self, name: str, log: list[Any], phase: int = AFTER_ROUTE, **actions: Any) -> None:
        self.name = name
        self.phase = phase
        self.log = log
        self.actions = actions

    def _run(self, hook: str, exchange: Any, part: Any) -> int:
        self.log.append((self.name, hook))
        action = self.actions.get(hook)
        return CONTINUE if action is None else action(exchange, part)

    def requestHead(self, exchange: Any, head: Any, end: bool) -> int:
        """See `IStreamFilter`."""
        return self._run("requestHead", exchange, head)

    def requestData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter`."""
        return self._run("requestData", exchange, data)

    def requestTrailers(self, exchange: Any, trailers: Any) -> int:
        """See `IStreamFilter`."""
        return self._run("requestTrailers", exchange, trailers)

    def responseHead(self, exchange: Any, head: Any, end: bool) -> int:
        """See `IStreamFilter`."""
        return self._run("responseHead", exchange, head)

    def responseData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter`."""
        return self._run("responseData", exchange, data)

    def responseTrailers(self, exchange: Any, trailers: Any) -> int:
        """See `IStreamFilter`."""
        return self._run("responseTrailers", exchange, trailers)

    def complete(self, exchange: Any) -> None:
        """See `IStreamFilter`."""
        self._run("complete", exchange, None)


def replies(status: int = 403) -> Action:
    """Return an action that answers."""

    def action(exchange: Any, part: Any) -> int:
        exchange.reply(status, b"from a filter")
        return REPLIED

    return action


def raises(exchange: Any, part: Any) -> int:
    """Do what filters should not."""
    raise RuntimeError("a filter's mistake")


def stops(exchange: Any, part: Any) -> int:
    """Wait."""
    return STOP
