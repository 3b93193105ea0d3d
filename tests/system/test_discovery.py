"""The real daemon, a real name server, real upstreams: traffic follows records and files."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort, until
from tests.system.nameserver import NamedUpstream, NameServer, freePortOnAll

CONFIG = """\
servers:
  - default_log_path: stdout
    listeners:
      - name: front
        address: "127.0.0.1:{front}"
        bind_port: true
        filter_chains:
          - filters:
              - {{type: proxy, config: {{downstream_protocol: Http1, router_config_name: r}}}}
    routers:
      - router_config_name: r
        virtual_hosts:
          - domains: ["*"]
            routers: [{{match: {{prefix: /}}, route: {{cluster_name: back}}}}]
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {admin}}}}}}}
cluster_manager:
  clusters:
    - {{name: back, {cluster}}}
"""
NAMED = (
    'type: {type}, dns_refresh_rate: 100ms, hosts: [{host}], dns_resolvers: {{servers: ["127.0.0.1:'
    '{port}"], timeout: 1, attempts: 1}}'
)


class DiscoveryTests(SynchronousTestCase):
    """One daemon in front of upstreams whose addresses change."""

    def setUp(self) -> None:
        addresses = ("127.0.0.1", "127.0.0.2")
        self.port = freePortOnAll(addresses)
        for name, address in zip(("one", "two"), addresses, strict=True):
            upstream = NamedUpstream(address, self.port, name)
            self.addCleanup(upstream.stop)
        self.front, self.admin = freePort(), freePort()
        self.records = Path(os.path.abspath(self.mktemp()))
        self.records.write_text("{}")

    def daemon(self, cluster: str) -> Daemon:
        text = CONFIG.format(front=self.front, admin=self.admin, cluster=cluster)
        daemon = Daemon(text, self.front)
        self.addCleanup(daemon.stop)
        return daemon

    def nameServer(self) -> tuple[NameServer, int]:
        port = freePort()
        return NameServer(port, str(self.records)), port

    def put(self, **records: Any) -> None:
        """Give ``web`` and ``_http._tcp.web`` these records and no others, at once."""
        new = self.records.with_suffix(".new")
        names = {"web": "web.test", "service": "_http._tcp.web.test"}
        new.write_text(json.dumps({names[key]: value for key, value in records.items()}))
        os.replace(new, self.records)

    def ask(self) -> str:
        """Ask the daemon; return which upstream has answered, or the status."""
        try:
            with urlopen(f"http://127.0.0.1:{self.front}/", timeout=10) as answer:
                text: str = answer.read().decode()
                return text
        except HTTPError as error:
            error.close()
            return str(error.code)

    def stat(self, key: str) -> float:
        """Return a counter of the discovery."""
        with urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f"discovery_{key}{{"):
                    return float(line.rpartition(" ")[2])
        return 0.0

    def awaitAnswer(self, name: str) -> None:
        until(lambda: self.ask() == name, f"answers of {name}")

    def test_recordsChange(self) -> None:
        """Traffic moves with the records, and stays when the name server is gone."""
        self.put(web=[["A", "127.0.0.1"]])
        server, port = self.nameServer()
        host = f'{{address: "web.test:{self.port}"}}'
        daemon = self.daemon(NAMED.format(type="STRICT_DNS", host=host, port=port))
        self.assertEqual(self.ask(), "one")
        self.put(web=[["A", "127.0.0.2"]])
        self.awaitAnswer("two")
        server.stop()
        before = self.stat("update_failure")
        until(lambda: self.stat("update_failure") >= before + 2, "failures")
        self.assertEqual({self.ask() for _ in range(5)}, {"two"})
        self.assertEqual(daemon.output.count("no name server answers; its hosts stay"), 1)
        self.put(web=[["A", "127.0.0.1"]])
        again = NameServer(port, str(self.records))
        self.addCleanup(again.stop)
        self.awaitAnswer("one")

    def test_services(self) -> None:
        """SRV records say where to go, the port included; a large answer comes by TCP."""
        self.put(web=[["A", "127.0.0.1"]], service=[["SRV", 0, 1, self.port, "web.test"]])
        server, port = self.nameServer()
        self.addCleanup(server.stop)
        host = "{address: _http._tcp.web.test, srv: true}"
        self.daemon(NAMED.format(type="STRICT_DNS", host=host, port=port))
        self.assertEqual(self.ask(), "one")
        many = [["SRV", 9, 1, number, "web.test"] for number in range(1, 60)]
        self.put(web=[["A", "127.0.0.2"]], service=[["SRV", 0, 1, self.port, "web.test"], *many])
        self.awaitAnswer("two")

    def test_logicalName(self) -> None:
        """New connections go to the newest answer."""
        self.put(web=[["A", "127.0.0.1"]])
        server, port = self.nameServer()
        self.addCleanup(server.stop)
        host = f'{{address: "web.test:{self.port}"}}'
        more = "max_requests_per_connection: 1"
        cluster = NAMED.format(type="LOGICAL_DNS", host=host, port=port)
        self.daemon(f"{cluster}, {more}")
        self.assertEqual(self.ask(), "one")
        self.put(web=[["A", "127.0.0.2"]])
        self.awaitAnswer("two")

    def test_noNameServer(self) -> None:
        """Without any answer the daemon serves all the same, and finds the hosts later."""
        self.put(web=[["A", "127.0.0.1"]])
        port = freePort()
        host = f'{{address: "web.test:{self.port}"}}'
        self.daemon(NAMED.format(type="STRICT_DNS", host=host, port=port))
        self.assertEqual(self.ask(), "502")
        server = NameServer(port, str(self.records))
        self.addCleanup(server.stop)
        self.awaitAnswer("one")

    def test_file(self) -> None:
        """Traffic moves with the file; a bad one is reported with its place and moves nothing."""
        path = Path(os.path.abspath(self.mktemp()))
        path.write_text(f"hosts: [{{address: '127.0.0.1:{self.port}'}}]\n")
        daemon = self.daemon(f"type: FILE, hosts_file: {path}, hosts_file_interval: 100ms")
        self.assertEqual(self.ask(), "one")
        path.write_text(f"hosts:\n  - address: '127.0.0.2:{self.port}'\n  - address: nowhere\n")
        until(lambda: f"{path}:3:14: error" in daemon.output, "a report")
        self.assertEqual(self.ask(), "one")
        path.write_text(f"hosts: [{{address: '127.0.0.2:{self.port}'}}]\n")
        self.awaitAnswer("two")

    def test_adminApi(self) -> None:
        """Clusters and hosts change while requests come; none of them fails."""
        one, two = f"127.0.0.1:{self.port}", f"127.0.0.2:{self.port}"
        self.daemon(f"type: SIMPLE, hosts: [{{address: '{one}'}}]")
        self.assertEqual(self.ask(), "one")
        for path, body in (
            ("append_hosts", {"cluster": "back", "hosts": [two]}),
            ("remove_hosts", {"cluster": "back", "addresses": [one]}),
            ("update_cluster", {"name": "back", "circuit_breakers": [{"max_requests": 9}]}),
        ):
            self.change(path, body)
            self.assertIn(self.ask(), ("one", "two"))
        self.assertEqual({self.ask() for _ in range(5)}, {"two"})
        self.change("update_hosts", {"cluster": "back", "hosts": [{"address": one}]})
        self.assertEqual({self.ask() for _ in range(5)}, {"one"})
        with urlopen(f"http://127.0.0.1:{self.admin}/api/v1/clusters", timeout=10) as answer:
            (found,) = json.load(answer)
        self.assertEqual([host["address"] for host in found["hosts"]], [one])
        self.change("remove_clusters", {"names": ["back"]})
        self.assertEqual(self.ask(), "404")

    def change(self, path: str, body: dict[str, Any]) -> None:
        """Send an update to the admin API."""
        url = f"http://127.0.0.1:{self.admin}/api/v1/{path}"
        with urlopen(Request(url, json.dumps(body).encode()), timeout=10) as answer:
            self.assertEqual(answer.status, 200)
