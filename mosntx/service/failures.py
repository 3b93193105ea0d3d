"""Failures for people: what the flight recorder keeps, with the lines of the configuration.

Read by the admin API and by ``mosntx failures``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from mosntx.config.load import Loaded
from mosntx.config.schema.server import FlightRecorder as RecorderConfig
from mosntx.proxy.reasons import REASONS
from mosntx.proxy.recorder import FailureEntry, FlightRecorder, Try
from mosntx.stats.computed import ComputedStats

#: Seconds that ``mosntx failures`` waits for the admin API.
ASK_SECONDS: Final = 5.0


class NoAnswerError(Exception):
    """The admin API could not be asked; the text says why and what to do."""


def buildRecorder(
    config: RecorderConfig, wallSeconds: Callable[[], float]
) -> FlightRecorder | None:
    """Return the recorder that is configured, ``None`` when it is switched off."""
    if not config.max_entries:
        return None
    return FlightRecorder(wallSeconds, config.max_entries, config.max_octets)


def failureStats(recorder: FlightRecorder) -> ComputedStats:
    """Failures since the start by reason, as statistics."""

    def read() -> Iterable[tuple[str, str, float]]:
        for code, count in sorted(recorder.counts.items()):
            yield code, "counter", count

    return ComputedStats("failure", (("proxy", "global"),), read)


def failureReport(recorder: FlightRecorder | None, loaded: Loaded) -> Mapping[str, Any]:
    """Return ``{"counts": {code: n}, "failures": […]}``, the last failure first."""
    if recorder is None:
        return {"counts": {}, "failures": []}
    return {
        "counts": dict(sorted(recorder.counts.items())),
        "failures": [_entry(entry, loaded) for entry in recorder.entries()],
    }


def _entry(entry: FailureEntry, loaded: Loaded) -> dict[str, Any]:
    reason = REASONS[entry.reason]
    return {
        "number": entry.number,
        "time": datetime.fromtimestamp(entry.time, UTC).isoformat(timespec="milliseconds"),
        "reason": entry.reason,
        "meaning": reason.meaning,
        "advice": reason.advice,
        "status": entry.status,
        "flags": entry.flags,
        "listener": entry.listener,
        "client": entry.client,
        "protocol": entry.protocol,
        "method": entry.method,
        "target": entry.target,
        "route": place(entry.route, loaded),
        "cluster": entry.cluster,
        "cluster_config": place(entry.clusterPath, loaded),
        "limit": f"{reason.limit}: {entry.limit}" if entry.limit else reason.limit,
        "milliseconds": _milli(entry.seconds),
        "octets_received": entry.bytesReceived,
        "octets_sent": entry.bytesSent,
        "tries": [_try(one) for one in entry.tries],
    }


def _try(one: Try) -> dict[str, Any]:
    return {
        "host": one.host,
        "began_ms": _milli(one.began),
        "sent_ms": None if one.sent is None else _milli(one.sent),
        "ended_ms": _milli(one.ended),
        "outcome": one.outcome,
        "detail": one.detail,
    }


def place(path: str, loaded: Loaded) -> str:
    """Return ``file:line`` of a configuration path, or the path of what stands in no file."""
    if not path:
        return ""
    file, line, _ = loaded.position(path)
    return f"{file}:{line}" if line else path


def _milli(seconds: float) -> float:
    return round(seconds * 1000, 3)


# the command


def askFailures(address: str, limit: int, reason: str) -> Mapping[str, Any]:
    """Ask a running mosntx.

    :param address: ``host:port`` of its admin API.
    :raises NoAnswerError: when it does not answer.
    """
    url = f"http://{address}/api/v1/failures?limit={limit}"
    if reason:
        url += f"&reason={reason}"
    try:
        with urlopen(url, timeout=ASK_SECONDS) as answer:
            return json.loads(answer.read())  # type: ignore[no-any-return]
    except HTTPError as error:
        raise NoAnswerError(f"{address} answers {error.code}: {error.read()[:200]!r}") from None
    except (URLError, HTTPException, OSError, ValueError) as error:
        why = getattr(error, "reason", error)
        raise NoAnswerError(
            f"the admin API on {address} cannot be asked: {why}; is mosntx running, "
            "and is this the address of `admin` in its configuration?"
        ) from None


def failureLines(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the report as text, the last failure at the end, where one looks first."""
    for entry in reversed(report["failures"]):
        yield (
            f"#{entry['number']}  {entry['time']}  {entry['reason']}  status {entry['status']}  "
            f"{entry['method']} {entry['target']}"
        )
        yield f"    {entry['meaning']}"
        yield (
            f"    {entry['protocol']} from {entry['client']} on {entry['listener']}, "
            f"after {entry['milliseconds']:g} ms"
        )
        for one in entry["tries"]:
            sent = "not sent" if one["sent_ms"] is None else f"sent at {one['sent_ms']:g} ms"
            detail = f": {one['detail']}" if one["detail"] else ""
            yield (
                f"    at {one['began_ms']:g} ms {one['host']}, {sent}, "
                f"at {one['ended_ms']:g} ms {one['outcome']}{detail}"
            )
        for label, key in (("route", "route"), ("limit", "limit")):
            if entry[key]:
                yield f"    {label}: {entry[key]}"
        if entry["cluster"]:
            yield f"    cluster: {entry['cluster']} ({entry['cluster_config']})"
        yield f"    next: {entry['advice']}"
        yield ""
    counts = ", ".join(f"{code} {count}" for code, count in report["counts"].items())
    yield f"since the start: {counts or 'no failures'}"
