"""Health checks of a real daemon: real servers of HTTP/2 and gRPC are asked."""

from __future__ import annotations

import importlib.util
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, Running, freePort, until

GRPC_PEER = str(Path(__file__).parent / "grpcpeer.py")
#: An application for Hypercorn: ``/well`` is, all else is not.
APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    assert scope["http_version"] == "2", scope
    status = 200 if scope["path"] == "/well" else 503
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"said"})
"""
HEAD = """
servers:
  - default_log_path: stdout
    graceful_timeout: 1s
cluster_manager:
  clusters:
"""
CLUSTER = """
    - name: {name}
      hosts: [{{address: "127.0.0.1:{port}"}}]
      health_check: {{service_name: {name}, protocol: Http2, initial_delay_seconds: 0.1s,
          interval: 0.1s, timeout: 10s, event_log_path: {log}, check_config: {check}}}
"""


class HealthCheckTests(SynchronousTestCase):
    """What the event log says after some checks."""

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-test-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def results(self, port: int, **checks: str) -> dict[str, str]:
        """Run a daemon until it has checked each cluster twice; return what it found.

        :param checks: name of a cluster -> ``check_config``.
        """
        admin = freePort()
        config = HEAD
        logs = {name: Path(self.directory, f"{name}.log") for name in checks}
        for name, check in checks.items():
            config += CLUSTER.format(name=name, port=port, log=logs[name], check=check)
        address = f"socket_address: {{address: 127.0.0.1, port_value: {admin}}}"
        daemon = Daemon(f"{config}admin: {{address: {{{address}}}}}\n", admin)
        self.addCleanup(daemon.stop)
        for name, log in logs.items():
            until(partial(_twice, log), f"{name} is checked twice")
        return {name: _lines(log)[1] for name, log in logs.items()}

    def found(self, port: int, **checks: str) -> dict[str, bool]:
        """Return which hosts are well, after two checks that agree."""
        return {
            name: "health_status:1,current_result:1" in line
            for name, line in self.results(port, **checks).items()
        }

    def test_grpc(self) -> None:
        """A server of grpcio: the whole server, a service that is down, and one there is not."""
        if importlib.util.find_spec("grpc") is None:
            raise SkipTest("grpcio is not installed: pip install grpcio")
        port = freePort()
        server = Running([sys.executable, GRPC_PEER, "server", str(port)], port)
        self.addCleanup(server.stop, signal.SIGKILL)
        found = self.found(
            port,
            whole="{grpc_check_config: {}}",
            cart="{grpc_check_config: {service_name: shop.Cart, authority: shop.example}}",
            down="{grpc_check_config: {service_name: down}}",
            none="{grpc_check_config: {service_name: none}}",
        )
        expected = {"whole": True, "cart": True, "down": False, "none": False}
        self.assertEqual(found, expected)

    def test_http2(self) -> None:
        """A server of Hypercorn: a good status, a bad one, and gRPC that it does not speak."""
        if importlib.util.find_spec("hypercorn") is None:
            raise SkipTest("Hypercorn is not installed: pip install hypercorn")
        Path(self.directory, "application.py").write_text(APPLICATION)
        port = freePort()
        command = [sys.executable, "-m", "hypercorn", "--bind", f"127.0.0.1:{port}"]
        server = Running([*command, "application:app"], port, self.directory)
        self.addCleanup(server.stop, signal.SIGKILL)
        found = self.found(
            port,
            well="{http_check_config: {path: /well}}",
            ill="{http_check_config: {path: /ill}}",
            expected="{http_check_config: {path: /ill, codes: [{Start: 500, End: 503}]}}",
            grpc="{grpc_check_config: {}}",
        )
        self.assertEqual(found, {"well": True, "ill": False, "expected": True, "grpc": False})


def _twice(log: Path) -> bool:
    return len(_lines(log)) > 1


def _lines(log: Path) -> list[str]:
    """Return the complete lines of a log that may not be there yet."""
    text = log.read_text("ascii") if log.exists() else ""
    return text.split("\n")[:-1]
