"""Our own HTTP/1.1 load generator at a constant rate; wrk and h2load wait for answers."""

from __future__ import annotations

import json
from pathlib import Path

import attrs

from bench.drivers.base import ReportError
from bench.drivers.bolt import programOf

PROGRAM = "rate_load"


@attrs.frozen
class RateReport:
    """One run at a constant rate; durations in seconds.

    :param requests: requests answered.
    :param rate: answers per second.
    :param p50: median latency, counted from the time a request was due; likewise the others.
    :param most: the longest latency.
    :param lateness: 99th percentile of what the load generator itself was late.
    :param errors: kind to number, only those that happened.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    p999: float
    most: float
    lateness: float
    errors: dict[str, int]


def command(port: int, connections: int, rate: float, duration: int, body: Path) -> list[str]:
    """Return the command line.

    :param rate: requests per second, over all connections.
    :param duration: whole seconds.
    :param body: a file with the body of each answer.
    """
    words = map(str, (port, connections, f"{rate:.1f}", duration, body))
    return [*programOf("bench.drivers.rate_load"), *words]


def parse(text: str) -> RateReport:
    """Read a report.

    :raises ReportError: when a figure is missing.
    """
    try:
        found = json.loads(text)
        p50, p99, p999, most = (
            found[f"latency_{share}"] * 1e-9 for share in ("0.5", "0.99", "0.999", "1.0")
        )
        return RateReport(
            requests=int(found["requests"]),
            rate=found["requests"] / found["seconds"],
            p50=p50,
            p99=p99,
            p999=p999,
            most=most,
            lateness=found["lateness_0.99"] * 1e-9,
            errors={str(kind): int(number) for kind, number in found["errors"].items()},
        )
    except (ValueError, LookupError, TypeError, ZeroDivisionError, AttributeError):
        raise ReportError(PROGRAM, text) from None
