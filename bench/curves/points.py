"""A point of a curve: what a daemon is configured with, and the load on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from bench.peers.mosntx import config
from bench.place import BOLT, HTTP1, Place

#: Kinds of rules; see `ruleFor`.
EXACT, PREFIX = "exact", "prefix"
#: Requests that may wait for a connection: the default, or one for each client.
LEAST_PENDING = 1024
#: Stream filters that look at each request and change nothing, with their settings.
FILTERS: dict[str, dict[str, Any]] = {
    "fault": {"delay": {"fixed_delay": "1s", "percentage": 0}},
    "payload_limit": {"max_entity_size": 1 << 30},
}


@attrs.frozen
class Point:
    """One daemon, or some on one port, and their load.

    :param connections: clients with a request in flight, always.
    :param silent: further clients that have made one request.
    :param body: octets of each answer; with Bolt of each request too.
    :param hosts: of the cluster; each of them is used.
    :param routes: of the virtual host; the last one is used.
    :param rule: what the routes look at, see `ruleFor`.
    :param filters: names out of `FILTERS`.
    :param processes: daemons that share the port.
    """

    protocol: str = HTTP1
    connections: int = 64
    silent: int = 0
    body: int = 1024
    hosts: int = 1
    balancer: str = "LB_ROUNDROBIN"
    routes: int = 1
    rule: str = PREFIX
    filters: tuple[str, ...] = ()
    processes: int = 1

    @property
    def path(self) -> str:
        """The path that reaches the last route."""
        return f"/service/{self.routes - 1}/call"


def hostAddresses(number: int) -> list[str]:
    """Return so many addresses of this machine; all of 127.0.0.0/8 is (RFC 1122 3.2.1.3)."""
    return [f"127.0.{each // 250}.{each % 250 + 1}" for each in range(number)]


def ruleFor(kind: str, number: int) -> dict[str, str]:
    """Return the match of one of many routes."""
    if kind == EXACT:
        return {"path": f"/service/{number}/call"}
    return {"prefix": f"/service/{number}/"}


def document(point: Point, place: Place, admin: int) -> dict[str, Any]:
    """Return the configuration of a daemon.

    :param admin: port of the admin API.
    """
    value = config(place)
    (server,), (cluster,) = value["servers"], value["cluster_manager"]["clusters"]
    (listener,), (router,) = server["listeners"], server["routers"]
    value["admin"] = {
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}},
    }
    if point.processes > 1:
        listener["reuseport"] = True
    listener["stream_filters"] = [{"type": name, "config": FILTERS[name]} for name in point.filters]
    cluster["lb_type"] = point.balancer
    # All clients ask at once in the beginning; none of them is to be refused.
    most = max(point.connections, LEAST_PENDING)
    cluster["circuit_breakers"] = [{"max_pending_requests": most}]
    cluster["hosts"] = [
        {"address": f"{address}:{place.upstreamPort}"} for address in hostAddresses(point.hosts)
    ]
    if point.protocol != BOLT:
        (host,) = router["virtual_hosts"]
        (rest,) = host["routers"]  # for the question before the load
        host["routers"] = [
            *({**rest, "match": ruleFor(point.rule, n)} for n in range(point.routes)),
            rest,
        ]
    return value


def placeOf(point: Point, port: int, upstreamPort: int, folder: Path) -> Place:
    """Return where a daemon of a point runs."""
    most = point.connections + point.silent
    return Place(port, upstreamPort, folder, point.protocol, point.protocol, most)
