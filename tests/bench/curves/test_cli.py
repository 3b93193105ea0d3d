"""Tests of the command."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.cli import PROCESSES, Results, measureProcesses, paint, parse, valuesOf, write
from bench.curves.daemon import Counts
from bench.curves.points import Point
from bench.curves.sweeps import SWEEPS, Sweep, microseconds
from bench.curves.window import Figures
from bench.process import ProcessError

SWEEP = Sweep(
    "hosts",
    "CPU µs per request",
    "hosts",
    ["1", "10"],
    {"a": [Point(hosts=1), Point(hosts=10)], "b": [Point(hosts=1), Point(hosts=5)]},
    microseconds,
)


class CommandTests(SynchronousTestCase):
    """``python -m bench.curves``."""

    def results(self, measure: Callable[[Point], Figures], rounds: int = 1) -> Results:
        """Return results that say nothing on the terminal."""
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)
        return Results(measure, rounds)

    def figures(self, point: Point) -> Figures:
        """Return as many microseconds as there are hosts; five hosts cannot be measured."""
        if point.hosts == 5:
            raise ProcessError("it does not start")
        each = [Counts(1000, 1000, 64, 1e-3 * point.hosts)] * point.processes
        return Figures(1.0, each)

    def test_parts(self) -> None:
        """All parts without a word, else those named; an unknown one is refused with all names."""
        every = [*(sweep.name for sweep in SWEEPS), PROCESSES]
        self.assertEqual(parse([]).parts, every)
        self.assertEqual(parse(["hosts", "body"]).parts, ["hosts", "body"])
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertRaises(SystemExit, parse, ["cats"])
        self.assertIn(", ".join(every), err.getvalue())

    def test_once(self) -> None:
        """A point is measured once, however many curves have it, and its median counts."""
        asked: list[Point] = []

        def measure(point: Point) -> Figures:
            asked.append(point)
            return Figures(1.0, [Counts(1000, 1000, 1, (0.3, 0.1, 0.2)[len(asked) % 3])])

        results = self.results(measure, rounds=3)
        first, second = results.of(Point()), results.of(Point())
        self.assertIs(first, second)
        self.assertEqual(len(asked), 3)
        assert first is not None
        self.assertAlmostEqual(first.cost, 200e-6)

    def test_missing(self) -> None:
        """A point that fails is a gap in the table, its curve is not drawn, and it is reported."""
        results = self.results(self.figures)
        values = valuesOf(SWEEP, results)
        self.assertEqual(values["b"][1], None)
        picture, text = paint(SWEEP, values)
        self.assertIn(">a</text>", picture)
        self.assertNotIn(">b</text>", picture)
        self.assertEqual(text.splitlines()[3].split(), ["a", "1.0", "10.0"])
        self.assertEqual(text.splitlines()[4].split(), ["b", "1.0", "-"])
        self.assertEqual(len(results.problems), 1)
        self.assertIn("it does not start", results.problems[0])

    def test_files(self) -> None:
        """Picture and table stand beside each other; what has no picture has a table only."""
        folder = Path(self.mktemp())
        write(folder, "hosts", "<svg/>", "table\n")
        write(folder, "processes", "", "table\n")
        self.assertEqual(
            sorted(each.name for each in folder.iterdir()),
            ["_curve-hosts.rst", "_curve-processes.rst", "curve-hosts.svg"],
        )

    def test_processes(self) -> None:
        """Each load is measured with one daemon and with two."""
        text = measureProcesses(self.results(self.figures))
        self.assertIn("Bolt, 64 connections: 1 ", text)
        self.assertIn("Bolt, 64 connections: 2 ", text)
