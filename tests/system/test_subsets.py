"""Subsets of a cluster through the real daemon: rows R1, R3, R4 and R5 of the goals."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Mapping
from typing import Any

import requests
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import boltRequest
from tests.system.daemon import Daemon, freePort
from tests.system.namedservers import NamedServer, readBolt

#: The application's hosts, with several groups of labels.
HOSTS: dict[str, dict[str, str]] = {
    "old1": {"version": "1.0", "stage": "prod", "zone": "east"},
    "old2": {"version": "1.0", "stage": "prod", "zone": "west"},
    "new1": {"version": "2.0", "stage": "prod", "zone": "east"},
    "gray": {"version": "2.0", "stage": "gray", "zone": "west", "tier": "large"},
}


def labels(**pairs: str) -> dict[str, Any]:
    """Metadata as configured."""
    return {"filter_metadata": {"mosn.lb": pairs}}


def toSubset(match: Mapping[str, Any], **wanted: str) -> dict[str, Any]:
    """A route to a subset of the application."""
    return {
        "match": match,
        "route": {"cluster_name": "application", "metadata_match": labels(**wanted)},
    }


def sidecar(
    port: int,
    protocol: str,
    routes: list[dict[str, Any]],
    hosts: Mapping[int, Mapping[str, str]],
    subsets: Mapping[str, Any] | None = None,
    admin: int = 0,
) -> str:
    """Return a configuration: a listener, its routes, and the cluster ``application``.

    :param hosts: labels by port.
    """
    proxy = {"downstream_protocol": protocol, "router_config_name": "router"}
    listener = {
        "name": "front",
        "address": f"127.0.0.1:{port}",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": proxy}]}],
    }
    cluster: dict[str, Any] = {
        "name": "application",
        "hosts": [
            {"address": f"127.0.0.1:{at}", "metadata": labels(**pairs)}
            for at, pairs in hosts.items()
        ],
    }
    if subsets is not None:
        cluster["lb_subset_config"] = subsets
    virtualHosts = [{"name": "all", "domains": ["*"], "routers": routes}]
    router = {"router_config_name": "router", "virtual_hosts": virtualHosts}
    server = {"default_log_path": "stdout", "listeners": [listener], "routers": [router]}
    config: dict[str, Any] = {"servers": [server], "cluster_manager": {"clusters": [cluster]}}
    if admin:
        place = {"address": "127.0.0.1", "port_value": admin}
        config["admin"] = {"address": {"socket_address": place}}
    return json.dumps(config)  # which is YAML, too


class HttpSubsetTests(SynchronousTestCase):
    """HTTP/1.1: `requests` in front, four servers behind."""

    def start(self, routes: list[dict[str, Any]], selectors: list[list[str]], **more: Any) -> None:
        """Start the servers and the daemon."""
        self.servers: dict[str, NamedServer] = {}
        for name in HOSTS:
            server = self.servers[name] = NamedServer(name)
            self.addCleanup(server.stop)
        hosts = {self.servers[name].port: pairs for name, pairs in HOSTS.items()}
        port, self.admin = freePort(), freePort()
        subsets = {"subset_selectors": selectors, **more}
        config = sidecar(port, "Http1", routes, hosts, subsets, self.admin)
        daemon = Daemon(config, port)
        self.addCleanup(daemon.stop)
        self.assertNotIn("warning", daemon.output)
        self.url = f"http://127.0.0.1:{port}"
        self.session = requests.Session()
        self.addCleanup(self.session.close)

    def names(self, path: str, times: int = 12, **headers: str) -> Counter[str]:
        """Return which hosts answer, and how often."""
        found: Counter[str] = Counter()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        for _ in range(times):
            answer = self.session.get(self.url + path, headers=sent, timeout=20)
            found[answer.text if answer.status_code == 200 else str(answer.status_code)] += 1
        return found

    def stat(self, name: str) -> int:
        """Return what the admin API counts for the cluster."""
        stats = requests.get(f"http://127.0.0.1:{self.admin}/api/v1/stats", timeout=20).json()
        return int(stats["upstream"]["cluster.application"][name])

    def test_headersAndSubsets(self) -> None:
        """R1: testers, found by a pattern in a header, get the new version; others the old."""
        user = {"name": "x-user", "value": "^test-[0-9]+$", "regex": True}
        self.start(
            [
                toSubset({"prefix": "/", "headers": [user]}, version="2.0"),
                toSubset({"prefix": "/"}, version="1.0"),
            ],
            [["version"]],
        )
        self.assertEqual(self.names("/", x_user="test-7"), {"new1": 6, "gray": 6})
        self.assertEqual(self.names("/", x_user="somebody"), {"old1": 6, "old2": 6})
        self.assertEqual(self.names("/"), {"old1": 6, "old2": 6})
        self.assertEqual(self.stat("lb_subsets_created"), 2)

    def test_subsetsOfOneCluster(self) -> None:
        """R3: one cluster serves each path by another subset, and nobody when there is none."""
        self.start(
            [
                toSubset({"prefix": "/old"}, version="1.0"),
                toSubset({"prefix": "/new"}, version="2.0"),
                toSubset({"prefix": "/never"}, version="3.0"),
                {"match": {"prefix": "/"}, "route": {"cluster_name": "application"}},
            ],
            [["version"]],
        )
        self.assertEqual(set(self.names("/old")), {"old1", "old2"})
        self.assertEqual(set(self.names("/new")), {"new1", "gray"})
        self.assertEqual(self.names("/never"), {"502": 12})
        self.assertEqual(self.names("/"), dict.fromkeys(HOSTS, 3))
        self.assertEqual(self.stat("lb_subsets_fallback"), 0)

    def test_fallback(self) -> None:
        """R3: with a default subset a version that is not there is served by that subset."""
        self.start(
            [toSubset({"prefix": "/"}, version="3.0")],
            [["version"]],
            fall_back_policy=2,
            default_subset={"stage": "gray"},
        )
        self.assertEqual(self.names("/"), {"gray": 12})
        self.assertEqual(self.stat("lb_subsets_fallback"), 12)

    def test_weights(self) -> None:
        """R4: routes give each subset of a cluster its share of the requests, 80 to 20."""
        entries = [
            {"cluster": {"name": "application", "weight": weight, "metadata_match": wanted}}
            for weight, wanted in (
                (80, labels(version="1.0", stage="prod")),
                (20, labels(version="2.0", stage="gray")),
            )
        ]
        self.start(
            [{"match": {"prefix": "/"}, "route": {"weighted_clusters": entries}}],
            [["version", "stage"]],
        )
        times = 1000
        found = self.names("/", times)
        self.assertEqual(set(found), {"old1", "old2", "gray"})
        self.assertLess(abs(found["gray"] - 0.2 * times), 0.07 * times)  # 5 sigma
        self.assertLessEqual(abs(found["old1"] - found["old2"]), 1)

    def test_groupsOfLabels(self) -> None:
        """R5: hosts have several labels, the cluster several sets of keys, each with subsets."""
        self.start(
            [
                toSubset({"prefix": "/east"}, zone="east"),
                toSubset({"prefix": "/old-west"}, zone="west", version="1.0"),
                toSubset({"prefix": "/prod"}, stage="prod"),
                toSubset({"prefix": "/large"}, tier="large"),
            ],
            [["zone"], ["version", "zone"], ["stage"], ["tier"]],
        )
        for path, names in (
            ("/east", {"old1", "new1"}),
            ("/old-west", {"old2"}),
            ("/prod", {"old1", "old2", "new1"}),
            ("/large", {"gray"}),
        ):
            self.assertEqual(set(self.names(path)), names)
        self.assertEqual(self.stat("lb_subsets_created"), 2 + 4 + 2 + 1)


class BoltCanaryTests(SynchronousTestCase):
    """Bolt through two sidecars: the near one chooses by header and subset of the far hosts."""

    def setUp(self) -> None:
        far: dict[int, dict[str, str]] = {}
        anything = [
            {
                "match": {"headers": [{"name": "service", "value": ".*"}]},
                "route": {"cluster_name": "application"},
            }
        ]
        for name in ("stable", "canary"):
            server = NamedServer(name, rpc=True)
            self.addCleanup(server.stop)
            port = freePort()
            self.launch(sidecar(port, "bolt", anything, {server.port: {}}), port)
            far[port] = {"subset": name}
        near = freePort()
        self.launch(
            sidecar(near, "bolt", self.routes(), far, {"subset_selectors": [["subset"]]}), near
        )
        self.client = socket.create_connection(("127.0.0.1", near), 20)
        self.addCleanup(self.client.close)

    def routes(self) -> list[dict[str, Any]]:
        """Testers get the canary, services of the name Gone a subset that is not there."""

        def headers(**wanted: str) -> dict[str, Any]:
            return {
                "headers": [
                    {"name": name, "value": value, "regex": value.startswith("^")}
                    for name, value in wanted.items()
                ]
            }

        return [
            toSubset(headers(service="^Order", user="^test-"), subset="canary"),
            toSubset(headers(service="Gone"), subset="gone"),
            {"match": headers(service="Any"), "route": {"cluster_name": "application"}},
            toSubset(headers(service=".*"), subset="stable"),
        ]

    def launch(self, config: str, port: int) -> None:
        """Start a sidecar."""
        daemon = Daemon(config, port)
        self.addCleanup(daemon.stop)

    def ask(self, number: int, **headers: str) -> tuple[int, bytes]:
        """Call; return status and content of the answer."""
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        self.client.sendall(boltRequest(number, b"question", pairs))
        answer = readBolt(self.client, 20)
        self.assertEqual(int.from_bytes(answer[5:9], "big"), number)
        return int.from_bytes(answer[10:12], "big"), answer

    def test_canary(self) -> None:
        """Testers' orders reach the canary, all others the stable host (scenario 63)."""
        for number in range(1, 9):
            status, answer = self.ask(number, service="Orders:1.0", user="test-1")
            self.assertEqual((status, answer.endswith(b"canary")), (0, True))
            status, answer = self.ask(100 + number, service="Orders:1.0", user="someone")
            self.assertEqual((status, answer.endswith(b"stable")), (0, True))
            status, answer = self.ask(200 + number, service="Other", user="test-1")
            self.assertEqual((status, answer.endswith(b"stable")), (0, True))

    def test_noSubset(self) -> None:
        """A subset without hosts answers with status 6; without criteria both hosts serve."""
        status, _ = self.ask(1, service="Gone")
        self.assertEqual(status, 6)
        answers = [self.ask(number, service="Any") for number in range(2, 6)]
        self.assertEqual({status for status, _ in answers}, {0})
        self.assertEqual({answer[-6:] for _, answer in answers}, {b"stable", b"canary"})
