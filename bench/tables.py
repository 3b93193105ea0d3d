"""Tables of reStructuredText, for pages of the manual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def table(rows: Mapping[str, Sequence[str]], heads: Sequence[str]) -> str:
    """Return a simple table.

    :param rows: first cell to the others.
    :param heads: of all columns.
    """
    cells = [list(heads), *([name, *rest] for name, rest in rows.items())]
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule]) + "\n"
