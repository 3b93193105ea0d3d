"""h2load: HTTP/2 without TLS, or HTTP/1.1, several requests in flight on each connection."""

from __future__ import annotations

import re

from bench.drivers.base import Load, ReportError, percentile

PROGRAM = "h2load"
INSTALL = "apt-get install nghttp2-client"

_FINISHED = re.compile(r"^finished in [\d.]+\w+, ([\d.]+) req/s", re.MULTILINE)
_REQUESTS = re.compile(
    r"^requests: \d+ total, \d+ started, (\d+) done, \d+ succeeded, "
    r"(\d+) failed, (\d+) errored, (\d+) timeout",
    re.MULTILINE,
)
_STATUS = re.compile(
    r"^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx",
    re.MULTILINE,
)


def command(
    program: str, url: str, connections: int, streams: int, duration: int, http1: bool, log: str
) -> list[str]:
    """Return the command line: one thread, each request's latency in the file `log`.

    :param streams: requests in flight on each connection; HTTP/1.1 pipelines them.
    :param duration: whole seconds.
    """
    words = [
        program,
        "--threads=1",
        f"--clients={connections}",
        f"--max-concurrent-streams={streams}",
        f"--duration={duration}",
        f"--log-file={log}",
    ]
    return [*words, *(["--h1"] if http1 else []), url]


def parseLog(text: str) -> list[int]:
    """Return the latencies of answered requests in microseconds, in ascending order.

    A line is start time, status (-1 when the request failed), duration; tabs between.

    :raises ValueError: when a line has another form.
    """
    latencies: list[int] = []
    for line in text.splitlines():
        _, status, duration = line.split("\t")
        if status != "-1":
            latencies.append(int(duration))
    latencies.sort()
    return latencies


def parse(text: str, log: str) -> Load:
    """Read a report and the log of the same run.

    :raises ReportError: when a figure is missing.
    """
    finished, requests, status = (
        pattern.search(text) for pattern in (_FINISHED, _REQUESTS, _STATUS)
    )
    if finished is None or requests is None or status is None:
        raise ReportError(PROGRAM, text)
    try:
        latencies = parseLog(log)
        p50, p99 = (percentile(latencies, share) * 1e-6 for share in (0.5, 0.99))
    except ValueError:
        raise ReportError(f"{PROGRAM} --log-file", log) from None
    done, *broken = map(int, requests.groups())
    errors = dict(zip(("failed", "errored", "timeout"), broken, strict=True))
    # h2load counts 4xx and 5xx as failed as well; 3xx it takes for success.
    errors["status"] = sum(map(int, status.groups()))
    return Load(
        requests=done,
        rate=float(finished.group(1)),
        p50=p50,
        p99=p99,
        errors={kind: number for kind, number in errors.items() if number},
    )
