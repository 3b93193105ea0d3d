"""Limits, and what is said about requests they refuse: the real daemon, three protocols."""

from __future__ import annotations

import json
import subprocess
from typing import Any
from urllib.request import urlopen

from tests.system.daemon import freePort, scriptPath, until
from tests.system.traffic import CLIENTS, HTTP, PATIENCE, TrafficCase, awaitHost, cluster

REASON = "x-mosntx-reason"
#: Requests that the rate limit of a test lets through at once.
BURST = 5


class LimitTests(TrafficCase):
    """Circuit breakers and the rate limit."""

    def test_requests(self) -> None:
        """With all allowed requests under way the next one is refused at once, none waits."""
        (host,) = self.hosts.add("host")
        limits = [{"max_requests": 4}]
        clients = self.serve(
            [cluster("back", [host], circuit_breakers=limits)], proxy={"reason_header": True}
        )
        for client in clients:
            host.holding = True
            tokens = [client.begin("back") for _ in range(4)]
            until(lambda: host.held == 4, f"{client.name}: requests under way")
            answer = client.send("back")
            self.assertEqual(answer.status, client.status(503), client.name)
            if isinstance(client, HTTP):
                self.assertEqual(answer.headers[REASON], "cluster_requests", client.name)
            host.release()
            self.assertAll([client.finish(token) for token in tokens], client)
            self.assertAll([client.send("back") for _ in range(5)], client)

    def test_connections(self) -> None:
        """However many requests there are, a host has as many connections as it may have."""
        hosts = self.hosts.add(*(kind.name for kind in CLIENTS))
        limits = [{"max_connections": 3}]
        clusters = [
            cluster(host.name, [host], circuit_breakers=limits, pending_timeout="20s")
            for host in hosts
        ]
        most = {}
        for client, host in zip(self.serve(clusters), hosts, strict=True):
            self.assertEqual(client.hosts(200, host.name), {host.name: 200})
            most[client.name] = host.most
        # HTTP/2 needs no second connection before the first is full.
        self.assertEqual(most, {"Http1": 3, "Http2": 1, "bolt": 3})

    def test_pending(self) -> None:
        """Requests wait for a connection; too many are refused, too long ends in a refusal."""
        (host,) = self.hosts.add("host")
        limits = [{"max_connections": 1, "max_pending_requests": 1}]
        back = cluster("back", [host], circuit_breakers=limits, pending_timeout="1s")
        client, *_ = self.serve([back], proxy={"reason_header": True})
        host.holding = True
        first = client.begin("back")
        until(lambda: host.held == 1, "the first request")
        second = client.begin("back")
        label = f'listener="{client.name}"'
        until(lambda: self.stats("downstream_request_active", label) == 2, "one that waits")
        third = client.send("back")
        self.assertEqual((third.status, third.headers[REASON]), (503, "pool_overflow"))
        waited = client.finish(second)
        self.assertEqual((waited.status, waited.headers[REASON]), (503, "pool_timeout"))
        fourth = client.begin("back")
        host.release()
        self.assertEqual(client.finish(first).host, "host")
        self.assertEqual(client.finish(fourth).host, "host")
        self.assertEqual(host.most, 1)

    def test_rate(self) -> None:
        """Beyond the burst requests are refused until time has passed, each user by itself."""
        (host,) = self.hosts.add("host")
        rate = {"requests_per_second": 1, "burst": BURST, "by": "header", "header": "x-user"}
        route = {"per_filter_config": {"rate_limit": rate}}
        filters: list[dict[str, Any]] = [{"type": "rate_limit", "config": {}}]
        clients = self.serve([cluster("back", [host], route=route)], filters=filters)
        for client in clients:
            answers = client.sendMany(30, "back", {"x-user": "a"})
            passed = [answer for answer in answers if answer.status == client.status(200)]
            refused = [answer for answer in answers if answer.status != client.status(200)]
            # A slow machine may need some seconds.
            self.assertTrue(BURST <= len(passed) <= BURST + 5, f"{client.name}: {len(passed)}")
            self.assertAll(refused, client, 429)
            if isinstance(client, HTTP):
                self.assertIn("retry-after", refused[0].headers, client.name)
            self.assertAll([client.send("back", fields={"x-user": "b"})], client)
        for client in clients:
            awaitHost("host", client, "back", {"x-user": "a"})


class FailureTests(TrafficCase):
    """What operators are told."""

    def test_reasons(self) -> None:
        """Header, admin API and command name the reason, and the line of the configuration."""
        (host,) = self.hosts.add("host")
        host.holding = True
        clients = self.serve(
            [
                cluster("dead", [f"127.0.0.1:{freePort()}"]),
                cluster("empty", []),
                cluster("slow", [host], route={"timeout": "150ms"}),
            ],
            proxy={"reason_header": True},
        )
        expected = (
            ("dead", "connect_failed", 502),
            ("empty", "no_healthy_host", 502),
            ("slow", "timeout", 504),
            ("nowhere", "no_route", 404),
        )
        for client in clients:
            for name, reason, status in expected:
                answer = client.send(name)
                self.assertEqual(answer.status, client.status(status), f"{client.name} {name}")
                self.assertEqual(answer.headers.get(REASON), reason, f"{client.name} {name}")
        count = len(clients)
        report = self.failures("")
        counts = {reason: count for _, reason, _ in expected}
        self.assertEqual(report["counts"], counts)
        self.assertEqual(len(report["failures"]), 4 * count)
        for name, reason, _ in expected:
            for entry in self.failures(f"?reason={reason}")["failures"]:
                self.assertEqual(entry["reason"], reason)
                self.assertEqual(entry["route"], self.routeLine(name), entry)
        self.command(host.address)

    def failures(self, query: str) -> Any:
        """Ask the admin API."""
        url = f"http://127.0.0.1:{self.admin}/api/v1/failures{query}"
        with urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)

    def routeLine(self, name: str) -> str:
        """Return where the route to a cluster begins in the configuration."""
        lines = self.text.splitlines()
        for number, line in enumerate(lines):
            if f'"cluster_name": "{name}"' in line:
                while '"match"' not in lines[number]:
                    number -= 1
                return f"{self.daemon.path}:{number}"
        return ""

    def command(self, address: str) -> None:
        """The command says the same in words."""
        arguments = [scriptPath("mosntx"), "failures", "--admin", f"127.0.0.1:{self.admin}"]
        said = subprocess.run(
            [*arguments, "--reason", "timeout", "-n", "1"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        ).stdout
        self.assertIn("  timeout  status 504  ", said)
        self.assertIn(address, said)
        self.assertIn(f"route: {self.routeLine('slow')}", said)
        self.assertIn("bolt from 127.0.0.1:", said)
        self.assertIn(f"timeout {len(CLIENTS)}", said.splitlines()[-1])
