"""Frames that other implementations sent, and broken ones; `source` in the files says who."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data"


def load(*names: str) -> list[dict[str, Any]]:
    """Return the vectors of files in ``tests/data``, with ``octets`` in place of ``hex``."""
    vectors = []
    for name in names:
        for vector in json.loads((DATA / f"{name}.json").read_text("utf-8")):
            vector["octets"] = bytes.fromhex(vector.pop("hex"))
            vectors.append(vector)
    return vectors
