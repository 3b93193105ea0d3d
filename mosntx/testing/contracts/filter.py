"""What every stream filter keeps to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any
from unittest import TestCase

from attrs import define, field
from twisted.internet.task import Clock
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.filters import (
    AFTER_CHOOSE_HOST,
    AFTER_ROUTE,
    BEFORE_ROUTE,
    CONTINUE,
    RECHOOSE_HOST,
    REMATCH_ROUTE,
    REPLIED,
    STOP,
    IBackground,
    IFilterContext,
    IStreamFilter,
    IStreamFilterFactory,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.testing.requests import httpRequest
from mosntx.testing.upstream import FakeEjections, FakeExchange

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

_CALLED = frozenset({CONTINUE, STOP, REPLIED, REMATCH_ROUTE, RECHOOSE_HOST})


@implementer(IFilterContext)
@define(eq=False)
class FakeFilterContext:
    """What filters are built with: virtual time, and randomness that repeats."""

    clock: Any = field(factory=Clock)
    random: Any = field(factory=lambda: Random(1))
    clusters: Any = None
    ejections: Any = field(factory=FakeEjections)
    wheel: TimerWheel = field(init=False)
    seconds: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.seconds = self.clock.seconds
        self.wheel = TimerWheel(self.clock, self.clock.seconds)


class FilterSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IStreamFilter` and `IStreamFilterFactory`.

    A subclass defines `factory` and `configs`.
    """

    def setUp(self) -> None:
        """Make what filters are built with."""
        self.context = FakeFilterContext()

    def factory(self) -> IStreamFilterFactory:
        """Return the factory under test."""
        raise NotImplementedError

    def configs(self) -> Sequence[Any]:
        """Return configurations that work and do different things."""
        raise NotImplementedError

    def filters(self) -> list[IStreamFilter]:
        """Return a new filter for each configuration."""
        return [self.factory().build(config, self.context) for config in self.configs()]

    def test_interfaces(self) -> None:
        """Factory and filters provide their contracts, and so does the context of these tests."""
        verifyObject(IStreamFilterFactory, self.factory())
        verifyObject(IFilterContext, self.context)
        for one in self.filters():
            verifyObject(IStreamFilter, one)
            self.assertIn(one.phase, (BEFORE_ROUTE, AFTER_ROUTE, AFTER_CHOOSE_HOST))

    def test_name(self) -> None:
        """The factory has a name as configurations have it."""
        self.assertRegex(self.factory().name, "^[A-Za-z][A-Za-z0-9_.]*$")

    def test_buildingActsNot(self) -> None:
        """A filter that nobody uses waits for nothing."""
        self.filters()
        self.assertEqual(self.context.wheel.active, 0)
        self.assertEqual(self.context.clock.getDelayedCalls(), [])

    def _play(self, one: IStreamFilter, parts: int) -> FakeExchange:
        """Show a filter the first ``parts`` parts of an exchange, as long as it continues."""
        exchange = FakeExchange(httpRequest(method=b"PUT"))
        exchange.response = ResponseHead(200, Headers([]))
        trailers = Headers([(b"x-t", b"1")])
        calls: tuple[Callable[[], int], ...] = (
            lambda: one.requestHead(exchange, exchange.request, False),
            lambda: one.requestData(exchange, b"abc", False),
            lambda: one.requestTrailers(exchange, trailers),
            lambda: one.responseHead(exchange, exchange.response, False),
            lambda: one.responseData(exchange, b"def", False),
            lambda: one.responseTrailers(exchange, trailers),
        )
        for place in range(parts):
            verdict: int = calls[place]()
            self.assertIn(verdict, _CALLED if place == 0 else (CONTINUE, REPLIED))
            self.assertEqual(bool(exchange.replies), verdict == REPLIED)
            if verdict != CONTINUE:
                break
        return exchange

    def test_anyEnding(self) -> None:
        """An exchange may end after any part; ``complete`` leaves nothing behind."""
        for parts in range(7):
            for one in self.filters():
                exchange = self._play(one, parts)
                one.complete(exchange)
                self.assertEqual(self.context.wheel.active, 0)
                self.context.clock.advance(1000.0)
                self.assertEqual(self.context.clock.getDelayedCalls(), [])
                self.assertEqual(exchange.resumed, 0)

    def test_endOfWork(self) -> None:
        """Filters that work besides requests keep `IBackground`, and leave no timer."""
        for one in self.filters():
            if IBackground.providedBy(one):
                verifyObject(IBackground, one)
                background: Any = one
                background.start()
                one.complete(self._play(one, 6))
                background.stop()
                self.assertEqual(self.context.wheel.active, 0)

    def test_stateIsTheExchanges(self) -> None:
        """Two exchanges through one filter do not share their state."""
        for one in self.filters():
            first, second = self._play(one, 1), self._play(one, 1)
            self.assertIsNot(first.attributes, second.attributes)
            one.complete(first)
            one.complete(second)
            self.assertEqual(self.context.wheel.active, 0)
