"""Tests of `tools.reactor_suite`."""

from __future__ import annotations

from twisted.internet.epollreactor import EPollReactor
from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.reactor import Reactor
from tools.reactor_suite import (
    DIFFERENCES,
    SUBJECTS,
    Outcomes,
    casesOf,
    findDifferences,
    judge,
    tally,
)


class SuiteTests(SynchronousTestCase):
    """What is run, and what is made of it."""

    def test_subjects(self):
        """The stock reactor is compared with ours and with our transports alone."""
        self.assertIs(SUBJECTS["epoll"], EPollReactor)
        self.assertTrue(issubclass(SUBJECTS["mosntx"], Reactor))
        self.assertFalse(issubclass(SUBJECTS["transports"], Reactor))
        self.assertLessEqual(set(DIFFERENCES), set(SUBJECTS))

    def test_cases(self):
        """Tests that Twisted makes for each reactor are taken once, with the reactor asked for."""
        from twisted.internet.test import test_fdset

        (case,) = casesOf(test_fdset, Reactor)
        self.assertEqual(case.__name__, "ReactorFDSetTestsBuilder")
        self.assertIs(vars(case)["reactorFactory"], Reactor)

    def test_outcomes(self):
        """Each test ends in one way."""

        class Sample(SynchronousTestCase):
            def test_good(self):
                """Pass."""

            def test_bad(self):
                """Fail."""
                self.fail("bad")

            def test_skipped(self):
                """Skip."""

            test_skipped.skip = "no"  # type: ignore[attr-defined]

        outcomes = Outcomes()
        for name in ("test_good", "test_bad", "test_skipped"):
            Sample(name).run(outcomes)
        good, bad, skipped = outcomes.ended.values()
        self.assertEqual((good, skipped), ("ok", "skipped"))
        self.assertIn("bad", bad)

    def test_tally(self):
        """Tests are counted by the way they ended, the most frequent first."""
        ended = {"a": "ok", "b": "ok", "c": "ok", "d": "skipped", "e": "Traceback", "f": "other"}
        self.assertEqual(tally(ended), "3 ok, 2 failed, 1 skipped")

    def test_differences(self):
        """Only what passes on the stock reactor counts; what did not run has not passed."""
        stock = {"a": "ok", "b": "failed", "c": "ok", "d": "ok", "e": "skipped"}
        other = {"a": "ok", "b": "failed", "c": "failed", "e": "failed"}
        self.assertEqual(findDifferences(stock, other), {"c": "failed", "d": "did not run"})

    def test_judge(self):
        """A difference needs a reason, a reason needs a difference."""
        found = {"m.A.test_x": "failed", "m.A.test_y": "failed"}
        self.assertEqual(
            judge(found, {"test_x": "why", "test_z": "why"}),
            ({"m.A.test_y": "failed"}, ["test_z"]),
        )
        self.assertEqual(judge(found, {"A.test_x": "why", "test_y": "why"}), ({}, []))
        self.assertEqual(judge({"m.A.test_xy": "failed"}, {"xy": "why"})[0].keys(), {"m.A.test_xy"})
