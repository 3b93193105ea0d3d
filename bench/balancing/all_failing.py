"""``python -m bench.balancing.all_failing``: what repetitions add when every upstream answers 503.

The real daemon with ``retry_on``. Upstreams count what reaches them; that may be `MOST` times what
clients send, or repetitions would help to break down what is overloaded already.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from bench.balancing.calls import Load
from bench.balancing.service import Service
from bench.process import Nursery

#: Upstreams may get that many requests for one of a client.
MOST = 1.2
RETRY = {"retry_on": True, "num_retries": 3}


def isGood(statuses: Collection[int], arrived: int) -> bool:
    """Return whether clients got the upstreams' answers, and upstreams not much more than theirs.

    :param statuses: of the answers to clients.
    :param arrived: requests that upstreams have counted.
    """
    return arrived <= MOST * len(statuses) and set(statuses) == {503}


def main(arguments: Sequence[str]) -> int:
    """Send requests and print how many reach the upstreams.

    :return: 0 when it is as it should be, 1 otherwise.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench.balancing.all_failing", description=__doc__
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1000.0, help="per second; 0: flat out")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--detection", action="store_true", help="with outlier_detection")
    options = parser.parse_args(arguments)
    cluster: dict[str, Any] = {"outlier_detection": {}} if options.detection else {}
    weights = {f"host-{n}": 1 for n in range(1, options.hosts + 1)}
    with tempfile.TemporaryDirectory(prefix="mosntx-bench-") as name, Nursery(Path(name)) as own:
        route = {"retry_policy": RETRY}
        service = Service(own, Path(name), weights, cluster=cluster, route=route, status=503)
        service.start()
        load = Load(service.port, options.connections, options.rate or None)
        asyncio.run(load.run(options.requests))
        counts = service.counts()
    statuses = [answer.status for answer in load.answers]
    offered, arrived = len(statuses), sum(counts.values())
    pace = f"{options.rate:.0f}/s" if options.rate else "flat out"
    print(f"{offered} requests, {options.connections} connections, {pace}")
    print(f"statuses {dict(Counter(statuses))}; upstreams got {arrived}: {counts}")
    print(f"upstream load / offered load = {arrived / offered:.3f} (goal: at most {MOST})")
    return 0 if isGood(statuses, arrived) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
