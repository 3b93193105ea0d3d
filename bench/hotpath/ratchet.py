"""The record of what requests cost: it may fall, never rise.

``python -m bench.hotpath --update`` writes ``ratchet.json``; a test reads it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import asdict

from bench.hotpath.counting import Counts

RECORD = Path(__file__).parent / "ratchet.json"
#: Blocks by which a figure may be above its record: where the allocator's free lists stand depends
#: a little on what ran before. Calls have none.
BLOCK_SLACK = 0.5
_BLOCKS = frozenset(["blocks", "held"])
#: Another minor version of Python calls other functions inside: there the record is only a guide.
OTHER_PYTHON_FACTOR = 1.2


def python() -> str:
    """Return the minor version of this Python."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def load(path: Path = RECORD) -> dict[str, Any]:
    """Return the record, or an empty one."""
    record: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return record


def save(counts: Mapping[str, Counts], path: Path = RECORD) -> None:
    """Make these counts the record; scenes that were not run keep theirs.

    Versions of Python do not mix: counts of another one are dropped.
    """
    before = load(path)
    scenes = dict(before["scenes"]) if before.get("python") == python() else {}
    scenes.update((name, asdict(each)) for name, each in counts.items())
    record = {"python": python(), "scenes": dict(sorted(scenes.items()))}
    path.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def rises(record: Mapping[str, Any], name: str, counts: Counts) -> list[str]:
    """Return a sentence for each figure of a scene that has risen; none when all is well.

    :param record: see `load`.
    """
    factor = 1.0 if record.get("python", python()) == python() else OTHER_PYTHON_FACTOR
    recorded = record.get("scenes", {}).get(name)
    if recorded is None:
        return [f"{name}: there is no record"]
    return [
        f"{name}: {value} {figure} per request, more than the recorded {recorded[figure]}"
        for figure, value in asdict(counts).items()
        if value > recorded[figure] * factor + (BLOCK_SLACK if figure in _BLOCKS else 0.0)
    ]
