"""Tests of `mosntx.upstream.retrybudget`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.retrybudget import RetryBudget


class Load:
    """Requests at a steady rate, each of which fails and asks for repetitions until refused."""

    def __init__(self, budget: RetryBudget, start: float = 1000.0) -> None:
        self.budget = budget
        budget.start(start)
        self.now = start
        self.attempts = 0
        self.retries = 0

    def healthy(self, requests: int, seconds: float) -> None:
        """Let requests succeed: nobody asks."""
        self.attempts += requests
        self.now += seconds

    def failing(self, requests: int, seconds: float, each: int = 3) -> int:
        """Let all fail and return how many repetitions were granted."""
        granted = 0
        for _ in range(requests):
            self.now += seconds / requests
            self.attempts += 1
            for _ in range(each):
                if not self.budget.take(self.now, self.attempts):
                    break
                self.attempts += 1
                granted += 1
        return granted


class BudgetTests(SynchronousTestCase):
    """Shares of requests."""

    def test_refusedAfterAQuietHour(self) -> None:
        """Repetitions of long ago do not count: after a quiet hour the whole budget is there."""
        budget = RetryBudget(share=0.0, least=2.0)
        for begin in (0.0, 3600.0):
            taken = [budget.take(begin + part / 100, 10) for part in range(4)]
            self.assertEqual(taken, [True, True, False, False])
        self.assertEqual([budget.take(3600.9, 10), budget.take(3601.2, 10)], [False, True])

    def test_share(self) -> None:
        """Total failure costs the upstreams a fifth more, from the first second on."""
        for seconds in (1, 2, 10):
            granted = Load(RetryBudget(0.2, 10)).failing(1000 * seconds, seconds)
            self.assertLessEqual(granted, 200 * seconds + 10)
            self.assertGreater(granted, 150 * (seconds - 1))

    def test_afterAQuietTime(self) -> None:
        """An hour without failures saves nothing up for a flood."""
        load = Load(RetryBudget(0.2, 10))
        load.healthy(3_600_000, 3600)
        self.assertLessEqual(load.failing(1000, 1), 200)
        self.assertLessEqual(load.failing(9000, 9), 1800)

    def test_firstFailure(self) -> None:
        """The first failures of a cluster that was well may be repeated at once."""
        load = Load(RetryBudget(0.2, 10))
        load.healthy(1000, 1)
        self.assertEqual(load.failing(60, 0.001, each=1), 60)

    def test_notStarted(self) -> None:
        """Without a beginning there are only the few that are always allowed."""
        budget = RetryBudget(0.2, 10)
        self.assertEqual([budget.take(5.0, 1000 + n) for n in range(11)], [True] * 10 + [False])

    def test_least(self) -> None:
        """A few requests may all be repeated."""
        load = Load(RetryBudget(0.2, 10))
        self.assertEqual(load.failing(5, 1, each=2), 10)
        self.assertEqual(load.failing(3, 3, each=1), 3)

    def test_none(self) -> None:
        """A budget of nothing grants nothing."""
        self.assertEqual(Load(RetryBudget(0, 0)).failing(100, 1), 0)

    def test_memory(self) -> None:
        """What is remembered does not grow with time or load."""
        budget = RetryBudget(0.2, 10)
        Load(budget).failing(20_000, 60)
        self.assertLessEqual(len(budget._marks), 10)

    @given(
        st.lists(
            st.tuples(st.booleans(), st.integers(1, 300), st.floats(0.001, 5)),
            min_size=1,
            max_size=20,
        )
    )
    def test_bound(self, phases: list[tuple[bool, int, float]]) -> None:
        """Whatever the load does, the share holds over the whole time, but for one window."""
        load = Load(RetryBudget(0.2, 10))
        requests = granted = 0
        seconds = most = 0.0
        for fails, count, time in phases:
            requests += count
            seconds += time
            most = max(most, count / time)
            if fails:
                granted += load.failing(count, time)
            else:
                load.healthy(count, time)
        self.assertLessEqual(granted, 0.2 * (requests + 300) + 10 * (seconds + 2))
