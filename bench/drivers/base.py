"""What every load generator reports."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

#: Octets of a report shown when it cannot be read.
EXCERPT = 400


class ReportError(Exception):
    """A load generator's report lacks what it always has."""

    def __init__(self, driver: str, text: str) -> None:
        super().__init__(f"{driver}: cannot read its report: {text[-EXCERPT:]!r}")


@attrs.frozen
class Load:
    """One run of a load generator.

    :param requests: requests answered.
    :param rate: requests per second.
    :param p50: median latency in seconds.
    :param p99: 99th percentile of latency in seconds.
    :param errors: kind to number, only those that happened; empty for a clean run.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    errors: Mapping[str, int]


def seconds(text: str) -> float:
    """Read a duration with a unit as load generators print it: ``12.3us``, ``1.50ms``, ``2s``.

    :raises ValueError: for anything else.
    """
    for unit, factor in (("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise ValueError(f"not a duration: {text!r}")


def percentile(ordered: list[int], share: float) -> int:
    """Return the nearest-rank percentile of values in ascending order.

    :param share: from 0 to 1.
    :raises ValueError: when there is no value.
    """
    if not ordered:
        raise ValueError("no values")
    rank = -(-len(ordered) * share // 1)
    return ordered[max(0, min(len(ordered), int(rank)) - 1)]
