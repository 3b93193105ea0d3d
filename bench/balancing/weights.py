"""``python -m bench.balancing.weights``: whether hosts get what their weights say.

The real daemon, one upstream process per weight. What upstreams have counted is compared with the
weights; no share may be off by more than `TOLERANCE`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.balancing.calls import Load
from bench.balancing.service import Service
from bench.process import Nursery

#: A share may be off by that much: one point of a hundred.
TOLERANCE = 0.01


def offBy(weights: Mapping[str, int], counts: Mapping[str, int]) -> dict[str, float]:
    """Return how far the share of each host is from that of its weight."""
    total, weight = sum(counts.values()), sum(weights.values())
    return {name: counts.get(name, 0) / total - weights[name] / weight for name in weights}


def table(weights: Mapping[str, int], counts: Mapping[str, int]) -> str:
    """Return one line for each host."""
    line = "{:<8}{:>8}{:>12}{:>10}{:>14}\n"
    text = line.format("host", "weight", "requests", "share %", "off by points")
    total = sum(counts.values())
    for name, off in offBy(weights, counts).items():
        share = f"{100 * counts[name] / total:.3f}"
        text += line.format(name, weights[name], counts[name], share, f"{100 * off:+.3f}")
    return text


def main(arguments: Sequence[str]) -> int:
    """Send requests and print who got them.

    :return: 0 when all shares are as they should be and nothing failed, 1 otherwise.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.balancing.weights", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--weights", default="90,10", help="one per host, 1 to 128")
    options = parser.parse_args(arguments)
    weights = {f"host-{n}": int(one) for n, one in enumerate(options.weights.split(","), 1)}
    with tempfile.TemporaryDirectory(prefix="mosntx-bench-") as name, Nursery(Path(name)) as own:
        balancer = {"lb_type": "LB_WEIGHTED_ROUNDROBIN"}
        service = Service(own, Path(name), weights, cluster=balancer, route={})
        service.start()
        load = Load(service.port, options.connections)
        asyncio.run(load.run(options.requests))
        counts = service.counts()
    statuses = Counter(answer.status for answer in load.answers)
    seconds = max(answer.at + answer.seconds for answer in load.answers)
    print(f"{options.requests} requests, {options.connections} connections, {seconds:.1f} s")
    print(f"statuses {dict(statuses)}")
    print(table(weights, counts), end="")
    worst = max(map(abs, offBy(weights, counts).values()))
    good = worst <= TOLERANCE and set(statuses) == {200}
    print("good" if good else f"NOT GOOD: every status 200, shares within {TOLERANCE:.0%}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
