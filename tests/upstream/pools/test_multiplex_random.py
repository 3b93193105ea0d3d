"""Tests of `mosntx.upstream.pools.multiplex`: random histories."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed
from mosntx.testing.frames import boltGoAway, boltResponse
from mosntx.testing.net import FakeAttempt
from mosntx.testing.sinks import RecordingResponseSink
from mosntx.upstream.pools.errors import PoolError
from tests.upstream.pools.test_multiplex import REFUSED, MultiplexTestCase


class History:
    """One random history of a pool and those who use it."""

    def __init__(self, case: SynchronousTestCase, most: int) -> None:
        self.case = case
        self.parts = parts = MultiplexTestCase()
        parts.setUp()
        self.pool = parts.pool(most, 3)
        self.waiters: list[Deferred[Any]] = []
        self.fired: list[int] = []
        self.opened: list[tuple[Any, RecordingResponseSink, int]] = []

    def _done(self, result: Any, place: int) -> None:
        """A checkout has fired."""
        self.fired[place] += 1
        if isinstance(result, Failure):
            self.case.assertIsInstance(result.value, PoolError | ConnectFailed | CancelledError)
        else:
            self.case.assertTrue(result.reusable)
            self._open(result)

    def _open(self, streams: Any) -> None:
        self.opened.append((streams, *self.parts.open(streams)))

    def _attempts(self) -> list[FakeAttempt]:
        return [one for one in self.parts.connector.attempts if not one.deferred.called]

    def checkout(self, which: int) -> None:
        """Somebody wants a connection, and waits if need be."""
        self.fired.append(0)
        waiting = self.pool.checkout()
        waiting.addBoth(self._done, len(self.fired) - 1)
        self.waiters.append(waiting)

    def tryCheckout(self, which: int) -> None:
        """Or does not wait."""
        streams = self.pool.tryCheckout()
        if streams is not None:
            self._open(streams)

    def cancel(self, which: int) -> None:
        """Somebody waits no longer."""
        if self.waiters:
            self.waiters[which % len(self.waiters)].cancel()

    def connect(self, which: int) -> None:
        """A connect succeeds."""
        for attempt in self._attempts()[:1]:
            attempt.succeed()

    def refuse(self, which: int) -> None:
        """Or fails."""
        for attempt in self._attempts()[:1]:
            attempt.fail(REFUSED)

    def answer(self, which: int) -> None:
        """A request is answered, perhaps again."""
        if self.opened:
            streams, _, number = self.opened[which % len(self.opened)]
            streams.connection.deliver(boltResponse(number))

    def lose(self, which: int) -> None:
        """A connection is lost."""
        if self.opened:
            self.opened[which % len(self.opened)][0].connection.lose()

    def goAway(self, which: int) -> None:
        """An upstream wants no more requests."""
        if self.opened:
            self.opened[which % len(self.opened)][0].connection.deliver(boltGoAway())

    def drain(self, which: int) -> None:
        """The host leaves its cluster (not so often)."""
        if which == 0:
            self.pool.drain()

    def wait(self, which: int) -> None:
        """Time passes."""
        self.parts.clock.advance(which * 0.1)

    def check(self) -> None:
        """End all; every checkout has fired once, every stream has ended once."""
        for attempt in self._attempts():
            attempt.fail(REFUSED)
        drained = self.pool.drain()
        for attempt in self.parts.connector.attempts:
            attempt.connection.lose()
        case, pool = self.case, self.pool
        case.assertTrue(drained.called)
        case.assertEqual(self.fired, [1] * len(self.waiters))
        for _, sink, _ in self.opened:
            case.assertEqual(len(sink.parts), 1)
        case.assertEqual((pool.active, pool.idle, pool.waiting), (0, 0, 0))
        case.assertEqual((self.parts.wheel.active, self.parts.stats.connection_active), (0, 0))


STEPS = [name for name in vars(History) if not name.startswith("_") and name != "check"]
STEPS += ["checkout", "checkout", "connect", "connect", "answer"]  # what brings histories on


class AnyOrderTests(SynchronousTestCase):
    """Whatever the order."""

    @given(
        st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 7)), max_size=50),
        st.integers(0, 3),
    )
    def test_anyOrder(self, steps: list[tuple[str, int]], most: int) -> None:
        """Each checkout fires once, never with a dead connection; nothing is left."""
        history = History(self, most)
        for name, which in steps:
            step: Any = getattr(history, name)
            step(which)
            self.assertLessEqual(history.pool.waiting, 3)
        history.check()
