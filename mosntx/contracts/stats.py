"""Counters and where they go (capabilities N3, X5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from zope.interface import Attribute, Interface

#: One published value: ``(type, labels, key, kind, value)`` with kind ``"counter"`` or ``"gauge"``;
#: labels sorted by name.
Sample = tuple[str, tuple[tuple[str, str], ...], str, str, float]


class IStatsScope(Interface):
    """A slots struct of plain integers, incremented by its one owner, published once."""

    type = Attribute("``str``: MOSN's metrics type, for example ``downstream``")
    labels = Attribute("``tuple[tuple[str, str], ...]``, sorted by name")

    def samples() -> Iterable[Sample]:
        """The values as of now."""


class IStatsSink(Interface):
    """Takes samples out of the process."""

    name = Attribute("``str``: ``type`` in ``metrics.sinks``")

    def flush(samples: Iterable[Sample]) -> Any:
        """Publish. Returns ``None`` or a Deferred."""
