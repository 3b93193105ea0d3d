"""Our own Bolt load generator: any number of connections with any number of calls in flight."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.drivers.base import Load, ReportError

PROGRAM = "bolt_load"
#: Runs a function of a module of ours; processes of a run do not start in the clone.
_RUN = "import sys; sys.path[:0] = [{root!r}]; from {module} import {name}; {name}(sys.argv[1:])"


def programOf(module: str, name: str = "main") -> list[str]:
    """Return the beginning of a command line that runs the function `name` of a module."""
    root = str(Path(__file__).parents[2])
    return [sys.executable, "-c", _RUN.format(root=root, module=module, name=name)]


def command(port: int, connections: int, streams: int, duration: int, body: Path) -> list[str]:
    """Return the command line.

    :param streams: requests in flight on each connection.
    :param duration: whole seconds.
    :param body: a file with the content of each request, and of each answer.
    """
    words = map(str, (port, connections, streams, duration, body))
    return [*programOf("bench.drivers.bolt_load"), *words]


def parse(text: str) -> Load:
    """Read a report.

    :raises ReportError: when a figure is missing.
    """
    try:
        report = json.loads(text)
        return Load(
            requests=int(report["requests"]),
            rate=report["requests"] / report["seconds"],
            p50=report["p50_us"] * 1e-6,
            p99=report["p99_us"] * 1e-6,
            errors={str(kind): int(number) for kind, number in report["errors"].items()},
        )
    except (ValueError, LookupError, TypeError, ZeroDivisionError, AttributeError):
        raise ReportError(PROGRAM, text) from None
