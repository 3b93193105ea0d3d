"""Rotation of log files as ``global_log_roller`` says it (MOSN pkg/log/roller.go)."""

from __future__ import annotations

from typing import Final

import attrs

MAX_HOURS: Final = 24
"""A file covers a day at most."""


@attrs.frozen(kw_only=True)
class LogRoller:
    """When a log file is put aside: by time unless `hours` is 0, then by size."""

    hours: int = 24
    """0 = by size."""
    size: int = 1000
    """MB."""
    age: int = 7
    """Days."""
    keep: int = 10
    """Files."""
    compress: bool = False


_KEYS: Final = {"time": "hours", "size": "size", "age": "age", "keep": "keep"}


def parseRoller(text: str) -> LogRoller:
    """Take ``time=24`` or ``size=100 age=10 keep=10 compress=on`` apart.

    :param text: words joined by blanks; "" is one file a day.
    :raises ValueError: for an unknown word, a word without ``=`` and what is no number.
    """
    numbers: dict[str, int] = {}
    compress = False
    words = text.split()
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"'{word}' has no '='")
        if name == "compress":
            if value not in ("on", "off"):
                raise ValueError("compress is 'on' or 'off'")
            compress = value == "on"
        elif name not in _KEYS:
            raise ValueError(f"unknown word '{name}'; known: time, size, age, keep, compress")
        elif not (value.isascii() and value.isdigit() and len(value) < 10):
            raise ValueError(f"{name} needs a number, not '{value}'")
        else:
            numbers[_KEYS[name]] = int(value)
    if not words:
        return LogRoller()
    numbers["hours"] = min(numbers.get("hours", 0), MAX_HOURS)
    return LogRoller(compress=compress, **numbers)
