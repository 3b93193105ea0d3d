"""Clients for traffic tests, one class per protocol, and the sidecar that they ask.

Every cluster of the sidecar is reached with the header ``to``, in each protocol.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import boltRequest
from tests.system.daemon import Daemon, freePort, until
from tests.system.hosts import Host, Hosts, readMap
from tests.system.http2client import Http2Client

#: Seconds to wait for an answer.
PATIENCE = 20.0
#: Requests under way together in `Client.sendMany`.
WIDTH = 24


@attrs.frozen
class Answer:
    """What a client got.

    :ivar status: of its protocol.
    :ivar host: the upstream that has answered; empty when it was the sidecar itself.
    :ivar headers: with names in lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def host(self) -> str:
        """Name of the upstream."""
        return self.headers.get("x-host", "")

    @property
    def seen(self) -> Any:
        """The request as the upstream saw it: ``path``, ``headers``, ``body``."""
        return json.loads(self.body)


class Client:
    """Asks one listener, over as many connections as it needs.

    :ivar name: the protocol, as in configurations.
    """

    name: ClassVar[str] = ""

    def status(self, http: int) -> int:
        """Return what an HTTP status is in this protocol."""
        return http

    def begin(self, to: str = "", path: str = "/", fields: Mapping[str, str] | None = None) -> Any:
        """Send a GET request (RPC: any); return what `finish` wants.

        :param to: the cluster.
        :param fields: further headers.
        """
        raise NotImplementedError

    def finish(self, token: Any) -> Answer:
        """Return the answer to a request."""
        raise NotImplementedError

    def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError

    def send(
        self, to: str = "", path: str = "/", fields: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request, wait for its answer."""
        return self.finish(self.begin(to, path, fields))

    def sendMany(
        self,
        count: int,
        to: str = "",
        fields: Mapping[str, str] | None = None,
        between: Callable[[int], None] | None = None,
    ) -> list[Answer]:
        """Send requests, `WIDTH` of them at a time.

        :param between: called with the number of each request just before it is sent.
        """
        under: list[Any] = []
        answers = []
        for number in range(count):
            if between is not None:
                between(number)
            if len(under) == WIDTH:
                answers.append(self.finish(under.pop(0)))
            under.append(self.begin(to, fields=fields))
        return answers + [self.finish(token) for token in under]

    def hosts(self, count: int, to: str, fields: Mapping[str, str] | None = None) -> Counter[str]:
        """Send requests; return how many each host has answered."""
        return Counter(answer.host for answer in self.sendMany(count, to, fields))


class Http1Client(Client):
    """HTTP/1.1, a connection for each request under way."""

    name = "Http1"

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[Any] = []
        self._all: list[Any] = []

    def begin(self, to: str = "", path: str = "/", fields: Mapping[str, str] | None = None) -> Any:
        """See `Client.begin`."""
        head = {"host": "test", "to": to, **(fields or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        if self._idle:
            stream = self._idle.pop()
        else:
            with socket.create_connection(("127.0.0.1", self._port), PATIENCE) as connection:
                stream = connection.makefile("rwb")
            self._all.append(stream)
        stream.write(f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode())
        stream.flush()
        return stream

    def finish(self, token: Any) -> Answer:
        """See `Client.finish`."""
        first = token.readline().split(b" ")
        if len(first) < 2:
            raise ConnectionError("the sidecar has closed the connection")
        headers: dict[str, str] = {}
        while line := token.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        body = token.read(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            token.close()
        else:
            self._idle.append(token)
        return Answer(int(first[1]), headers, body)

    def close(self) -> None:
        """See `Client.close`."""
        for stream in self._all:
            stream.close()


class H2Client(Client):
    """HTTP/2, one connection."""

    name = "Http2"

    def __init__(self, port: int) -> None:
        self._client = Http2Client(port)

    def begin(self, to: str = "", path: str = "/", fields: Mapping[str, str] | None = None) -> Any:
        """See `Client.begin`."""
        more = [("to", to), *(fields or {}).items()]
        return self._client.request("GET", path, fields=more)

    def finish(self, token: Any) -> Answer:
        """See `Client.finish`."""
        answer = self._client.finish(token)
        del self._client.answers[token]
        if answer.reset is not None:
            raise ConnectionError(f"the sidecar has reset the stream: {answer.reset}")
        headers = {name.decode(): value.decode("latin-1") for name, value in answer.headers}
        return Answer(answer.status, headers, bytes(answer.body))

    def close(self) -> None:
        """See `Client.close`."""
        self._client.close()


class BoltClient(Client):
    """Bolt version 1, one connection."""

    name = "bolt"
    _STATUSES: ClassVar[Mapping[int, int]] = {200: 0, 404: 6, 502: 6, 503: 4, 504: 7}
    _UNKNOWN = 3

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._stream = self._socket.makefile("rb")
        self._number = 0
        self._answers: dict[int, Answer] = {}

    def status(self, http: int) -> int:
        """See `Client.status` (SOFABolt ResponseStatus)."""
        return self._STATUSES.get(http, self._UNKNOWN)

    def begin(self, to: str = "", path: str = "/", fields: Mapping[str, str] | None = None) -> Any:
        """See `Client.begin`."""
        self._number += 1
        headers = {"service": "shop", "to": to, **(fields or {})}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self._socket.sendall(boltRequest(self._number, b"", pairs, timeout=-1))
        return self._number

    def finish(self, token: Any) -> Answer:
        """See `Client.finish`."""
        while token not in self._answers:
            head = self._stream.read(20)
            if len(head) < 20:
                raise ConnectionError("the sidecar has closed the connection")
            number, status, named, mapped, content = struct.unpack(">5xIxHHHI", head)
            self._stream.read(named)
            headers = readMap(self._stream.read(mapped))
            self._answers[number] = Answer(status, headers, self._stream.read(content))
        return self._answers.pop(token)

    def close(self) -> None:
        """See `Client.close`."""
        self._stream.close()
        self._socket.close()


#: All clients that are also HTTP, and all.
HTTP: tuple[Any, ...] = (Http1Client, H2Client)
CLIENTS: tuple[Any, ...] = (*HTTP, BoltClient)


def cluster(name: str, hosts: Iterable[Host | str], **more: Any) -> dict[str, Any]:
    """Return the configuration of a cluster.

    :param more: further keys; ``route``: those of its route.
    """
    addresses = [host if isinstance(host, str) else host.address for host in hosts]
    listed = [{"address": address} for address in addresses]
    return {"name": name, "type": "SIMPLE", "lb_type": "LB_ROUNDROBIN", "hosts": listed, **more}


def awaitHost(host: str, client: Client, to: str, fields: Mapping[str, str] | None = None) -> None:
    """Send requests until a host has answered one."""
    until(lambda: host in client.hosts(4, to, fields), f"{client.name}: an answer of {host}")


class TrafficCase(SynchronousTestCase):
    """One sidecar with a listener for each protocol; each cluster is asked with header ``to``."""

    def setUp(self) -> None:
        self.hosts = Hosts()
        self.addCleanup(self.hosts.stop)

    def serve(
        self,
        clusters: Sequence[dict[str, Any]],
        routes: Sequence[dict[str, Any]] = (),
        proxy: Mapping[str, Any] | None = None,
        filters: Sequence[dict[str, Any]] = (),
    ) -> list[Client]:
        """Start the sidecar; return a client for each protocol.

        :param routes: those in front of the routes to the clusters.
        """
        self.admin = freePort()
        ports = [freePort() for _ in CLIENTS]
        listeners = [
            _listener(kind.name, port, proxy or {}, filters)
            for kind, port in zip(CLIENTS, ports, strict=True)
        ]
        self.text = json.dumps(
            _config(listeners, clusters, [*routes, *map(_route, clusters)], self.admin), indent=1
        )
        self.daemon = Daemon(self.text, self.admin)
        self.addCleanup(self._stop)
        clients = [kind(port) for kind, port in zip(CLIENTS, ports, strict=True)]
        for client in clients:
            self.addCleanup(client.close)
        return clients

    def change(self, path: str, body: Any) -> None:
        """Send an update to the admin API."""
        url = f"http://127.0.0.1:{self.admin}/api/v1/{path}"
        with urlopen(Request(url, json.dumps(body).encode()), timeout=PATIENCE) as answer:
            self.assertEqual(answer.status, 200)

    def stats(self, name: str, *labels: str) -> float:
        """Return the sum of a statistic.

        :param labels: what its labels have to contain.
        """
        total = 0.0
        with urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=PATIENCE) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"{name}{{") and all(label in line for label in labels):
                    total += float(line.rpartition(" ")[2])
        return total

    def _stop(self) -> None:
        output = self.daemon.output
        self.assertEqual(self.daemon.stop(), 0)
        self.assertNotIn("Traceback", output)

    def assertAll(self, answers: Iterable[Answer], client: Client, http: int = 200) -> None:
        """All answers have a status."""
        found = Counter(answer.status for answer in answers)
        self.assertEqual(set(found), {client.status(http)}, f"{client.name}: {found}")


def _config(
    listeners: list[Any], clusters: Sequence[dict[str, Any]], routes: list[Any], admin: int
) -> dict[str, Any]:
    known = [{key: value for key, value in one.items() if key != "route"} for one in clusters]
    hosts = [{"domains": ["*"], "routers": routes}]
    router = {"router_config_name": "r", "virtual_hosts": hosts}
    server = {"default_log_path": "stdout", "listeners": listeners, "routers": [router]}
    address = {"socket_address": {"address": "127.0.0.1", "port_value": admin}}
    return {
        "servers": [server],
        "cluster_manager": {"clusters": known},
        "admin": {"address": address},
    }


def _listener(
    name: str, port: int, proxy: Mapping[str, Any], filters: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    config = {"downstream_protocol": name, "router_config_name": "r", **proxy}
    return {
        "name": name,
        "address": f"127.0.0.1:{port}",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": config}]}],
        "stream_filters": list(filters),
    }


def _route(one: Mapping[str, Any]) -> dict[str, Any]:
    action = {"cluster_name": one["name"], **one.get("route", {})}
    filters = action.pop("per_filter_config", {})
    match = {"headers": [{"name": "to", "value": one["name"]}]}
    return {"match": match, "route": action, "per_filter_config": filters}
