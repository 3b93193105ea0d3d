"""The product on each reactor: chosen by nobody, by name, and in an application with Twisted's."""

from __future__ import annotations

import os
import signal
import tempfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, Running, freePort, proxyConfig, scriptPath, until

#: What ``twistd`` is called with in front of its own options.
TWISTD = (scriptPath("twistd"), "-n", "--pidfile", "")
OURS = "mosntx.service.reactor"
APPLICATION = """
from twisted.application.service import Application

from mosntx.service import Sidecar

application = Application("embedding")
Sidecar.fromFile("mosn.yaml").setServiceParent(application)
"""


class Echo(BaseHTTPRequestHandler):
    """Sends bodies back."""

    protocol_version = "HTTP/1.1"

    def do_PUT(self) -> None:
        """Answer a request."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class ReactorCase(SynchronousTestCase):
    """Has a host."""

    def setUp(self) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.upstream = server.server_address[1]
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def folder(self) -> str:
        """Return a new folder."""
        directory = tempfile.TemporaryDirectory(prefix="mosntx-reactor-")
        self.addCleanup(directory.cleanup)
        return directory.name

    def roundTrips(self, port: int) -> None:
        """Send bodies there and back on one connection."""
        with requests.Session() as session:
            for size in (1, 1000, 1_000_000):
                body = os.urandom(size)
                answer = session.put(f"http://127.0.0.1:{port}/", data=body, timeout=20)
                self.assertEqual((answer.status_code, answer.content == body), (200, True))


class ReactorTests(ReactorCase):
    """A daemon between a client and a host."""

    def serve(self, launcher: list[str], reactor: str) -> None:
        """See that a daemon runs on a reactor, hands on small and large bodies, and drains."""
        port = freePort()
        daemon = Daemon(proxyConfig(port, [self.upstream]), port, launcher)
        try:
            self.roundTrips(port)
            until(lambda: f"the reactor is {reactor}\n" in daemon.output, "the reactor's name")
            output = daemon.output
        finally:
            code = daemon.stop()
        self.assertEqual(code, 0, output)

    def named(self, name: str, module: str = "") -> None:
        """Let ``twistd`` install a reactor by its name."""
        module = module or f"twisted.internet.{name}reactor"
        self.serve([*TWISTD, "--reactor", name, "mosn", "--config"], module)

    def test_twistd(self) -> None:
        """``twistd -n mosn`` has ours when nobody chose."""
        self.serve([*TWISTD, "mosn", "--config"], OURS)

    def test_run(self) -> None:
        """``mosntx run`` has ours."""
        self.serve([scriptPath("mosntx"), "run", "-c"], OURS)

    def test_byName(self) -> None:
        """``--reactor=mosntx`` is ours."""
        self.named("mosntx", OURS)

    def test_epoll(self) -> None:
        """``--reactor=epoll`` is Twisted's, and our transports are used on it."""
        self.named("epoll")

    def test_poll(self) -> None:
        """Under the poll reactor, with Twisted's transports."""
        self.named("poll")

    def test_select(self) -> None:
        """Under the select reactor, with Twisted's transports."""
        self.named("select")

    def test_asyncio(self) -> None:
        """Under the asyncio reactor, with Twisted's transports."""
        self.named("asyncio")


class EmbeddedTests(ReactorCase):
    """An application for ``twistd`` with a sidecar in it."""

    def test_reactors(self) -> None:
        """A sidecar serves in it on Twisted's epoll and asyncio reactors, and on ours."""
        for name in ("epoll", "asyncio", "mosntx"):
            port, directory = freePort(), self.folder()
            Path(directory, "mosn.yaml").write_text(proxyConfig(port, [self.upstream]))
            Path(directory, "application.py").write_text(APPLICATION)
            command = [*TWISTD, "--reactor", name, "-y", "application.py"]
            running = Running(command, port, directory)
            try:
                self.roundTrips(port)
            finally:
                code = running.stop()
            self.assertEqual(code, -signal.SIGTERM, name)  # so twistd ends
