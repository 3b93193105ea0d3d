"""Tests of `mosntx.stream.framed.turn`: one write per peer and read."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.stream.framed.turn import WriteTurn
from mosntx.testing.net import FakeConnection
from tests.stream.framed.fakes import OurMistakeError


class Writer:
    """Counts its writes."""

    def __init__(self, then: Any = None) -> None:
        self.connection = FakeConnection()
        self.writes = 0
        self.then = then

    def writeOut(self) -> None:
        """Write."""
        self.writes += 1
        if self.then is not None:
            self.then()


class WriteTurnTests(SynchronousTestCase):
    """When those who were marked write."""

    def setUp(self) -> None:
        """Make a turn."""
        self.turn = WriteTurn()

    def test_once(self) -> None:
        """Marked twice in nested reads means one write, at the end of the outermost."""
        writer = Writer()
        self.turn.enter()
        self.turn.mark(writer)
        self.turn.enter()
        self.turn.mark(writer)
        self.turn.leave()
        self.assertEqual(writer.writes, 0)
        self.turn.leave()
        self.assertEqual(writer.writes, 1)

    def test_outside(self) -> None:
        """Outside of a read a mark is a write."""
        writer = Writer()
        self.turn.mark(writer)
        self.turn.mark(writer)
        self.assertEqual(writer.writes, 2)

    def test_markedWhileWriting(self) -> None:
        """Who is marked by another's write, writes too."""
        last = Writer()
        self.turn.mark(Writer(lambda: self.turn.mark(last)))
        self.assertEqual(last.writes, 1)

    def test_failure(self) -> None:
        """One that fails does not keep the others from writing."""

        def fail() -> None:
            raise OurMistakeError

        last = Writer()
        self.turn.enter()
        self.turn.mark(Writer(fail))
        self.turn.mark(last)
        self.turn.leave()
        self.assertEqual(last.writes, 1)
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)
