"""wrk: HTTP/1.1, as many requests as the connections can carry one after another."""

from __future__ import annotations

import re

from bench.drivers.base import Load, ReportError, seconds

PROGRAM = "wrk"
INSTALL = "apt-get install wrk"
#: Seconds after which wrk counts a request as an error.
REQUEST_TIMEOUT = 10

_REQUESTS = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s*([\d.]+)", re.MULTILINE)
_PERCENTILE = re.compile(r"^\s*(50|99)%\s+([\d.]+[a-z]+)\s*$", re.MULTILINE)
_SOCKET = re.compile(
    r"^\s*Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", re.MULTILINE
)
_STATUS = re.compile(r"^\s*Non-2xx or 3xx responses: (\d+)", re.MULTILINE)


def command(program: str, url: str, connections: int, duration: int) -> list[str]:
    """Return the command line: one thread, a report with percentiles.

    :param duration: whole seconds.
    """
    return [
        program,
        "--threads=1",
        f"--connections={connections}",
        f"--duration={duration}s",
        f"--timeout={REQUEST_TIMEOUT}s",
        "--latency",
        url,
    ]


def parse(text: str) -> Load:
    """Read a report.

    :raises ReportError: when a figure is missing.
    """
    requests, rate = _REQUESTS.search(text), _RATE.search(text)
    latencies = {share: seconds(value) for share, value in _PERCENTILE.findall(text)}
    if requests is None or rate is None or len(latencies) != 2:
        raise ReportError(PROGRAM, text)
    errors: dict[str, int] = {}
    broken = _SOCKET.search(text)
    if broken is not None:
        for kind, number in zip(
            ("connect", "read", "write", "timeout"), broken.groups(), strict=True
        ):
            errors[kind] = int(number)
    status = _STATUS.search(text)
    if status is not None:
        errors["status"] = int(status.group(1))
    return Load(
        requests=int(requests.group(1)),
        rate=float(rate.group(1)),
        p50=latencies["50"],
        p99=latencies["99"],
        errors={kind: number for kind, number in errors.items() if number},
    )
