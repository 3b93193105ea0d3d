"""Tests of `mosntx.upstream.pools.pingpong`: random histories."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingResponseSink
from tests.upstream.pools import test_pingpong

ADDRESS = "192.0.2.1:80"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
LAST = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"


class Play:
    """One random history of a pool.

    :ivar free: connections that are checked out by somebody and have no stream.
    """

    def __init__(self, case: test_pingpong.PingPongTestCase, limits: dict[str, int]) -> None:
        self.case = case
        self.pool = case.pool(**limits)
        self.limits = limits
        self.waiters: list[Deferred[Any]] = []
        self.outcomes = 0
        self.checkouts = 0
        self.free: list[Any] = []
        self.drained: Deferred[None] | None = None

    def _fired(self, result: Any) -> None:
        self.outcomes += 1
        if hasattr(result, "open"):
            self.free.append(result)

    def checkout(self, turn: int) -> None:
        """Ask for a connection."""
        self.checkouts += 1
        streams = self.pool.tryCheckout()
        if streams is not None:
            self._fired(streams)
            return
        waiter = self.pool.checkout()
        self.waiters.append(waiter)
        waiter.addBoth(self._fired)

    def cancel(self, turn: int) -> None:
        """Somebody waits no longer."""
        waiting = [waiter for waiter in self.waiters if not waiter.called]
        if waiting:
            waiting[turn % len(waiting)].cancel()

    def _pending(self) -> list[Any]:
        return [one for one in self.case.connector.attempts if not one.deferred.called]

    def succeed(self, turn: int) -> None:
        """A connect succeeds."""
        pending = self._pending()
        if pending:
            pending[turn % len(pending)].succeed()

    def fail(self, turn: int) -> None:
        """A connect fails."""
        pending = self._pending()
        if pending:
            pending[turn % len(pending)].fail(ConnectFailed(ADDRESS, "refused"))

    def _use(self, octets: bytes) -> None:
        if self.free:
            streams = self.free.pop()
            streams.open(RecordingResponseSink(), httpRequest(), True)
            streams.connection.deliver(octets)
            if not octets:
                streams.connection.lose()

    def answer(self, turn: int) -> None:
        """A request is answered."""
        self._use(OK)

    def answerLast(self, turn: int) -> None:
        """A request is answered with a close."""
        self._use(LAST)

    def breakOff(self, turn: int) -> None:
        """A request is not answered."""
        self._use(b"")

    def fin(self, turn: int) -> None:
        """An upstream closes a connection."""
        alive = [one.connection for one in self.case.connector.attempts if one.connection.receiver]
        alive = [connection for connection in alive if not connection.closed]
        if alive:
            alive[turn % len(alive)].peerFinished()

    def settle(self, turn: int = 0) -> None:
        """What was closed goes."""
        for attempt in self.case.connector.attempts:
            if attempt.connection.closing:
                attempt.connection.lose()

    def wait(self, turn: int) -> None:
        """Time passes."""
        self.case.clock.advance((turn % 5) * 0.6)

    def drain(self, turn: int) -> None:
        """The host leaves its cluster (rarely)."""
        if turn % 20 == 0:
            self.drained = self.pool.drain()

    def check(self) -> None:
        """Check what is true at any time."""
        pool, case = self.pool, self.case
        open_ = [one.connection for one in case.connector.attempts if one.connection.receiver]
        open_ = [connection for connection in open_ if not connection.closed]
        case.assertGreaterEqual(min(pool.active, pool.idle, pool.waiting), 0)
        case.assertEqual(pool.active + pool.idle, case.stats.connection_active)
        most = self.limits["maxConnections"]
        if most:
            case.assertLessEqual(len(open_) + len(self._pending()), most)
        case.assertLessEqual(pool.waiting, self.limits["maxPending"])
        case.assertEqual(self.outcomes + pool.waiting, self.checkouts)
        if pool.waiting and not pool.draining and not (most and len(open_) >= most):
            case.assertTrue(self._pending(), "somebody waits and nobody connects")

    def finish(self) -> None:
        """End everything, and check that nothing is left."""
        case = self.case
        case.clock.advance(1000.0)
        while self._pending():
            self.fail(0)
        drained = self.pool.drain()
        for attempt in case.connector.attempts:
            if attempt.connection.receiver:
                attempt.connection.lose()
        case.assertTrue(drained.called)
        case.assertEqual(self.outcomes, self.checkouts)
        counts = (self.pool.active, self.pool.idle, self.pool.waiting)
        case.assertEqual((*counts, case.stats.connection_active, case.wheel.active), (0,) * 5)
        stats = case.stats
        case.assertEqual(stats.connection_total, stats.connection_close)
        case.assertEqual(
            stats.connection_close, stats.connection_local_close + stats.connection_remote_close
        )


STEPS = [
    name for name in vars(Play) if not name.startswith("_") and name not in ("check", "finish")
]


class RandomPlayTests(SynchronousTestCase):
    """Whatever happens in whatever order."""

    @given(
        st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 100)), max_size=40),
        st.integers(0, 3),
        st.integers(1, 3),
    )
    def test_anyHistory(
        self, steps: list[tuple[str, int]], maxConnections: int, maxPending: int
    ) -> None:
        """Nobody who waits is lost, no counter goes wrong, nothing is left in the end."""
        case = test_pingpong.PingPongTestCase()
        case.setUp()
        play = Play(case, {"maxConnections": maxConnections, "maxPending": maxPending})
        for name, turn in steps:
            getattr(play, name)(turn)
            play.check()
        play.finish()
