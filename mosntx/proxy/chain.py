"""The stream filters of a listener, arranged for speed.

Per hook a tuple of the methods that filters override.

A filter that only looks at responses costs requests nothing; an empty chain costs an exchange one
comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from attrs import frozen
from twisted.logger import Logger

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    BEFORE_ROUTE,
    CONTINUE,
    FILTER_FAILED,
    REPLIED,
    IExchange,
    IStreamFilter,
)
from mosntx.filters.base import StreamFilter

log = Logger()

#: A bound hook and the filter it belongs to.
Hook = tuple[Callable[..., int], "FilterEntry"]


@frozen
class FilterEntry:
    """A filter in a chain.

    :ivar failOpen: pass the filter over when it raises, instead of answering 500.
    """

    name: str
    filter: IStreamFilter
    failOpen: bool = False


class FilterState:
    """What filters keep of one exchange; made only when the chain is not empty.

    :ivar phase: the phase in which a filter stopped, or which runs now.
    :ivar position: the hook after the one that stopped.
    """

    __slots__ = ("attributes", "part", "phase", "position", "stopped")

    def __init__(self) -> None:
        self.attributes: dict[str, object] = {}
        self.part = b""
        self.phase = BEFORE_ROUTE
        self.position = 0
        self.stopped = False


class FilterChain:
    """The filters of one listener, in configuration order in both directions, as in MOSN."""

    __slots__ = (
        "complete",
        "empty",
        "entries",
        "requestData",
        "requestHead",
        "requestTrailers",
        "responseData",
        "responseHead",
        "responseTrailers",
    )

    def __init__(self, entries: Iterable[FilterEntry] = ()) -> None:
        self.entries = tuple(entries)
        self.empty = not self.entries
        heads = _hooks(self.entries, "requestHead")
        #: by phase
        self.requestHead: tuple[tuple[Hook, ...], ...] = tuple(
            tuple(hook for hook in heads if hook[1].filter.phase == phase)
            for phase in range(BEFORE_ROUTE, AFTER_CHOOSE_HOST + 1)
        )
        self.requestData = _hooks(self.entries, "requestData")
        self.requestTrailers = _hooks(self.entries, "requestTrailers")
        self.responseHead = _hooks(self.entries, "responseHead")
        self.responseData = _hooks(self.entries, "responseData")
        self.responseTrailers = _hooks(self.entries, "responseTrailers")
        self.complete = _hooks(self.entries, "complete")


def runHeadHooks(
    hooks: Sequence[Hook], exchange: Any, state: FilterState, head: Any, end: bool
) -> int:
    """Run the hooks from ``state.position`` on; afterwards that is the hook to go on with.

    :returns: `CONTINUE`, or the verdict of the filter that did not continue.
    """
    while state.position < len(hooks):
        hook, entry = hooks[state.position]
        state.position += 1
        try:
            verdict = hook(exchange, head, end)
        except Exception:
            verdict = filterFailed(exchange, entry)
        if verdict != CONTINUE:
            return verdict
    return CONTINUE


def runPartHooks(hooks: Sequence[Hook], exchange: Any, part: Any, *end: bool) -> int:
    """Run hooks on data or trailers, or on a response head."""
    for hook, entry in hooks:
        try:
            verdict = hook(exchange, part, *end)
        except Exception:
            verdict = filterFailed(exchange, entry)
        if verdict != CONTINUE:
            return verdict
    return CONTINUE


def runDataHooks(
    hooks: Sequence[Hook], exchange: Any, state: FilterState, data: bytes, end: bool
) -> int:
    """Run hooks on data; the outcome is in ``state.part``, which a filter may have replaced."""
    state.part = data
    for hook, entry in hooks:
        try:
            verdict = hook(exchange, state.part, end)
        except Exception:
            verdict = filterFailed(exchange, entry)
        if verdict != CONTINUE:
            return verdict
    return CONTINUE


def runComplete(hooks: Sequence[Hook], exchange: IExchange) -> None:
    """Tell the filters that it is over.

    One that raises does not keep the others from hearing it.
    """
    for hook, entry in hooks:
        try:
            hook(exchange)
        except Exception:
            log.failure("stream filter {name} failed in complete", name=entry.name)


def filterFailed(exchange: Any, entry: FilterEntry) -> int:
    """A hook raised: end this exchange only, or pass the filter over when it is configured so."""
    log.failure("stream filter {name} failed", name=entry.name)
    exchange.listener.stats.filter_failed_total += 1
    if entry.failOpen:
        return CONTINUE
    exchange.reply(500, b"a stream filter failed", FILTER_FAILED)
    return REPLIED


def _hooks(entries: Iterable[FilterEntry], name: str) -> tuple[Hook, ...]:
    """The overridden hooks called ``name``.

    Filters that do not derive from the base override all they have.
    """
    base = getattr(StreamFilter, name)
    return tuple(
        (getattr(entry.filter, name), entry)
        for entry in entries
        if getattr(type(entry.filter), name, base) is not base
    )
