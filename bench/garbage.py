"""``python -m bench.garbage``: how long the garbage collector keeps a sidecar from its work.

Each setting gets a process of its own with many hosts; many clients connect to it, make a request
each and go. Pauses are taken in CPU time of the process, so that other programs matter less.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import thread_time_ns
from typing import Any

import attrs

from bench.drivers.bolt import programOf
from bench.drivers.idle import IdleConnections
from bench.peers.mosntx import config
from bench.place import HTTP1, Place
from bench.process import Nursery, Ports, raiseFileLimit
from bench.upstream import makeBody, startUpstream
from mosntx.service.garbage import THRESHOLDS

PYTHON = (700, 10, 10)
#: Whether what the start has made is frozen, and thresholds: Python's own first, ours last.
SETTINGS = (
    (False, PYTHON),
    (True, PYTHON),
    (True, (10_000, 10, 10)),
    (True, (10_000, 1, 50)),
    (True, (50_000, 1, 50)),
    (True, THRESHOLDS),
)
#: Descriptors of a process besides those of clients.
SPARE_FILES = 1024


@attrs.frozen
class Pauses:
    """What the collector did.

    :param number: of collections.
    :param total: milliseconds of all.
    :param longest: milliseconds.
    :param full: collections that looked at everything that was not frozen.
    """

    number: int
    total: float
    longest: float
    full: int


def summed(pauses: Sequence[tuple[int, int]]) -> Pauses:
    """Return figures.

    :param pauses: generation and nanoseconds of each.
    """
    times = [nanoseconds * 1e-6 for _, nanoseconds in pauses]
    full = sum(generation == 2 for generation, _ in pauses)
    return Pauses(len(times), sum(times), max(times, default=0.0), full)


def manyHosts(place: Place, hosts: int) -> dict[str, Any]:
    """Return a configuration with a second cluster that has many hosts."""
    document = config(place)
    many = [{"address": f"10.0.{number >> 8}.{number & 255}:80"} for number in range(hosts)]
    cluster = {"name": "many", "type": "SIMPLE", "lb_type": "LB_ROUNDROBIN", "hosts": many}
    document["cluster_manager"]["clusters"].append(cluster)
    return document


def serve(document: dict[str, Any], frozen: bool, thresholds: tuple[int, int, int]) -> Pauses:
    """Run a sidecar until SIGTERM; return what the collector did after the start."""
    from mosntx.service.process import chooseReactor
    from mosntx.service.sidecar import Sidecar, installedReactor

    chooseReactor()
    reactor = installedReactor()
    sidecar = Sidecar.fromConfig(document, reactor=reactor)
    sidecar.startService()
    pauses: list[tuple[int, int]] = []
    began = 0

    def collecting(phase: str, facts: dict[str, int]) -> None:
        nonlocal began
        if phase == "start":
            began = thread_time_ns()
        else:
            pauses.append((facts["generation"], thread_time_ns() - began))

    def settle() -> None:
        gc.collect()
        if frozen:
            gc.freeze()
        gc.set_threshold(*thresholds)
        gc.callbacks.append(collecting)

    reactor.callWhenRunning(settle)
    reactor.run()
    gc.callbacks.remove(collecting)
    return summed(pauses)


def child(arguments: Sequence[str]) -> None:
    """Be one of the processes: port, upstream's port, hosts, frozen, thresholds."""
    port, upstream, hosts, frozen, *thresholds = map(int, arguments)
    document = manyHosts(Place(port, upstream, Path()), hosts)
    first, second, third = thresholds
    print(json.dumps(attrs.asdict(serve(document, bool(frozen), (first, second, third)))))


def measure(
    nursery: Nursery, folder: Path, ports: Ports, body: bytes, words: Sequence[int], clients: int
) -> Pauses:
    """Run one process with its crowd; return what the collector did.

    :param folder: an empty one.
    :param words: upstream's port, hosts, frozen, thresholds.
    :raises ProcessError: when the process fails.
    :raises ValueError: when clients have not got their answers.
    """
    port = ports.take()
    command = [*programOf("bench.garbage", "child"), *map(str, (port, *words))]
    process = nursery.start("sidecar", command, folder)
    process.waitForPort(port)
    with IdleConnections(port, body) as crowd:
        crowd.open(clients)
        if crowd.errors:
            raise ValueError(f"clients without an answer: {crowd.errors}")
    nursery.end(process)
    return Pauses(**json.loads(process.log.read_text().splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.garbage", description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--clients", type=int, default=10_000)
    options = parser.parse_args(arguments)
    raiseFileLimit(2 * options.clients + SPARE_FILES)
    body, ports = makeBody(1024), Ports(os.getpid() * 7)
    print(f"{options.hosts} hosts, {options.clients} clients; pauses in ms of CPU")
    print(f"{'settings':30}{'pauses':>8}{'all':>8}{'longest':>9}{'of all':>8}")
    with (
        tempfile.TemporaryDirectory(prefix="mosntx-bench-") as path,
        Nursery(Path(path)) as nursery,
    ):
        folder = Path(path)
        upstream = startUpstream(nursery, "auto", body, folder, None, ports).ports[HTTP1]
        for number, (frozen, thresholds) in enumerate(SETTINGS):
            own = folder / str(number)
            own.mkdir()
            words = (upstream, options.hosts, int(frozen), *thresholds)
            found = measure(nursery, own, ports, body, words, options.clients)
            title = ("frozen, " if frozen else "") + "/".join(map(str, thresholds))
            figures = f"{found.number:8}{found.total:8.1f}{found.longest:9.1f}{found.full:8}"
            print(f"{title:30}{figures}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
