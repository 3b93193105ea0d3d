"""Which curves there are: one picture each, with a point for each value of what is varied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from bench.curves.points import EXACT, PREFIX, Point
from bench.curves.window import Figures
from bench.place import BOLT, H2C, HTTP1

#: Octets of a KiB and of a MiB.
KIBI, MEBI = 1 << 10, 1 << 20
#: Clients that are busy where the others are silent.
BUSY = 10

CONNECTIONS = (10, 100, 1000, 10_000)
HOSTS = (1, 10, 100, 1000)
ROUTES = (1, 10, 100, 1000)
FILTERS = (0, 1, 2, 4, 8)
#: From none to a MiB: what larger ones cost is drawn as throughput.
BODIES = (0, KIBI, 4 * KIBI, 16 * KIBI, 64 * KIBI, 256 * KIBI, MEBI)
SMALL, FILLED = BODIES[:5], BODIES[1:]


@attrs.frozen
class Sweep:
    """A picture.

    :param name: of its file.
    :param title: what is drawn upwards, with its unit.
    :param across: what is varied.
    :param labels: of its values.
    :param series: name to one point for each value.
    :param value: what is drawn of the figures of a point.
    :param digits: decimals in the table.
    """

    name: str
    title: str
    across: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[Point]]
    value: Callable[[Point, Figures], float]
    digits: int = 1


def microseconds(point: Point, figures: Figures) -> float:
    """Return the CPU time of a request in microseconds."""
    return figures.cost * 1e6


def throughput(point: Point, figures: Figures) -> float:
    """Return how many MiB of answers a second of CPU carries, from host to client."""
    return point.body / figures.cost / MEBI


def octets(size: int) -> str:
    """Return a size in words."""
    for unit, name in ((MEBI, "MiB"), (KIBI, "KiB")):
        if size >= unit:
            return f"{size // unit} {name}"
    return f"{size} B"


def _connections() -> Sweep:
    return Sweep(
        "connections",
        "CPU µs per request",
        "connections of clients",
        [f"{number:,}" for number in CONNECTIONS],
        {
            "HTTP/1.1": [Point(connections=number) for number in CONNECTIONS],
            f"HTTP/1.1, {BUSY} of them busy": [
                Point(connections=BUSY, silent=number - BUSY) for number in CONNECTIONS
            ],
            "Bolt": [Point(BOLT, connections=number) for number in CONNECTIONS],
        },
        microseconds,
    )


def _hosts() -> Sweep:
    return Sweep(
        "hosts",
        "CPU µs per request",
        "hosts of the cluster",
        [f"{number:,}" for number in HOSTS],
        {
            "round robin": [Point(hosts=number) for number in HOSTS],
            "least request": [Point(hosts=number, balancer="LB_LEAST_REQUEST") for number in HOSTS],
        },
        microseconds,
    )


def _routes() -> Sweep:
    return Sweep(
        "routes",
        "CPU µs per request",
        "routes of the virtual host, of which the last is used",
        [f"{number:,}" for number in ROUTES],
        {
            "exact path": [Point(routes=number, rule=EXACT) for number in ROUTES],
            "prefix": [Point(routes=number, rule=PREFIX) for number in ROUTES],
        },
        microseconds,
    )


def _filters() -> Sweep:
    return Sweep(
        "filters",
        "CPU µs per request",
        "stream filters that look at each request",
        [str(number) for number in FILTERS],
        {
            name: [Point(filters=(name,) * number) for number in FILTERS]
            for name in ("fault", "payload_limit")
        },
        microseconds,
    )


def _bodies(
    name: str,
    title: str,
    sizes: Sequence[int],
    value: Callable[[Point, Figures], float],
    digits: int,
) -> Sweep:
    names = {HTTP1: "HTTP/1.1", H2C: "HTTP/2", BOLT: "Bolt"}
    return Sweep(
        name,
        title,
        "body of the answer; with Bolt of the request too",
        [octets(size) for size in sizes],
        {names[each]: [Point(each, body=size) for size in sizes] for each in names},
        value,
        digits,
    )


#: In the order of the page.
SWEEPS: tuple[Sweep, ...] = (
    _connections(),
    _hosts(),
    _routes(),
    _filters(),
    _bodies("body", "CPU µs per request", SMALL, microseconds, 1),
    _bodies("throughput", "MiB per second of CPU", FILLED, throughput, 0),
)
