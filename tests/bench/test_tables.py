"""Tests of `bench.tables`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.tables import table

TEXT = """\
===========  =========  ====
what         x          y
===========  =========  ====
a long name  1
b            two words  3 µs
===========  =========  ====
"""


class TableTests(SynchronousTestCase):
    """A table."""

    def test_columns(self) -> None:
        """Columns are as wide as their widest cell, and no line ends with blanks."""
        rows = {"a long name": ["1", ""], "b": ["two words", "3 µs"]}
        self.assertEqual(table(rows, ["what", "x", "y"]), TEXT)

    def test_wrongRow(self) -> None:
        """A row with a cell too few is an error, not a table that nobody can read."""
        self.assertRaises((ValueError, IndexError), table, {"a": []}, ["what", "x"])
