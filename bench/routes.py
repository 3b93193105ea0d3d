"""What choosing a route costs, by the number of routes: ``python -m bench.routes``.

Runs the router alone, in this process. For each kind of rule it prints the time to find the last
of 10 and of 1000 routes of one virtual host, in microseconds, and how they compare. Both are
measured in turns and the best of many rounds counts, so other work on the machine does not.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from random import Random
from time import perf_counter

from mosntx.config.schema import HeaderMatch, Match, Route, RouteAction, RouterConfig, VirtualHost
from mosntx.contracts.message import IRequestHead
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.router.compiler import compileRouter

FEW, MANY = 10, 1000
#: Requests of a round, and rounds.
REQUESTS, ROUNDS = 2000, 40

HOST = [(b"Host", b"a"), (b"Accept", b"*/*")]

#: Kind -> the match of one route and the path that reaches it.
KINDS: dict[str, Callable[[int], tuple[Match, bytes]]] = {
    "exact": lambda n: (Match(path=f"/service/{n}/call"), b"/service/%d/call" % n),
    "prefix": lambda n: (Match(prefix=f"/service/{n}/"), b"/service/%d/a/b?x=1" % n),
    "prefixes of many lengths": lambda n: (
        Match(prefix=f"/{'x' * (n % 60)}/{n}/"),
        b"/%b/%d/a" % (b"x" * (n % 60), n),
    ),
    "prefix and header": lambda n: (
        Match(prefix=f"/service/{n}/", headers=(HeaderMatch(name="accept", value="*/*"),)),
        b"/service/%d/a" % n,
    ),
    "service": lambda n: (Match(headers=(HeaderMatch(name="service", value=f"s{n}"),)), b"/"),
    "regex (one by one)": lambda n: (Match(regex=f"^/service/{n}/"), b"/service/%d/a" % n),
}


def measured(kind: str, number: int) -> Callable[[], float]:
    """Return what measures one round of requests for the last of ``number`` routes, in seconds."""
    make = KINDS[kind]
    routes = tuple(
        Route(match=make(n)[0], route=RouteAction(cluster_name="c")) for n in range(number)
    )
    hosts = (VirtualHost(domains=("*",), routers=routes),)
    router = compileRouter(
        RouterConfig(router_config_name="r", virtual_hosts=hosts), random=Random(1)
    )
    fields = [*HOST, (b"Service", b"s%d" % (number - 1))]
    head: IRequestHead = RequestHead(b"GET", make(number - 1)[1], b"a", Headers(fields))
    found = router.route(head)
    if found is None or not found.path.endswith(f"[{number - 1}]"):
        raise AssertionError(f"{kind}: found {found}")

    def round_() -> float:
        route = router.route
        began = perf_counter()
        for _ in range(REQUESTS):
            route(head)
        return (perf_counter() - began) / REQUESTS

    return round_


def compare(kind: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the seconds for the last of `FEW` and of `MANY` routes."""
    few, many = measured(kind, FEW), measured(kind, MANY)
    pairs = [(few(), many()) for _ in range(rounds)]
    return min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write(f"{'rules':<28}{FEW:>8}{MANY:>8}   ratio\n")
    for kind in KINDS:
        few, many = compare(kind)
        write(f"{kind:<28}{few * 1e6:8.2f}{many * 1e6:8.2f}{many / few:8.2f}\n")


if __name__ == "__main__":
    main()
