"""Tests of the judgement about an answer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.check import AnswerError, judge


class JudgeTests(SynchronousTestCase):
    """Only the right answer passes."""

    def test_right(self) -> None:
        """Status 200 with the body is right."""
        judge(200, b"body", b"body")

    def test_wrong(self) -> None:
        """Another status or body is refused, and both are shown."""
        with self.assertRaises(AnswerError) as caught:
            judge(503, b"no healthy host", b"body")
        self.assertIn("503", str(caught.exception))
        self.assertIn("no healthy host", str(caught.exception))
        for received in (b"", b"bod", b"body!", b"BODY"):
            self.assertRaises(AnswerError, judge, 200, received, b"body")
