"""Tests of `mosntx.config.problems`."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import ConfigError, Problem

PROBLEM = Problem("error", "f.json", 3, 7, "a.b[0]", "is wrong", "do this")


class ProblemTests(SynchronousTestCase):
    """How findings read."""

    def test_text(self) -> None:
        """Place, severity, path, message, advice; parts that are missing leave no traces."""
        self.assertEqual(str(PROBLEM), "f.json:3:7: error: a.b[0]: is wrong; do this")
        self.assertEqual(str(Problem("warning", "f", 0, 0, "", "odd")), "f: warning: odd")

    def test_oneLine(self) -> None:
        """Line ends and control characters of a file cannot make more lines."""
        problem = attrs.evolve(PROBLEM, message="a\nb\x1b[0m\u2028c", fix="")
        self.assertEqual(len(str(problem).splitlines()), 1)
        self.assertIn("a\\nb\\x1b", str(problem))

    def test_error(self) -> None:
        """The exception lists all problems, one per line."""
        error = ConfigError([PROBLEM, attrs.evolve(PROBLEM, line=4)])
        self.assertEqual(len(error.problems), 2)
        self.assertEqual(str(error).splitlines()[1], str(error.problems[1]))
