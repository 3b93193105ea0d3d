"""Tests of `bench.curves.processes`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.daemon import Counts
from bench.curves.processes import processesTable, shares
from bench.curves.window import Figures

ONE = Figures(1.0, [Counts(1000, 1000, 64, 0.05)])
TWO = Figures(1.0, [Counts(1200, 1200, 48, 0.06), Counts(600, 600, 16, 0.03)])


class ProcessesTests(SynchronousTestCase):
    """The table of one process against two."""

    def test_shares(self) -> None:
        """Shares are in percent; without anything they are nothing."""
        self.assertEqual(shares(TWO, lambda each: each.connections), "75 % / 25 %")
        self.assertEqual(shares(ONE, lambda each: each.connections), "100 %")
        self.assertEqual(shares(TWO, lambda each: 0), "0 % / 0 %")

    def test_table(self) -> None:
        """Requests of two are compared with those of one."""
        text = processesTable({("load", 1): ONE, ("load", 2): TWO})
        lines = text.splitlines()
        self.assertEqual(lines[3].split()[2:5], ["1.00", "50.0", "µs"])
        self.assertEqual(lines[4].split()[2:5], ["1.80", "50.0", "µs"])
        self.assertIn("67 % / 33 %", lines[4])
