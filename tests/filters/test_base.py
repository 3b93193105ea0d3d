"""Tests of `mosntx.filters.base`: filters that do nothing, and filters that wait."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail, inlineCallbacks, succeed
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.filters import BEFORE_ROUTE, CONTINUE, FILTER_FAILED, IStreamFilter
from mosntx.filters.base import AsyncFilter, StreamFilter
from mosntx.testing.upstream import FakeExchange
from tests.proxy.build import GET, OK, MeshTestCase, post


class Asks(AsyncFilter):
    """Waits for what a test gives it."""

    phase = BEFORE_ROUTE

    def __init__(self, answer: Callable[[Any], Deferred[Any]]) -> None:
        self.answer = answer

    def decide(self, exchange: Any, head: Any) -> Deferred[Any]:
        """See `AsyncFilter.decide`."""
        return self.answer(exchange)


class Later(StreamFilter):
    """Notes that it was called."""

    def __init__(self) -> None:
        self.calls = 0

    def requestHead(self, exchange: Any, head: Any, end: bool) -> int:
        """See `IStreamFilter`."""
        self.calls += 1
        return CONTINUE


class StreamFilterTests(SynchronousTestCase):
    """The base."""

    def test_nothing(self) -> None:
        """Each hook continues."""
        base, exchange = StreamFilter(), FakeExchange()
        verifyObject(IStreamFilter, base)
        verdicts = [
            base.requestHead(exchange, exchange.request, True),
            base.requestData(exchange, b"", True),
            base.requestTrailers(exchange, exchange.request),
            base.responseHead(exchange, exchange.request, True),
            base.responseData(exchange, b"", True),
            base.responseTrailers(exchange, exchange.request),
        ]
        self.assertEqual(set(verdicts), {CONTINUE})
        base.complete(exchange)
        self.assertEqual((exchange.replies, exchange.attributes), ([], {}))


class AsyncFilterTests(MeshTestCase):
    """Filters that ask somebody."""

    def ask(self, answer: Callable[[Any], Deferred[Any]]) -> Any:
        """Start with a filter that asks, and one behind it; send a request."""
        self.later = Later()
        mesh = self.begin(filters=[Asks(answer), self.later])
        client = mesh.client("front")
        client.send(GET)
        return client

    def assertPassed(self, client: Any) -> None:
        """Check that the request went up."""
        self.running.upstream().send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.later.calls, 1)

    def test_answeredAtOnce(self) -> None:
        """An answer that is there already costs nothing."""
        self.assertPassed(self.ask(lambda _: succeed(None)))

    def test_answeredLater(self) -> None:
        """The request waits, then goes on."""
        waiting: Deferred[None] = Deferred()
        client = self.ask(lambda _: waiting)
        self.assertEqual((self.running.dialled, self.later.calls), ([], 0))
        waiting.callback(None)
        self.assertPassed(client)

    def test_answerWaitsForAnother(self) -> None:
        """A Deferred that waits for another one has not fired."""
        inner: Deferred[None] = Deferred()
        client = self.ask(lambda _: succeed(None).addCallback(lambda _: inner))
        self.assertEqual(self.running.dialled, [])
        inner.callback(None)
        self.assertPassed(client)

    def test_bodyWaits(self) -> None:
        """The body waits too and arrives behind the head."""
        waiting: Deferred[None] = Deferred()
        mesh = self.begin(filters=[Asks(lambda _: waiting)])
        client = mesh.client("front")
        client.send(post(b"abc", length=6))
        self.assertFalse(client.reading)
        waiting.callback(None)
        upstream = mesh.upstream()
        client.send(b"def")
        self.assertTrue(upstream.take().endswith(b"abcdef"))

    def test_fails(self) -> None:
        """Failures are a 500 and in the log, at once or later."""
        for late in (False, True):
            waiting: Deferred[Any] = Deferred() if late else fail(ValueError("x"))

            def answer(_: object, given: Deferred[Any] = waiting) -> Deferred[Any]:
                return given

            client = self.ask(answer)
            if late:
                waiting.errback(ValueError("x"))
            self.assertStatus(client.take(), 500)
            self.assertEnded((500, FILTER_FAILED))
            self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
            self.assertEqual(self.later.calls, 0)
            self.tearDown()

    def test_refusesAtOnce(self) -> None:
        """A filter may answer before it returns; later filters do not see the request."""

        def refuses(exchange: Any) -> Deferred[None]:
            exchange.reply(403)
            return succeed(None)

        self.assertStatus(self.ask(refuses).take(), 403)
        self.assertEqual(self.later.calls, 0)
        self.assertEnded((403, 0))

    def test_refusesLater(self) -> None:
        """Or when it knows."""
        waiting: Deferred[None] = Deferred()
        client = self.ask(lambda _: waiting)
        self.witness.exchanges[0].reply(403)
        waiting.callback(None)
        self.assertStatus(client.take(), 403)
        self.assertEqual(self.later.calls, 0)

    def test_refusesInACoroutine(self) -> None:
        """Answering in the middle of a function that waits does not cancel that function."""
        asked: Deferred[bool] = Deferred()
        steps: list[str] = []

        @inlineCallbacks
        def decide(exchange: Any) -> Any:
            allowed = yield asked
            if not allowed:
                exchange.reply(403)
            steps.append("end")

        client = self.ask(decide)
        asked.callback(False)
        self.assertStatus(client.take(), 403)
        self.assertEqual((steps, self.later.calls), (["end"], 0))
        self.assertEnded((403, 0))

    def test_refusesInAnAsyncFunction(self) -> None:
        """The same for ``async def``, which may also wait after its answer."""
        asked: Deferred[bool] = Deferred()
        more: Deferred[None] = Deferred()
        steps: list[str] = []

        async def ask(exchange: Any) -> None:
            if not await asked:
                exchange.reply(403)
            await more
            steps.append("end")

        client = self.ask(lambda exchange: Deferred.fromCoroutine(ask(exchange)))
        asked.callback(False)
        self.assertStatus(client.take(), 403)
        more.callback(None)
        self.assertEqual(steps, ["end"])

    def test_clientLeaves(self) -> None:
        """Asking is cancelled."""
        cancelled: list[Any] = []
        client = self.ask(lambda _: Deferred(cancelled.append))
        client.reset()
        self.assertEqual(len(cancelled), 1)
        self.assertEqual(self.running.dialled, [])

    def test_twoFilters(self) -> None:
        """Two of a kind do not disturb each other."""
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()
        mesh = self.begin(filters=[Asks(lambda _: first), Asks(lambda _: second)])
        client = mesh.client("front")
        client.send(GET)
        first.callback(None)
        self.assertEqual(mesh.dialled, [])
        second.callback(None)
        mesh.upstream().send(OK)
        self.assertEqual(client.take(), OK)
