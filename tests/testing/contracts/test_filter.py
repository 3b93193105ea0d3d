"""Tests of `mosntx.testing.contracts.filter`: the suite finds filters that break the contract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.filters import CONTINUE, STOP, IStreamFilterFactory
from mosntx.filters.base import StreamFilter
from mosntx.testing.contracts.filter import FilterSuite
from tests.testing.contracts import test_streams


class Leaky(StreamFilter):
    """Waits for itself, and forgets to stop."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def requestHead(self, exchange: Any, head: Any, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        self._context.wheel.schedule(1.0, exchange.resume)
        return STOP


class Odd(StreamFilter):
    """Returns what is no verdict of data."""

    def __init__(self, context: Any) -> None:
        pass

    def requestData(self, exchange: Any, data: bytes, end: bool) -> int:
        """See `IStreamFilter.requestData`."""
        return STOP


class Good(StreamFilter):
    """Keeps to everything."""

    def __init__(self, context: Any) -> None:
        pass

    def requestHead(self, exchange: Any, head: Any, end: bool) -> int:
        """See `IStreamFilter.requestHead`."""
        exchange.attributes["seen"] = True
        return CONTINUE


@implementer(IStreamFilterFactory)
class Factory:
    """Makes one of the above."""

    name = "given"
    configClass = None

    def build(self, config: Any, context: Any) -> StreamFilter:
        """See `IStreamFilterFactory.build`."""
        made: StreamFilter = config(context)
        return made


class GivenFilterTests(FilterSuite, SynchronousTestCase):
    """The suite itself, on a filter that is as it should be."""

    kind: Any = Good

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return Factory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [self.kind]


class SuiteTests(SynchronousTestCase):
    """Broken filters."""

    def test_broken(self) -> None:
        """Each fails where it is broken."""

        class LeakyTests(GivenFilterTests):
            kind = Leaky

        class OddTests(GivenFilterTests):
            kind = Odd

        names = ["test_interfaces", "test_anyEnding", "test_stateIsTheExchanges"]
        self.assertEqual(test_streams.failures(LeakyTests, *names), names[1:])
        self.assertEqual(test_streams.failures(OddTests, *names), names[1:2])
