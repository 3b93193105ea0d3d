"""``python -m bench.balancing.distribution``: how balancers spread requests.

It prints tables for the manual. The first is a whole service in virtual time, so it depends on the
seed and on nothing else: `HOSTS` hosts of which one may be slow. The second asks the balancers by
hash for the hosts of many keys, and again after one host has left.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from random import Random
from typing import Any

import attrs

from mosntx.contracts.upstream import ILoadBalancer
from mosntx.service.catalog import standardCatalog
from mosntx.testing.simulation import SimulatedHost, Simulation
from mosntx.testing.upstream import FakeExchange, FakeHost
from mosntx.upstream.balancers.settings import BalancerSettings

#: Hosts of the first table; the last may be slow.
HOSTS = 4
#: Seconds until the answer of an ordinary and of a slow host.
ORDINARY, SLOW = 0.01, 0.2
#: Requests per second of the first table.
RATE = 200.0


@attrs.frozen
class Service:
    """A line of the first table.

    :ivar weights: of the hosts.
    :ivar slow: the last host is slow.
    """

    balancer: str
    slow: bool
    weights: tuple[int, ...] = (1,) * HOSTS


#: Round robin with a slow host is what the ones after it are compared with.
SERVICES = (
    Service("LB_ROUNDROBIN", slow=False),
    Service("LB_WEIGHTED_ROUNDROBIN", slow=False, weights=(40, 30, 20, 10)),
    Service("LB_RANDOM", slow=False),
    Service("LB_ROUNDROBIN", slow=True),
    Service("LB_LEAST_REQUEST", slow=True),
    Service("LB_PEAK_EWMA", slow=True),
)
HASHING = ("LB_MAGLEV", "LB_RING_HASH")


@attrs.frozen
class Spread:
    """What a service did.

    :ivar shares: of all requests, by host.
    :ivar p50: seconds until an answer; ``p99`` likewise.
    """

    shares: tuple[float, ...]
    p50: float
    p99: float


def _config(service: Service) -> dict[str, Any]:
    proxy = {"downstream_protocol": "Http1", "router_config_name": "r"}
    listener = {
        "name": "front",
        "address": "127.0.0.1:2045",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": proxy}]}],
    }
    routes = [{"match": {"prefix": "/"}, "route": {"cluster_name": "app"}}]
    router = {
        "router_config_name": "r",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routers": routes}],
    }
    hosts = [
        {"address": address, "weight": weight}
        for address, weight in zip(_addresses(HOSTS), service.weights, strict=True)
    ]
    cluster = {"name": "app", "type": "SIMPLE", "lb_type": service.balancer, "hosts": hosts}
    return {
        "servers": [{"listeners": [listener], "routers": [router]}],
        "cluster_manager": {"clusters": [cluster]},
    }


def _addresses(count: int) -> list[str]:
    return [f"10.0.0.{number}:80" for number in range(1, count + 1)]


def simulate(service: Service, seconds: float) -> Spread:
    """Return how requests of so many seconds were spread.

    :raises AssertionError: when a request failed.
    """
    hosts = [SimulatedHost(address, latency=ORDINARY) for address in _addresses(HOSTS)]
    if service.slow:
        hosts[-1].latency = SLOW
    simulation = Simulation(_config(service), hosts, "front")
    simulation.load(seconds, RATE)
    simulation.close()
    assert set(simulation.outcomes) == {200}, simulation.outcomes
    times = sorted(taken for _, taken, _ in simulation.answers)
    total = len(times)
    shares = tuple(len(host.times) / total for host in hosts)
    return Spread(shares, times[total // 2], times[total * 99 // 100])


@attrs.frozen
class Keys:
    """How a balancer by hash places keys.

    :ivar least: keys of the host with the fewest, by the mean; ``most`` likewise.
    :ivar left: share of all keys whose host has left.
    :ivar moved: share of the other keys that have another host afterwards.
    """

    least: float
    most: float
    left: float
    moved: float


def _place(balancer: ILoadBalancer, keys: Iterable[int]) -> list[str]:
    exchange = FakeExchange()
    places = []
    for exchange.key in keys:
        host = balancer.chooseHost(exchange)
        assert host is not None
        places.append(host.address)
    return places


def placeKeys(name: str, count: int, keys: int) -> Keys:
    """Return how keys are spread over so many hosts, and how many move when one leaves."""
    factory = standardCatalog().balancers[name]
    hosts = [FakeHost(f"10.0.{n >> 8}.{n & 255}:80") for n in range(count)]
    settings = BalancerSettings(random=Random(1), seconds=lambda: 0.0)
    random = Random(2)
    numbers = [random.getrandbits(64) for _ in range(keys)]
    gone = hosts[count // 2]
    before = _place(factory.build(hosts, settings), numbers)
    rest = [host for host in hosts if host is not gone]
    after = _place(factory.build(rest, settings), numbers)
    counts = Counter(before)
    stayed = [pair for pair in zip(before, after, strict=True) if pair[0] != gone.address]
    return Keys(
        min(counts[host.address] for host in hosts) * count / keys,
        max(counts.values()) * count / keys,
        counts[gone.address] / keys,
        sum(was != now for was, now in stayed) / len(stayed),
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a simple table in reStructuredText; the first row is its head."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule]) + "\n"


def serviceTable(seconds: float) -> str:
    """Return the first table."""
    rows = [["balancer", "hosts", "share of each, %", "p50 ms", "p99 ms"]]
    for service in SERVICES:
        spread = simulate(service, seconds)
        hosts = f"{HOSTS} alike"
        if len(set(service.weights)) > 1:
            hosts = "weights " + ", ".join(map(str, service.weights))
        elif service.slow:
            hosts = f"the last one {SLOW / ORDINARY:.0f} times slower"
        shares = ", ".join(f"{100 * share:.1f}" for share in spread.shares)
        times = [f"{1000 * each:.0f}" for each in (spread.p50, spread.p99)]
        rows.append([f"``{service.balancer}``", hosts, shares, *times])
    return table(rows)


def hashTable(counts: Sequence[int], keys: int) -> str:
    """Return the second table."""
    head = ["balancer", "hosts", "keys of a host, by the mean", "of the one that leaves, %"]
    rows = [[*head, "other keys that move, %"]]
    for name in HASHING:
        for count in counts:
            found = placeKeys(name, count, keys)
            spread = f"{found.least:.2f} to {found.most:.2f}"
            shares = [f"{100 * share:.2f}" for share in (found.left, found.moved)]
            rows.append([f"``{name}``", str(count), spread, *shares])
    return table(rows)


def main(arguments: Sequence[str]) -> int:
    """Print both tables.

    :return: 0.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench.balancing.distribution", description=__doc__
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="virtual ones of each service")
    parser.add_argument("--keys", type=int, default=100_000)
    parser.add_argument("--hosts", default="10,100", help="of the second table")
    options = parser.parse_args(arguments)
    print(serviceTable(options.seconds))
    print(hashTable([int(one) for one in options.hosts.split(",")], options.keys), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
