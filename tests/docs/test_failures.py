"""The how-to about failures."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.proxy.reasons import REASONS

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "failures.rst"


class TableTests(SynchronousTestCase):
    """The table of codes."""

    def test_complete(self) -> None:
        """Each code stands in it with its sentences, in this order, and no other one."""
        rows = PAGE.read_text().split("   * - ")[2:]
        expected = [
            [f"``{one.code}``", one.meaning, one.advice, f"`{one.limit}`" if one.limit else ""]
            for one in REASONS.values()
        ]
        found = [[cell.strip() for cell in row.split("\n     -")] for row in rows]
        self.assertEqual(found, expected)
