"""Tests of `mosntx.config.checkports`: binding is what it does, so these need loopback."""

from __future__ import annotations

import os
import socket
import tempfile
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.checkports import checkPorts
from tests.config import samples


class CheckPortsTests(SynchronousTestCase):
    """Trying addresses without keeping them."""

    def busyPort(self, kind: int = socket.SOCK_STREAM) -> int:
        """A port of loopback that somebody has."""
        owner = socket.socket(socket.AF_INET, kind)
        self.addCleanup(owner.close)
        owner.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            owner.listen(1)
        port: int = owner.getsockname()[1]
        return port

    def reasons(self, obj: dict[str, Any]) -> list[tuple[str, str]]:
        """Paths and messages."""
        return [(p.path, p.message) for p in checkPorts(samples.load(obj).config)]

    def test_free(self) -> None:
        """A free address is fine, and free again afterwards."""
        obj = samples.withListener(address="127.0.0.1:0")
        self.assertEqual(self.reasons(obj), [])
        self.assertEqual(self.reasons(obj), [])

    def test_busyListener(self) -> None:
        """A port in use is an error with its place; a virtual listener opens nothing."""
        address = f"127.0.0.1:{self.busyPort()}"
        loaded = samples.load(samples.withListener(address=address))
        (problem,) = checkPorts(loaded.config, lambda path: (path, 3, 4))
        self.assertEqual((problem.severity, problem.line, problem.column), ("error", 3, 4))
        self.assertEqual(problem.path, "servers[0].listeners[0].address")
        self.assertEqual(problem.message, f"cannot listen on {address}: address already in use")
        self.assertEqual(self.reasons(samples.withListener(address=address, bind_port=False)), [])

    def test_otherServers(self) -> None:
        """The admin API, the local registry and the metrics sink."""
        obj = samples.withListener(address="127.0.0.1:0")
        place = {"address": "127.0.0.1", "port_value": self.busyPort()}
        obj["admin"] = {"address": {"socket_address": place}}
        obj["registry"] = {"port_value": self.busyPort()}
        config = {"port": self.busyPort()}
        obj["metrics"] = {"sinks": [{"type": "prometheus", "config": config}]}
        expected = ["admin.address.socket_address.port_value", "registry.port_value"]
        expected.append("metrics.sinks[0].config.port")
        self.assertEqual([path for path, _ in self.reasons(obj)], expected)

    def test_udp(self) -> None:
        """UDP ports are others than TCP ports."""
        address = f"127.0.0.1:{self.busyPort(socket.SOCK_DGRAM)}"
        self.assertEqual(len(self.reasons(samples.withListener(address=address, network="udp"))), 1)

    def test_notOurs(self) -> None:
        """An address of another machine."""
        self.assertEqual(len(self.reasons(samples.withListener(address="192.0.2.1:80"))), 1)

    def test_unix(self) -> None:
        """A live socket is in use, a stale one is fine, another file or no folder is not."""
        folder = tempfile.mkdtemp()
        path = os.path.join(folder, "s")

        def reasons(path: str) -> list[str]:
            obj = samples.withListener(network="unix", address=path)
            return [message.rpartition(": ")[2] for _, message in self.reasons(obj)]

        self.addCleanup(os.rmdir, folder)
        self.assertEqual(reasons(path), [])
        owner = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        owner.bind(path)
        self.addCleanup(os.unlink, path)
        owner.listen(1)
        self.assertEqual(reasons(path), ["address already in use"])
        owner.close()
        self.assertEqual(reasons(path), [])
        self.assertEqual(reasons(folder), ["the file exists and is no socket"])
        self.assertEqual(reasons("/nowhere/s"), ["cannot create files in /nowhere"])
