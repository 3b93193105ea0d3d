"""Tests of `mosntx.proxy.retry`: when an attempt is repeated (spec/router.md 10)."""

from __future__ import annotations

from mosntx.config.schema import BackOff, RetryPolicy
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PENDING_TIMEOUT,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
    REUSE_RACE,
    UPSTREAM_RESET,
)
from mosntx.proxy.exchange import Exchange
from mosntx.proxy.retry import (
    REPLAY_LIMIT,
    mayRetryRace,
    mayRetryReset,
    mayRetryStatus,
    pauseBefore,
)
from mosntx.router.policies import compileRetries
from mosntx.testing.requests import httpRequest
from tests.proxy.fakes import ExchangeTestCase, head
from tests.router.build import acting

NEVER = (
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PENDING_TIMEOUT,
    PROTOCOL_ERROR,
)

#: After these the upstream may have done what the request asks for.
LOST = (CONNECTION_TERMINATION, PER_TRY_TIMEOUT, REMOTE_RESET, REUSE_RACE, UPSTREAM_RESET)


class RetryTests(ExchangeTestCase):
    """The table, row by row."""

    def exchange(
        self,
        on: bool = True,
        statuses: tuple[int, ...] = (),
        method: bytes = b"GET",
        unsafe: bool = False,
    ) -> Exchange:
        """Return an exchange in its first attempt, with one repetition allowed."""
        policy = RetryPolicy(
            retry_on=on, num_retries=1, status_codes=statuses, retry_non_idempotent=unsafe
        )
        return self.requested(acting(retry_policy=policy), method=method)

    def test_resets(self) -> None:
        """Failed connects always, lost answers under ``retry_on``, others never."""
        for on in (True, False):
            exchange = self.exchange(on)
            self.assertTrue(mayRetryReset(exchange, CONNECTION_FAILED))
            for reason in LOST:
                self.assertEqual(mayRetryReset(exchange, reason), on)
            for reason in NEVER:
                self.assertFalse(mayRetryReset(exchange, reason))
            exchange.responseHead(head(), True)

    def test_orderIsNotPlacedTwice(self) -> None:
        """A POST whose fate is not known is sent once, unless the route says otherwise."""
        for unsafe in (False, True):
            exchange = self.exchange(method=b"POST", unsafe=unsafe)
            for reason in LOST:
                self.assertEqual(mayRetryReset(exchange, reason), unsafe)
            self.assertTrue(mayRetryReset(exchange, CONNECTION_FAILED))
            self.assertTrue(mayRetryStatus(exchange, 503))
            exchange.responseHead(head(), True)

    def test_pauses(self) -> None:
        """Doubled each time up to the limit; half of each is chance."""
        policy = compileRetries(RetryPolicy(back_off=BackOff(base_interval=0.1, max_interval=0.5)))
        for attempts, longest in ((1, 0.1), (2, 0.2), (3, 0.4), (4, 0.5), (60, 0.5)):
            self.assertAlmostEqual(pauseBefore(policy, attempts, 1.0), longest)
            self.assertAlmostEqual(pauseBefore(policy, attempts, 0.0), longest / 2)

    def test_statuses(self) -> None:
        """500 and above, or those that are listed."""
        for statuses, retried in (((), {500, 503, 599}), ((404, 500), {404, 500})):
            exchange = self.exchange(True, statuses)
            every = (200, 404, 499, 500, 503, 599)
            found = {status for status in every if mayRetryStatus(exchange, status)}
            self.assertEqual(found, retried)
            self.assertFalse(mayRetryStatus(self.exchange(False, statuses), 500))

    def test_numRetries(self) -> None:
        """Not more often than allowed."""
        exchange = self.exchange()
        exchange.attempts = 2
        self.assertFalse(mayRetryReset(exchange, CONNECTION_FAILED))
        self.assertFalse(mayRetryStatus(exchange, 503))

    def test_withoutRoute(self) -> None:
        """Without a route there is nothing to repeat."""
        exchange = self.begin()
        self.assertFalse(mayRetryReset(exchange, CONNECTION_FAILED))
        self.assertFalse(mayRetryStatus(exchange, 503))

    def test_race(self) -> None:
        """Only what may be sent twice, and only for this reason."""
        self.assertTrue(mayRetryRace(self.exchange(), REUSE_RACE))
        self.assertFalse(mayRetryRace(self.exchange(), UPSTREAM_RESET))
        self.assertFalse(mayRetryRace(self.exchange(method=b"POST"), REUSE_RACE))

    def test_refused(self) -> None:
        """What the upstream has not looked at is sent again whatever its method."""
        self.assertTrue(mayRetryRace(self.exchange(method=b"POST"), REFUSED))
        self.assertTrue(mayRetryReset(self.exchange(method=b"POST"), REFUSED))

    def test_forgottenBody(self) -> None:
        """What is not kept cannot be sent again."""
        exchange = self.begin(acting(retry_policy=RetryPolicy(retry_on=True, num_retries=1)))
        exchange.requestHead(httpRequest(method=b"PUT"), False)
        exchange.requestData(bytes(REPLAY_LIMIT), False)
        self.assertTrue(mayRetryStatus(exchange, 503))
        exchange.requestData(b"x", False)
        self.assertFalse(mayRetryStatus(exchange, 503))
        self.assertFalse(mayRetryReset(exchange, CONNECTION_FAILED))
        self.assertFalse(mayRetryRace(exchange, REUSE_RACE))
