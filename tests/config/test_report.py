"""Tests of `mosntx.config.report`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.nodes import Mark
from mosntx.config.report import Report, allowed, suggest, suggestAmong


class ReportTests(SynchronousTestCase):
    """Collecting problems."""

    def test_order(self) -> None:
        """By file in the order of reading, then by place."""
        report = Report()
        report.file("z")
        report.error(Mark("a", 1, 1), "1", "m")
        report.warning(Mark("z", 2, 5), "2", "m")
        report.error(Mark("z", 2, 1), "3", "m")
        self.assertEqual([p.path for p in report.problems()], ["3", "2", "1"])
        self.assertEqual(report.errors, 2)

    def test_unsupportedOnce(self) -> None:
        """Equal ones are counted, not repeated."""
        report = Report()
        for line in (1, 2, 3):
            report.unsupported(Mark("f", line, 1), f"p{line}", "x")
        (problem,) = report.problems()
        expected = "accepted, not yet supported: x (and in 2 more places)"
        self.assertEqual((problem.line, problem.message), (1, expected))
        self.assertEqual(report.errors, 0)

    def test_loose(self) -> None:
        """What MOSN skips is a warning, with `strict` an error."""
        for strict, severity in ((False, "warning"), (True, "error")):
            report = Report(strict)
            report.loose(Mark("f"), "p", "m")
            self.assertEqual(report.problems()[0].severity, severity)

    def test_errorUnder(self) -> None:
        """Errors of a part are found from above."""
        report = Report()
        report.error(Mark("f"), "a.b[0].c", "m")
        self.assertTrue(report.hasErrorUnder("a.b"))
        self.assertFalse(report.hasErrorUnder("a.c"))

    def test_suggestions(self) -> None:
        """What looks alike, in any case; and what is allowed."""
        self.assertEqual(suggest("lb_randm", ["LB_RANDOM"]), "did you mean 'LB_RANDOM'?")
        self.assertEqual(suggest("xyz", ["LB_RANDOM"]), "")
        self.assertEqual(allowed(["a", "b"]), "allowed: 'a', 'b'")
        self.assertEqual(
            suggestAmong("q", ["b", "a"], ["qq"]), "did you mean 'qq'? allowed: 'a', 'b'"
        )
        self.assertEqual(suggestAmong("q", []), "")
