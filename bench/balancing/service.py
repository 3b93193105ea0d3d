"""The daemon with upstreams of its own behind it, each a process."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.peers.mosntx import Mosntx, config
from bench.place import Place
from bench.process import Child, Nursery, Ports, ProcessError

_SERVER = Path(__file__).with_name("named_server.py")
#: Seconds that an upstream has to say its count.
_PATIENCE = 5.0


def serviceConfig(
    place: Place, hosts: Sequence[Mapping[str, Any]], cluster: Mapping[str, Any], route: Any
) -> dict[str, Any]:
    """Return the bench's configuration with other hosts.

    :param cluster: further settings of the cluster.
    :param route: further settings of the route.
    """
    value = config(place)
    server = value["servers"][0]
    # Ejections are warnings, returns of hosts only information.
    server["default_log_level"] = "INFO"
    server["routers"][0]["virtual_hosts"][0]["routers"][0]["route"].update(route)
    value["cluster_manager"]["clusters"][0].update({"hosts": list(hosts), **cluster})
    return value


class Service:
    """Upstreams and the daemon, started in a nursery.

    :param weights: name to weight of each upstream.
    :param cluster: settings of the cluster, see `serviceConfig`.
    :param route: settings of the route.
    :param status: that all upstreams answer with.
    :param delay: seconds until they do.
    :ivar port: where the daemon listens on 127.0.0.1.
    """

    def __init__(
        self,
        nursery: Nursery,
        folder: Path,
        weights: Mapping[str, int],
        *,
        cluster: Mapping[str, Any],
        route: Mapping[str, Any],
        status: int = 200,
        delay: float = 0.0,
    ) -> None:
        self._nursery = nursery
        self._folder = folder
        self._answers = [str(status), str(delay)]
        ports = Ports(os.getpid() * 50)
        self.port = ports.take()
        self._ports = {name: ports.take() for name in weights}
        self._upstreams: dict[str, Child] = {}
        hosts = [
            {"address": f"127.0.0.1:{self._ports[name]}", "weight": weight}
            for name, weight in weights.items()
        ]
        self._place = Place(self.port, 0, folder)
        self._config = serviceConfig(self._place, hosts, cluster, route)

    def start(self) -> None:
        """Start everything.

        :raises ProcessError: when mosntx is missing or something does not start.
        """
        mosntx = Mosntx()
        if missing := mosntx.missing():
            raise ProcessError(f"mosntx: {missing}")
        for name in self._ports:
            self.startUpstream(name)
        for name, upstream in self._upstreams.items():
            upstream.waitForPort(self._ports[name])
        path = self._place.write("mosn.json", json.dumps(self._config, indent=2) + "\n")
        command = [mosntx.executable() or "twistd", "-n", "--pidfile=", "mosn", "--config", path]
        extra = {"PYTHONUNBUFFERED": "1"}
        self._daemon = self._nursery.start("mosntx", command, self._folder, extra=extra)
        self._daemon.waitForPort(self.port)

    def startUpstream(self, name: str) -> None:
        """Start one upstream, without waiting for it."""
        command = [sys.executable, str(_SERVER), str(self._ports[name]), name, *self._answers]
        self._upstreams[name] = self._nursery.start(name, command, self._folder)

    def kill(self, name: str) -> None:
        """Kill one upstream; it has no time to say good-bye."""
        os.kill(self._upstreams[name].pid, signal.SIGKILL)

    def address(self, name: str) -> str:
        """Return the address of an upstream, as logs have it."""
        return f"127.0.0.1:{self._ports[name]}"

    def log(self) -> str:
        """Return all that the daemon has logged."""
        return self._daemon.log.read_text(errors="replace")

    def counts(self) -> dict[str, int]:
        """Return how many requests each upstream has had, by its own word."""
        return {name: _count(port) for name, port in self._ports.items()}


def _count(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), _PATIENCE) as connection:
        connection.sendall(b"GET /count HTTP/1.1\r\nHost: a\r\n\r\n")
        octets = b""
        while not octets.partition(b"\r\n\r\n")[2]:
            octets += connection.recv(4096)
    return int(octets.partition(b"\r\n\r\n")[2])
