"""``python -m bench.curves``: measures all points, draws all pictures, writes their tables."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import attrs

from bench.check import AnswerError
from bench.cli import machine
from bench.curves.points import Point
from bench.curves.processes import LOADS, NUMBERS, processesTable
from bench.curves.sweeps import CONNECTIONS, SWEEPS, Sweep
from bench.curves.window import Figures, Measuring, medianOf
from bench.drawing import Curves
from bench.process import Nursery, Ports, ProcessError, raiseFileLimit
from bench.report import NOTHING
from bench.tables import table

#: Where the pages that show the pictures are.
FOLDER = Path(__file__).parents[2] / "docs" / "performance"
#: The name of the part that is no curve.
PROCESSES = "processes"
#: Descriptors of a daemon: one for each client and host's connection, and some.
FILES = 2 * max(CONNECTIONS) + 1000
OK, FLAWED = 0, 1

Measure = Callable[[Point], Figures]


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    known = [*(sweep.name for sweep in SWEEPS), PROCESSES]
    parser = argparse.ArgumentParser(
        prog="python -m bench.curves", description="How the cost of a request grows."
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"some of {', '.join(known)}; default: all"
    )
    parser.add_argument("--window", type=float, default=1.5, help="seconds of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="of each point; the median counts")
    parser.add_argument("--proxy-core", type=int, default=1, dest="proxyCore")
    parser.add_argument("--load-core", type=int, default=0, dest="loadCore")
    parser.add_argument("--to", type=Path, default=FOLDER, metavar="FOLDER", dest="folder")
    options = parser.parse_args(arguments)
    for name in options.parts:
        if name not in known:
            parser.error(f"there is no part {name!r}; there is {', '.join(known)}")
    options.parts = options.parts or known
    return options


def say(line: str) -> None:
    """Tell about progress, on standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


@attrs.define
class Results:
    """What has been measured so far; a point that several curves have is measured once.

    :ivar problems: what went wrong.
    """

    measure: Measure
    rounds: int
    known: dict[Point, Figures | None] = attrs.field(factory=dict)
    problems: list[str] = attrs.field(factory=list)

    def of(self, point: Point) -> Figures | None:
        """Return the figures of a point, ``None`` when it could not be measured."""
        if point not in self.known:
            self.known[point] = self._fresh(point)
        return self.known[point]

    def _fresh(self, point: Point) -> Figures | None:
        try:
            figures = medianOf([self.measure(point) for _ in range(self.rounds)])
        except (ProcessError, AnswerError) as error:
            self.problems.append(f"{point}: {error}")
            say(f"  failed: {error}")
            return None
        say(f"  {figures.cost * 1e6:8.1f} us {figures.rate:8.0f}/s  {point}")
        return figures


def valuesOf(sweep: Sweep, results: Results) -> dict[str, list[float | None]]:
    """Measure a sweep; return the values of each series."""
    say(sweep.name)
    values: dict[str, list[float | None]] = {name: [] for name in sweep.series}
    for name, points in sweep.series.items():
        for point in points:
            figures = results.of(point)
            values[name].append(None if figures is None else sweep.value(point, figures))
    return values


def paint(sweep: Sweep, values: Mapping[str, Sequence[float | None]]) -> tuple[str, str]:
    """Return the picture, and the table that says the same in numbers.

    A curve with a point that could not be measured is only in the table.
    """
    whole = {
        name: [value for value in series if value is not None]
        for name, series in values.items()
        if None not in series
    }
    picture = ""
    if whole:
        drawing = Curves(sweep.title, sweep.across, 1.0, whole, labels=sweep.labels)
        picture = drawing.svg()
    rows = {
        name: [NOTHING if value is None else f"{value:,.{sweep.digits}f}" for value in series]
        for name, series in values.items()
    }
    return picture, table(rows, [sweep.title, *sweep.labels])


def write(folder: Path, name: str, picture: str, text: str) -> None:
    """Write ``curve-NAME.svg`` and ``_curve-NAME.rst``."""
    folder.mkdir(parents=True, exist_ok=True)
    if picture:
        (folder / f"curve-{name}.svg").write_text(picture, "utf-8")
    (folder / f"_curve-{name}.rst").write_text(text, "utf-8")


def measureProcesses(results: Results) -> str:
    """Return the table of one process against two."""
    say(PROCESSES)
    measured = {}
    for name, load in LOADS.items():
        found = [results.of(attrs.evolve(load, processes=number)) for number in NUMBERS]
        for number, figures in zip(NUMBERS, found, strict=True):
            if None not in found and figures is not None:
                measured[name, number] = figures
    return processesTable(measured)


def run(options: argparse.Namespace, folder: Path) -> list[str]:
    """Measure and write everything; return what went wrong.

    :param folder: an empty directory for everything the run writes besides.
    :raises ProcessError: when an upstream does not start.
    """
    ports = Ports(os.getpid() * 7)
    with Nursery(folder) as nursery:
        (folder / "pinned").mkdir()
        (folder / "free").mkdir()
        common = partial(Measuring, nursery, ports, window=options.window, clock=time.perf_counter)
        cores = [options.proxyCore, options.loadCore]
        pinned = common(folder / "pinned", cores=cores, loadCore=options.loadCore)
        results = Results(pinned.measure, options.rounds)
        for sweep in SWEEPS:
            if sweep.name in options.parts:
                values = valuesOf(sweep, results)
                write(options.folder, sweep.name, *paint(sweep, values))
        # Two daemons have both cores: the load is where there is room.
        free = common(folder / "free", cores=cores, loadCore=None)
        shared = Results(free.measure, options.rounds)
        if PROCESSES in options.parts:
            write(options.folder, PROCESSES, "", measureProcesses(shared))
    return results.problems + shared.problems


def main(arguments: Sequence[str]) -> int:
    """Run; return 1 when a point could not be measured."""
    options = parse(arguments)
    limit = raiseFileLimit(FILES)
    if limit < FILES:
        say(f"warning: only {limit} open files are allowed, {FILES} may be needed (ulimit -n)")
    about = machine()
    say(f"{about['cpu']}, {about['cores']} cores, {about['python']}")
    try:
        with tempfile.TemporaryDirectory(prefix="mosntx-curves-") as folder:
            problems = run(options, Path(folder))
    except ProcessError as error:
        problems = [str(error)]
    for problem in problems:
        say(problem)
    return FLAWED if problems else OK
