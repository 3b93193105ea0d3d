"""Configurations, requests and log lines for the tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError, ConnectionDone
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Site

from mosntx.service import Sidecar
from mosntx.testing.mesh import MemoryMesh, Peer
from tests.config.samples import minimal

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

#: Where a client comes from.
ELSEWHERE = IPv4Address("TCP", "192.0.2.1", 4711)

#: A listener `in` on 2045, the router `r`, the cluster `c`; one key a line, for positions.
TEXT = """\
servers:
  - graceful_timeout: 10s
    listeners:
      - name: in
        address: 127.0.0.1:2045
        bind_port: true
        filter_chains:
          - filters:
              - type: proxy
                config: {downstream_protocol: Http1, router_config_name: r}
    routers:
      - router_config_name: r
        virtual_hosts:
          - name: v
            domains: ["*"]
            routers:
              - match: {prefix: /}
                route: {cluster_name: c}
cluster_manager:
  clusters:
    - name: c
      type: SIMPLE
      lb_type: LB_RANDOM
      hosts:
        - {address: "127.0.0.1:2047"}
"""

#: Two stream filters with values that only they know to be wrong, in lines 11 and 13.
BAD_FILTERS = TEXT.replace(
    "    routers:\n      - router_config_name",
    """\
        stream_filters:
          - type: fault
            config: {abort: {percentage: 101}}
          - type: fault
            config: {delay: {percentage: -1}}
    routers:
      - router_config_name""",
    1,
)


def config(listener: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a configuration like `TEXT` as a mapping.

    :param listener: more keys of the listener.
    :param more: more keys of the whole.
    """
    made = minimal()
    made["servers"][0]["graceful_timeout"] = "10s"
    made["servers"][0]["listeners"][0].update(listener or {})
    return {**made, **more}


def adminOn(host: str, port: int = 34901) -> dict[str, Any]:
    """Return the value of ``admin``."""
    return {"address": {"socket_address": {"address": host, "port_value": port}}}


def inFlight(mesh: MemoryMesh, listener: str = "in") -> tuple[Peer, Peer]:
    """Return a client whose request waits at an upstream, and that upstream."""
    client = mesh.client(listener)
    client.send(REQUEST)
    upstream = mesh.upstream()
    assert upstream.take().startswith(b"GET / HTTP/1.1\r\n")
    return client, upstream


class PickyReactor(MemoryReactorClock):
    """A reactor on whose machine some ports are in use.

    :ivar taken: their numbers.
    :ivar ports: what was given out, in order: each knows whether it is closed.
    """

    def __init__(self, *taken: int) -> None:
        super().__init__()
        self.taken = set(taken)
        self.ports: list[Port] = []

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> Any:
        """See ``IReactorTCP``."""
        if port in self.taken:
            raise CannotListenError(interface, port, OSError(98, "Address already in use"))
        self.ports.append(Port(port, super().listenTCP(port, factory, backlog, interface)))
        return self.ports[-1]

    def callFromThread(self, function: Any, *arguments: Any) -> None:
        """See ``IReactorFromThreads``."""
        self.callLater(0, function, *arguments)

    @property
    def open(self) -> list[int]:
        """Numbers of the ports that are open."""
        return [port.number for port in self.ports if not port.closed]


class Port:
    """A port that remembers whether it is closed."""

    def __init__(self, number: int, inner: Any) -> None:
        self.number = number
        self.closed = False
        self._inner = inner

    def getHost(self) -> Any:
        """See ``IListeningPort``."""
        return self._inner.getHost()

    def stopListening(self) -> None:
        """See ``IListeningPort``."""
        self.closed = True


class ServiceCase(SynchronousTestCase):
    """Sees what is logged, and makes files."""

    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        observer: Any = self.events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def lines(self, level: LogLevel | None = None) -> list[str]:
        """Return what mosntx has logged, at one level or at any."""
        return [
            formatEvent(event)
            for event in self.events
            if str(event["log_namespace"]).startswith("mosntx")
            and level in (None, event["log_level"])
        ]

    def folder(self) -> Path:
        """Return a new folder."""
        made = Path(os.path.abspath(self.mktemp()))
        made.mkdir()
        return made

    def file(self, text: str, name: str = "mosn.yaml") -> str:
        """Return the path of a new file in a folder ``conf``."""
        path = self.folder() / "conf" / name
        path.parent.mkdir()
        path.write_text(text)
        return str(path)

    def environment(self, **values: str | None) -> None:
        """Set variables of the environment during the test; ``None`` takes one away."""
        for name, value in values.items():
            before = os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
            if before is None:
                self.addCleanup(os.environ.pop, name, None)
            else:
                self.addCleanup(os.environ.__setitem__, name, before)


def fetch(site: Site, path: bytes) -> tuple[int, bytes]:
    """Ask a site for a path, as a client of this machine; return status and body."""
    transport = StringTransport()
    protocol: Any = site.buildProtocol(None)
    protocol.makeConnection(transport)
    protocol.dataReceived(b"GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n" % path)
    head, _, body = transport.value().partition(b"\r\n\r\n")
    protocol.connectionLost(Failure(ConnectionDone()))
    return int(head.split(b" ", 2)[1]), body


def sidecar(text: Mapping[str, Any] | str = TEXT, reactor: Any = None, **options: Any) -> Sidecar:
    """Return one that is not started, on a reactor of its own if none is given."""
    reactor = PickyReactor() if reactor is None else reactor
    return Sidecar.fromConfig(text, reactor=reactor, seconds=reactor.seconds, **options)
