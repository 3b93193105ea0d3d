"""Counts things in a process of its own: ``python -m bench.memory.objects``; writes JSON.

It is started by `bench.memory.cli`, with the variable that `bench.memory.allocated` needs.
"""

from __future__ import annotations

import json
import sys

from bench.memory.allocated import isCounted, perThing
from bench.memory.things import CLIENTS, REQUESTS, THINGS, requests


def count() -> dict[str, float]:
    """Return name to octets of one more thing."""
    _, octets = requests(CLIENTS)
    found = {REQUESTS: octets / CLIENTS}
    for name, (grow, few, many) in THINGS.items():
        found[name] = perThing(grow, few, many)
    return found


def main() -> int:
    """Write the figures; return 2 when they would mean nothing."""
    if not isCounted():
        sys.stderr.write("run python -m bench.memory: Python's own objects are not counted here\n")
        return 2
    json.dump(count(), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
