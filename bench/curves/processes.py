"""Two processes that share a port, against one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bench.curves.points import Point
from bench.curves.window import Figures
from bench.place import BOLT
from bench.tables import table

#: Name to load; each is put on one daemon, and on two.
LOADS: dict[str, Point] = {
    "HTTP/1.1, 64 connections": Point(),
    "HTTP/1.1, 1000 connections": Point(connections=1000),
    "Bolt, 64 connections": Point(BOLT),
}
#: Daemons on one port.
NUMBERS = (1, 2)
_HEADS = (
    "load: processes",
    "requests, one = 1",
    "CPU per request",
    "connections of each",
    "requests of each",
)


def processesTable(measured: Mapping[tuple[str, int], Figures]) -> str:
    """Return a table of reStructuredText.

    :param measured: load and number of processes to figures.
    """
    rows: dict[str, list[str]] = {}
    for (name, number), figures in measured.items():
        single = measured[name, 1]
        rows[f"{name}: {number}"] = [
            f"{figures.rate / single.rate:.2f}",
            f"{figures.cost * 1e6:.1f} µs",
            shares(figures, lambda each: each.connections),
            shares(figures, lambda each: each.requests),
        ]
    return table(rows, _HEADS)


def shares(figures: Figures, of: Callable[..., int]) -> str:
    """Return how much of something each daemon has, in percent."""
    numbers = [of(each) for each in figures.each]
    total = sum(numbers) or 1
    return " / ".join(f"{100 * number / total:.0f} %" for number in numbers)
