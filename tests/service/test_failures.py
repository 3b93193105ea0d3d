"""Tests of `mosntx.service.failures`, and of the command ``mosntx failures``."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema.server import FlightRecorder as RecorderConfig
from mosntx.service.failures import NoAnswerError, askFailures, buildRecorder, failureLines
from mosntx.testing.mesh import MemoryMesh
from tests.service.build import ServiceCase, adminOn, config, fetch
from tests.service.test_cli import CommandCase

GET = b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

TEXT = """servers:
- listeners:
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
    - domains: ["*"]
      routers:
      - match: {prefix: /}
        route: {cluster_name: c, timeout: 2s}
cluster_manager:
  clusters:
  - name: c
    type: SIMPLE
    lb_type: LB_ROUNDROBIN
    hosts:
    - address: 127.0.0.1:2047
"""


class ReportTests(ServiceCase):
    """What a Sidecar says of its failures."""

    def failed(self, mesh: MemoryMesh) -> dict[str, Any]:
        """Let a request time out and return what is said of it."""
        mesh.advance(5)
        client = mesh.client(next(iter(mesh.sidecar.listeners)))
        client.send(GET)
        mesh.upstream()
        mesh.advance(70)
        (entry,) = mesh.sidecar.failures()["failures"]
        found: dict[str, Any] = entry
        return found

    def test_lines(self) -> None:
        """Route and cluster are named by their lines in the file."""
        mesh = MemoryMesh(TEXT)
        entry = self.failed(mesh)
        self.assertEqual(entry["route"], "<text>:15")
        self.assertEqual(entry["cluster_config"], "<text>:19")
        self.assertEqual(entry["limit"], "timeout: 2s")
        self.assertEqual(entry["milliseconds"], 2000)

    def test_noFile(self) -> None:
        """Without a file by their places in the configuration."""
        self.assertEqual(
            self.failed(MemoryMesh(config()))["route"],
            "servers[0].routers[0].virtual_hosts[0].routers[0]",
        )

    def test_text(self) -> None:
        """The report for people says what, where, when and what next."""
        mesh = MemoryMesh(TEXT)
        self.failed(mesh)
        text = "\n".join(failureLines(mesh.sidecar.failures()))
        for part in (
            "#1  ",
            "  timeout  status 504  GET a/x\n",
            "Http1 from 127.0.0.1:",
            "127.0.0.1:2047, sent at 0 ms, at 2000 ms timeout\n",
            "route: <text>:15\n",
            "limit: timeout: 2s\n",
            "cluster: c (<text>:19)\n",
            "next: ",
            "since the start: timeout 1",
        ):
            self.assertIn(part, text)

    def test_nothing(self) -> None:
        """No failures are said in words."""
        mesh = MemoryMesh(TEXT)
        self.assertEqual(
            list(failureLines(mesh.sidecar.failures())), ["since the start: no failures"]
        )

    def test_off(self) -> None:
        """It can be switched off, and then keeps nothing."""
        self.assertIsNone(buildRecorder(RecorderConfig(max_entries=0), lambda: 0.0))
        made = config()
        made["servers"][0]["flight_recorder"] = {"max_entries": 0}
        mesh = MemoryMesh(made)
        mesh.client("in").send(GET)
        mesh.refuse()
        self.assertEqual(mesh.sidecar.failures(), {"counts": {}, "failures": []})

    def test_admin(self) -> None:
        """The admin API gives the report, and the counters are with the others."""
        mesh = MemoryMesh(config(admin=adminOn("127.0.0.1")))
        self.failed(mesh)
        site: Any
        (site,) = [each[1] for each in mesh.reactor.tcpServers if each[0] == 34901]
        status, body = fetch(site, b"/api/v1/failures")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body), mesh.sidecar.failures())
        self.assertIn(b"failure_timeout", fetch(site, b"/metrics")[1])


class _Api(BaseHTTPRequestHandler):
    """An admin API that knows one failure less than nothing."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer with an empty report."""
        self.asked.append(self.path)
        body = b'{"counts": {"timeout": 7}, "failures": []}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class CommandTests(CommandCase):
    """``mosntx failures``, which asks by HTTP."""

    def serve(self) -> str:
        """Start an API in a thread and return its address."""
        server = HTTPServer(("127.0.0.1", 0), _Api)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        _Api.asked.clear()
        return f"127.0.0.1:{server.server_port}"

    def test_text(self) -> None:
        """The counts and the failures as text."""
        code, out, _ = self.run_("failures", "-a", self.serve(), "-n", "3", "--reason", "timeout")
        self.assertEqual((code, out), (0, "since the start: timeout 7\n"))
        self.assertEqual(_Api.asked, ["/api/v1/failures?limit=3&reason=timeout"])

    def test_json(self) -> None:
        """The same for programs."""
        code, out, _ = self.run_("failures", "--admin", self.serve(), "--json")
        self.assertEqual((code, json.loads(out)["counts"]), (0, {"timeout": 7}))

    def test_nobody(self) -> None:
        """Nothing runs there: a sentence, and exit code 2."""
        code, out, err = self.run_("failures", "-a", "127.0.0.1:1")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("the admin API on 127.0.0.1:1 cannot be asked", err)
        self.assertIn("is mosntx running", err)


class AskTests(SynchronousTestCase):
    """What is asked."""

    def test_noAddress(self) -> None:
        """Something that is no address is an error with a reason, no traceback."""
        self.assertRaises(NoAnswerError, askFailures, "nowhere:port", 1, "")
