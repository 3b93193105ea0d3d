"""Starts the real daemon, and real upstreams, for system tests."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Seconds for a process to come up or to go; generous, for busy machines.
PATIENCE = 30.0


def freePort() -> int:
    """Return a port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def scriptPath(name: str) -> str:
    """Return the path of a console script of this environment."""
    return os.path.join(sysconfig.get_path("scripts"), name)


class Running:
    """A child process whose output is kept, and which ends with its test.

    :param ready: port that accepts once the process is up.
    """

    def __init__(self, arguments: list[str], ready: int, directory: str | None = None) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  (closed in stop)
        self.process = subprocess.Popen(
            arguments,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            cwd=directory,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            self._awaitPort(ready)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    @property
    def output(self) -> str:
        """All that the process has printed so far."""
        return os.pread(self._output.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def kill(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return the exit code, once there is one."""
        return self.process.wait(PATIENCE)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the process and return its exit code."""
        try:
            if self.process.poll() is None:
                self.process.send_signal(number)
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            self._output.close()

    def residentKiB(self) -> int:
        """Return the resident memory of the process."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError("the process has no VmRSS")

    def _awaitPort(self, port: int) -> None:
        for _ in range(int(PATIENCE / 0.05)):
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.output}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            select.select([], [], [], 0.05)
        raise AssertionError(f"nothing on port {port} after {PATIENCE} s:\n{self.output}")


class Daemon(Running):
    """``twistd -n mosn`` with a configuration.

    :param config: text of a YAML configuration.
    :param ready: port that accepts once it serves.
    :param launcher: arguments in front of the configuration's path, instead of twistd's.
    """

    def __init__(self, config: str, ready: int, launcher: list[str] | None = None) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="mosntx-test-")
        self.path = os.path.join(self._directory.name, "conf", "mosn.yaml")
        os.mkdir(os.path.dirname(self.path))
        Path(self.path).write_text(textwrap.dedent(config))
        if launcher is None:
            launcher = [scriptPath("twistd"), "-n", "--pidfile", "", "mosn", "--config"]
        super().__init__([*launcher, self.path], ready, self._directory.name)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """See `Running.stop`."""
        try:
            return super().stop(number)
        finally:
            self._directory.cleanup()


def proxyConfig(port: int, upstreams: list[int], **options: Any) -> str:
    """Return a configuration with one listener in front of one cluster.

    :param options: ``proxy``, ``listener``, ``route``, ``cluster``, ``server``: further lines of
        YAML flow mappings, for example
        ``proxy="max_request_body_size: 10"``; ``admin``: a port.
    """

    def more(name: str) -> str:
        return f", {options[name]}" if name in options else ""

    hosts = ", ".join(f'{{address: "127.0.0.1:{upstream}"}}' for upstream in upstreams)
    admin = ""
    if "admin" in options:
        socket_ = f"{{address: 127.0.0.1, port_value: {options['admin']}}}"
        admin = f"admin: {{address: {{socket_address: {socket_}}}}}\n"
    return f"""\
servers:
  - {{default_log_path: stdout{more("server")}, listeners: [
      {{name: front, address: "127.0.0.1:{port}", bind_port: true{more("listener")}, filter_chains:
      [{{filters: [
        {{type: proxy, config: {{downstream_protocol: Http1, router_config_name:
        router{more("proxy")}}}}}]}}]}}],
     routers: [{{router_config_name: router, virtual_hosts: [{{name: all, domains: ["*"], routers: [
        {{match: {{prefix: /}}, route: {{cluster_name: back{more("route")}}}}}]}}]}}]}}
cluster_manager: {{clusters: [{{name: back, type: SIMPLE, lb_type: LB_ROUNDROBIN{more("cluster")},
hosts: [{hosts}]}}]}}
{admin}"""


#: An ASGI application with the answers that system tests need.
APPLICATION = """
import asyncio, hashlib, json

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = hashlib.sha256()
    size = 0
    path = scope["path"]
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body.update(message.get("body", b""))
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if path.startswith("/bytes/"):
        left = int(path.split("/")[2])
        await send({"type": "http.response.start", "status": 200,
                    "headers": [(b"content-length", str(left).encode())]})
        block = bytes(range(256)) * 256
        while True:
            part = block[:left]
            left -= len(part)
            await send({"type": "http.response.body", "body": part, "more_body": left > 0})
            if not left:
                return
    if path.startswith("/status/"):
        status = int(path.split("/")[2])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    if path.startswith("/sleep/"):
        await asyncio.sleep(float(path.split("/")[2]))
    answer = json.dumps({
        "method": scope["method"], "path": scope["raw_path"].decode(), "query":
        scope["query_string"].decode(),
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
        "size": size, "sha256": body.hexdigest(),
    }).encode()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json"), (b"x-repeat", b"1"),
                (b"x-repeat", b"2")]})
    await send({"type": "http.response.body", "body": answer, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
"""


def startUvicorn(port: int, directory: str) -> Running:
    """Start the test application under uvicorn."""
    Path(directory, "application.py").write_text(APPLICATION)
    arguments = [sys.executable, "-m", "uvicorn", "application:app", "--port", str(port)]
    return Running(
        [*arguments, "--log-level", "warning", "--timeout-keep-alive", "30"], port, directory
    )


def startHypercorn(port: int, directory: str) -> Running:
    """Start the test application under hypercorn."""
    Path(directory, "application.py").write_text(APPLICATION)
    # Once a connection has had this many requests, Hypercorn loses those that are under way.
    Path(directory, "hypercorn.toml").write_text("keep_alive_max_requests = 1000000\n")
    arguments = [sys.executable, "-m", "hypercorn", "application:app", "-b", f"127.0.0.1:{port}"]
    options = ["--config", "hypercorn.toml", "--keep-alive", "30"]
    return Running([*arguments, *options], port, directory)


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until ``condition`` holds.

    :raises AssertionError: when it does not in time.
    """
    for _ in range(int(PATIENCE / 0.05)):
        if condition():
            return
        select.select([], [], [], 0.05)
    raise AssertionError(f"waited {PATIENCE} s in vain: {what}")
