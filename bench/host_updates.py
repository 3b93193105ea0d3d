"""``python -m bench.host_updates``: how long an update of many hosts keeps the event loop busy.

Everything happens in one process and without sockets. An update is what discovery does: all hosts
of a cluster at once. Jobs that balancers do between other events are measured by their longest
step. Times are processor time of this process, so that other programs matter less; the goal is that
nothing takes longer than `GOAL`.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from random import Random
from statistics import median
from time import monotonic, process_time
from typing import Any

import attrs

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.service.catalog import standardCatalog
from mosntx.testing.upstream import FakePool
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.hosts import AddressTable

#: Seconds that the loop may stand still.
GOAL = 0.05
#: Hosts that differ in the update where few do.
FEW = 10


def hostsAt(first: int, count: int) -> tuple[HostConfig, ...]:
    """Return hosts with addresses of their own from number ``first`` on."""
    return tuple(
        HostConfig(address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}:8080")
        for number in range(first, first + count)
    )


@attrs.frozen
class Row:
    """What was measured.

    :ivar update: seconds of an update.
    :ivar step: seconds of the longest step of the jobs that it left to be done.
    :ivar jobs: seconds of all of them.
    """

    balancer: str
    change: str
    update: float
    step: float
    jobs: float

    @property
    def longest(self) -> float:
        """The longest time that nothing else could happen."""
        return max(self.update, self.step)


def timed(action: Callable[[], Any]) -> float:
    """Return the seconds that it takes."""
    start = process_time()
    action()
    return process_time() - start


class Measured:
    """One cluster whose updates are measured."""

    def __init__(self, balancer: str) -> None:
        self.name = balancer
        self._jobs: list[Iterator[None]] = []
        self._cluster = Cluster(
            ClusterConfig(name="bench", lb_type=balancer),
            balancer=standardCatalog().balancers[balancer],
            poolFactory=FakePool,
            random=Random(1),
            seconds=monotonic,
            addresses=AddressTable(),
            work=self._jobs.append,
        )

    def update(self, change: str, hosts: Sequence[HostConfig]) -> Row:
        """Replace the hosts."""
        gc.collect()
        update = timed(lambda: self._cluster.update(hosts))
        steps = [0.0]
        while self._jobs:
            job = self._jobs.pop()
            start = process_time()
            for _ in job:
                now = process_time()
                steps.append(now - start)
                start = now
            steps.append(process_time() - start)
        return Row(self.name, change, update, max(steps), sum(steps))


def measure(balancer: str, count: int) -> list[Row]:
    """Return a row for each kind of change."""
    measured = Measured(balancer)
    return [
        measured.update("all new", hostsAt(0, count)),
        measured.update("nothing", hostsAt(0, count)),
        measured.update(f"{FEW} of them", hostsAt(FEW, count)),
        measured.update("all others", hostsAt(2 * count, count)),
        measured.update("all gone", ()),
    ]


def medians(rounds: Sequence[Sequence[Row]]) -> list[Row]:
    """Return the rows with the median of each time over all rounds."""
    return [
        attrs.evolve(
            rows[0],
            update=median(row.update for row in rows),
            step=median(row.step for row in rows),
            jobs=median(row.jobs for row in rows),
        )
        for rows in zip(*rounds, strict=True)
    ]


def main(arguments: Sequence[str]) -> int:
    """Measure and print.

    :return: 0; a missed goal does not change it.
    """
    parser = argparse.ArgumentParser(prog="python -m bench.host_updates", description=__doc__)
    parser.add_argument("--hosts", type=int, default=10_000, help="hosts of the cluster")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; medians are shown")
    parser.add_argument("--balancers", default="", help="comma-separated; all without")
    options = parser.parse_args(arguments)
    names = options.balancers.split(",") if options.balancers else standardCatalog().balancers
    line = "{:24}{:14}{:>12}{:>14}{:>12}  {}\n"
    head = ("balancer", "change", "update ms", "longest step", "jobs ms", "")
    sys.stdout.write(line.format(*head))
    for name in names:
        for row in medians([measure(name, options.hosts) for _ in range(options.rounds)]):
            times = [f"{1000 * seconds:.1f}" for seconds in (row.update, row.step, row.jobs)]
            late = "" if row.longest <= GOAL else "longer than the goal"
            sys.stdout.write(line.format(row.balancer, row.change, *times, late))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
