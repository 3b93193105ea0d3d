"""What subsets cost: a change of hosts, and a choice. ``python -m bench.subsets``.

Unlike the scenarios this measures the package in this process, without a socket: the change is
`Clusters.updateHosts` with one host that has other metadata, and all that belongs to it.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from itertools import combinations
from statistics import median
from typing import Any

import attrs

from mosntx.config.schema import Cluster, Host, LbSubsetConfig
from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.upstream import FakeExchange

#: Milliseconds that a change of 1000 hosts with 10 selectors may take.
GOAL = 100.0
#: How many values each of the keys has in turn; 0: another one on each host.
VALUES = (2, 3, 5, 10, 20, 50, 100, 0)
#: Choices of one measurement.
CHOICES = 100_000
_CONFIG: dict[str, Any] = {
    "servers": [{"listeners": [], "routers": []}],
    "cluster_manager": {"clusters": []},
}


@attrs.frozen
class Figures:
    """What was measured for one kind of balancer, in milliseconds and nanoseconds."""

    lbType: str
    subsets: int
    change: float
    worst: float
    plain: float
    choice: float


def hostsFor(count: int, other: int = -1) -> list[Host]:
    """Return hosts with a label for each of `VALUES`.

    :param other: number of a host whose labels all have values of their own.
    """
    return [
        Host(
            address=f"10.0.{number >> 8}.{number & 255}:80",
            weight=1 + number % 5,
            metadata={
                f"k{place}": f"own{number}"
                if not values or number == other
                else f"v{number % values}"
                for place, values in enumerate(VALUES)
            },
        )
        for number in range(count)
    ]


def selectorsFor(count: int, unique: bool = False) -> tuple[tuple[str, ...], ...]:
    """Return so many selectors: first each key alone, then pairs.

    :param unique: only those that make a subset for each host.
    """
    keys = [f"k{place}" for place in range(len(VALUES))]
    found: list[tuple[str, ...]] = [(key,) for key in keys]
    for size in (2, 3):
        found += combinations(keys, size)
    return tuple(one for one in found if not unique or keys[-1] in one)[:count]


def measure(
    lbType: str,
    hosts: int,
    selectors: Sequence[tuple[str, ...]],
    rounds: int,
    seconds: Callable[[], float],
) -> Figures:
    """Measure one kind of balancer.

    :param seconds: a clock.
    """
    clusters = MemoryMesh(_CONFIG).sidecar.clusters
    before = hostsFor(hosts)
    wanted = LbSubsetConfig(subset_selectors=tuple(selectors), fall_back_policy=1)
    config = Cluster(name="c", lb_type=lbType, lb_subset_config=wanted, hosts=tuple(before))
    cluster = clusters.update(config)
    exchange = FakeExchange()
    balancer: Any = cluster.loadBalancer
    for exchange.criteria in tuple(balancer.hosts):  # so that all subsets are in use
        balancer.chooseHost(exchange)
    times = []
    for number in range(rounds):
        changed = hostsFor(hosts, other=number % hosts)
        gc.collect()
        start = seconds()
        clusters.updateHosts("c", changed)
        times.append((seconds() - start) * 1e3)
    clusters.updateHosts("c", before)
    subsets = cluster.stats.lb_subsets_created
    exchange.criteria = (("k0", "v0"),)
    choice = _perChoice(cluster.loadBalancer.chooseHost, exchange, seconds)
    exchange.criteria = None
    plain = _perChoice(cluster.loadBalancer.chooseHost, exchange, seconds)
    return Figures(lbType, subsets, median(times), max(times), plain, choice)


def _perChoice(choose: Callable[[Any], Any], context: Any, seconds: Callable[[], float]) -> float:
    """Return the nanoseconds of one choice."""
    start = seconds()
    for _ in range(CHOICES):
        choose(context)
    return (seconds() - start) / CHOICES * 1e9


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table, and a remark on what misses `GOAL`."""
    parser = argparse.ArgumentParser(prog="python -m bench.subsets", description=__doc__)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--selectors", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--unique", action="store_true", help="a subset per host and selector")
    parser.add_argument("--lb", default=",".join(standardCatalog().balancers))
    options = parser.parse_args(arguments)
    selectors = selectorsFor(options.selectors, options.unique)
    print(f"{options.hosts} hosts, {len(selectors)} selectors, one host changes its labels")
    print("| lb_type | subsets | change ms | worst ms | choice ns | with criteria ns |")
    print("|---|---:|---:|---:|---:|---:|")
    slow = []
    for lbType in options.lb.split(","):
        found = measure(lbType, options.hosts, selectors, options.rounds, time.perf_counter)
        if found.change > GOAL:
            slow.append(lbType)
        print(
            f"| {found.lbType} | {found.subsets} | {found.change:.1f} | {found.worst:.1f} "
            f"| {found.plain:.0f} | {found.choice:.0f} |"
        )
    if slow:
        print(f"a change takes longer than {GOAL:.0f} ms: {', '.join(slow)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
