"""Tests of what surrounds the processes."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.process import Ports, tail


class TailTests(SynchronousTestCase):
    """The end of a log."""

    def test_lastLines(self) -> None:
        """Only the last lines are shown, even when they are no UTF-8."""
        path = Path(self.mktemp())
        path.write_bytes(b"one\ntwo\nthr\xffee\n")
        self.assertEqual(tail(path, 2), "two\nthr\N{REPLACEMENT CHARACTER}ee")

    def test_nothing(self) -> None:
        """An empty or missing log is said to be so."""
        path = Path(self.mktemp())
        self.assertIn("nothing", tail(path))
        path.write_bytes(b"")
        self.assertIn("nothing", tail(path))


class PortsTests(SynchronousTestCase):
    """Which ports are tried."""

    def test_range(self) -> None:
        """Wherever it begins, each port of the range comes once."""
        for start in (0, 11_999, 12_000, 123_456_789):
            candidates = list(Ports.candidates(start))
            self.assertEqual(sorted(candidates), list(range(Ports.FIRST, Ports.END)), start)

    def test_start(self) -> None:
        """Runs at the same time begin at different places."""
        self.assertNotEqual(next(Ports.candidates(7)), next(Ports.candidates(14)))
