"""Go's durations as text, in seconds (Go time.ParseDuration and Duration.String)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,  # micro sign
    "μs": 1_000,  # Greek mu
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)([^0-9.]*)")
LONGEST: Final = 2**63 - 1
"""Nanoseconds of the longest duration (292 years), Go's 64-bit limit."""
NANOSECOND: Final = 1e-9
MAX_LENGTH: Final = 200
"""Characters of a duration; no real one is near it, and a million digits take long to convert."""


def parseDuration(text: str) -> float:
    """Seconds of a Go duration such as ``1m30s``, ``-1.5h``, ``300ms`` or ``0``.

    :raises ValueError: saying what is wrong: no unit, an unknown unit, no number, too long.
    """
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    sign = -1 if text.startswith("-") else 1
    if unsigned == "0":
        return 0.0
    if not unsigned or len(text) > MAX_LENGTH:
        raise ValueError("no duration" if not unsigned else "too long for a duration")
    total = Decimal(0)
    at = 0
    while at < len(unsigned):
        part = _PART.match(unsigned, at)
        if part is None:
            raise ValueError("not a number with a unit")
        number, unit = part.groups()
        if unit not in _UNITS:
            raise ValueError(f"unknown unit '{unit}'" if unit else "the unit is missing")
        total += Decimal(number) * _UNITS[unit]
        at = part.end()
    nanoseconds = int(total)
    if nanoseconds > LONGEST:
        raise ValueError("longer than 292 years")
    return sign * nanoseconds / 1e9


def formatDuration(seconds: float) -> str:
    """The text Go prints for a duration: ``15s``, ``1m30s``, ``1.5s``, ``300ms``, ``0s``."""
    nanoseconds = round(seconds * 1e9)
    sign = "-" if nanoseconds < 0 else ""
    left = abs(nanoseconds)
    if left == 0:
        return "0s"
    for unit, size in (("ns", 1), ("µs", 1_000), ("ms", 1_000_000)):
        if left < size * 1000:
            return f"{sign}{_fraction(left, size)}{unit}"
    hours, left = divmod(left, _UNITS["h"])
    minutes, left = divmod(left, _UNITS["m"])
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{sign}{text}{_fraction(left, _UNITS['s'])}s"


def _fraction(value: int, size: int) -> str:
    """``value / size`` in decimal, without zeros at the end."""
    whole, rest = divmod(value, size)
    digits = str(rest).rjust(len(str(size)) - 1, "0").rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
