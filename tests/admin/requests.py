"""Requests to the admin API in memory, through Twisted's whole HTTP server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.web.server import Site

from mosntx.admin.clusters import ClusterView
from mosntx.admin.server import adminSite
from mosntx.admin.view import AdminView
from mosntx.stats.prometheus import Exposition
from mosntx.stats.store import StatsStore
from mosntx.stats.structs import ClusterStats, DownstreamStats

LOCAL: Mapping[str, str] = {"Host": "127.0.0.1:34901"}

DUMP: Mapping[str, Any] = {
    "mosn_config": {"servers": [{"default_log_level": "INFO"}]},
    "listener": {"in": {"address": "0.0.0.0:2046"}},
    "cluster": {"c": {"name": "c"}},
    "routers": {"r": {"router_config_name": "r"}},
}


@attrs.frozen
class Reply:
    """A response taken apart; names of fields in lower case."""

    status: int
    fields: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        """The body, understood as JSON."""
        return json.loads(self.body)


class Switches:
    """The logs as the admin API switches them; notes what it was told."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def set(self, path: str, value: object) -> bool:
        """Know one path only."""
        self.calls.append((path, value))
        return path == "/logs/mosn.log"


def store() -> StatsStore:
    """Return stats with some values."""
    found, listener, cluster = StatsStore(), DownstreamStats("in"), ClusterStats("c")
    listener.request_total = 5
    cluster.hostStats("127.0.0.1:8080").request_total = 3
    found.register(listener)
    found.register(cluster)
    return found


def view(**changes: Any) -> AdminView:
    """Return a view of a running process with some stats."""
    stats = store()
    given = AdminView(
        version="0.1.0",
        pid=4711,
        state=lambda: 6,
        samples=stats.samples,
        metrics=Exposition(stats.samples, stats.histograms).render,
        configDump=lambda: DUMP,
        logLevels=lambda: {"/logs/mosn.log": "INFO"},
        setLogLevel=Switches().set,
        setLogEnabled=Switches().set,
        explain=lambda *asked: {"asked": asked},
        features=lambda: {"auto_config": False, "XdsMtlsEnable": True},
        clusters=ClusterView(
            list=list,
            update=lambda text: None,
            remove=lambda names: None,
            updateHosts=lambda name, hosts: None,
            appendHosts=lambda name, hosts: None,
            removeHosts=lambda name, addresses: None,
        ),
        environment=lambda: {"POD_NAME": "a", "API_TOKEN": "t0p", "EMPTY": ""},
    )
    return attrs.evolve(given, **changes)


def ask(
    site: Site,
    method: str,
    path: str,
    body: bytes = b"",
    fields: Mapping[str, str] = LOCAL,
    client: str = "127.0.0.1",
) -> Reply:
    """Send one request to a site, from a client's address, and return the answer."""
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    transport: Any = StringTransport(peerAddress=IPv4Address("TCP", client, 4711))
    protocol = site.buildProtocol(None)
    assert protocol is not None
    protocol.makeConnection(transport)
    protocol.dataReceived("\r\n".join([*lines, "", ""]).encode() + body)
    head, _, content = transport.value().partition(b"\r\n\r\n")
    status, *found = head.decode().split("\r\n")
    pairs = (line.partition(": ")[::2] for line in found)
    reply = Reply(
        int(status.split()[1]), {name.lower(): value for name, value in pairs}, content.decode()
    )
    protocol.connectionLost(None)
    return reply


def adminAsk(
    method: str,
    path: str,
    body: bytes = b"",
    fields: Mapping[str, str] = LOCAL,
    *,
    loopback: bool = True,
    client: str = "127.0.0.1",
    **changes: Any,
) -> Reply:
    """Send one request to an admin site with a `view`."""
    site = adminSite(view(**changes), MemoryReactorClock(), loopback=loopback)
    return ask(site, method, path, body, fields, client)
