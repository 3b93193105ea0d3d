"""Retries and timeouts with the real daemon, real hosts and real clients of three protocols."""

from __future__ import annotations

import time
from typing import Any

from tests.system.daemon import freePort, until
from tests.system.hosts import Host
from tests.system.traffic import CLIENTS, WIDTH, Client, TrafficCase, awaitHost, cluster

#: Requests in each protocol before a host dies, and as many after it.
LOAD = 150
#: Limits of a cluster whose retries are not limited.
ENDLESS = [{"retry_budget": {"min_per_second": 1000}}]


def retry(times: int, **more: Any) -> dict[str, Any]:
    """Return the settings of a route."""
    return {"retry_policy": {"retry_on": True, "num_retries": times, **more}}


class RetryTests(TrafficCase):
    """Clients see no failure as long as a host is there that answers."""

    def test_oneBadHost(self) -> None:
        """A refused connect, a 503 and an answer that never comes are repeated elsewhere."""
        good, sick, mute = self.hosts.add("good", "sick", "mute")
        sick.status, mute.holding = 503, True
        gone = f"127.0.0.1:{freePort()}"
        clients = self.serve(
            [
                cluster("refused", [good, gone], route=retry(1)),
                cluster("sick", [good, sick], route=retry(1), circuit_breakers=ENDLESS),
                cluster("listed", [good, sick], route=retry(1, status_codes=[500])),
                cluster(
                    "mute",
                    [good, mute],
                    route=retry(3, retry_timeout="250ms"),
                    circuit_breakers=ENDLESS,
                ),
            ]
        )
        for client in clients:
            for name in ("refused", "sick", "mute"):
                answers = [client.send(name) for _ in range(5)]
                self.assertAll(answers, client)
                self.assertEqual({answer.host for answer in answers}, {"good"})
            answers = [client.send("listed") for _ in range(10)]
            self.assertEqual([answer.status for answer in answers].count(client.status(503)), 5)
        for host in (sick, mute):
            self.assertTrue(len(host.asked) >= 2 * len(clients), host.name)

    def test_budget(self) -> None:
        """When all hosts answer 503 they get at most a fifth more than what clients send."""
        for client, pair in self.pairs(503, route=retry(3)):
            self.assertAll(client.sendMany(400, client.name), client, 503)
            load = sum(len(host.asked) for host in pair)
            self.assertTrue(400 < load <= 480, f"{client.name}: {load} of 400")

    def test_timeouts(self) -> None:
        """The whole request, each attempt, and a header of the client end what takes too long."""
        found = []
        for client, pair in self.pairs(200, route={"timeout": "250ms"}, more=retry(1)):
            for host in pair:
                host.holding = True
            for name, fields, tries in (
                (client.name, {}, 1),
                (f"{client.name}-more", {"x-mosn-try-timeout": "150"}, 2),
                (f"{client.name}-more", {"x-mosn-global-timeout": "200"}, 1),
            ):
                before = sum(len(host.asked) for host in pair)
                began = time.monotonic()
                answer = client.send(name, fields=fields)
                found.append(time.monotonic() - began)
                self.assertEqual(answer.status, client.status(504), f"{client.name} {fields}")
                self.assertEqual(sum(len(host.asked) for host in pair) - before, tries)
            for host in pair:
                host.release()
            self.assertEqual(client.send(f"{client.name}-more").status, client.status(200))
        self.assertTrue(0.1 < min(found) < max(found) < 5, found)

    def pairs(
        self, status: int, route: dict[str, Any], more: dict[str, Any] | None = None
    ) -> list[tuple[Client, list[Host]]]:
        """Start a sidecar with a cluster of two hosts for each protocol.

        :param more: the route of a second cluster with the same hosts, called ``NAME-more``.
        """
        pairs = [self.hosts.add("one", "two") for _ in CLIENTS]
        clusters = []
        for kind, pair in zip(CLIENTS, pairs, strict=True):
            for host in pair:
                host.status = status
            clusters.append(cluster(kind.name, pair, route=route))
            clusters.append(cluster(f"{kind.name}-more", pair, route=more or route))
        return list(zip(self.serve(clusters), pairs, strict=True))


class DeathTests(TrafficCase):
    """A host dies under load."""

    def test_noRequestIsLost(self) -> None:
        """Of three hosts one is killed with requests under way: each request is answered well."""
        sets = [self.hosts.add("one", "two", "three") for _ in CLIENTS]
        clusters = [
            cluster(kind.name, hosts, route=retry(2))
            for kind, hosts in zip(CLIENTS, sets, strict=True)
        ]
        for client, hosts in zip(self.serve(clusters), sets, strict=True):
            self.die(client, hosts[0])

    def die(self, client: Client, victim: Host) -> None:
        """Kill the victim with requests in its hands, bring it up, kill it at any moment."""
        name = client.name
        answers = client.sendMany(LOAD, name)
        victim.holding = True
        tokens = [client.begin(name) for _ in range(WIDTH)]
        until(lambda: victim.held == WIDTH // 3, "requests under way")
        victim.kill()
        lost = [client.finish(token) for token in tokens]
        after = client.sendMany(LOAD, name)
        self.assertAll(answers + lost + after, client)
        self.assertIn(victim.name, [answer.host for answer in answers])
        self.assertNotIn(victim.name, [answer.host for answer in lost + after])
        victim.holding = False
        victim.start()
        awaitHost(victim.name, client, name)

        def between(number: int) -> None:
            if number == LOAD // 2:
                victim.kill()

        answers = client.sendMany(LOAD, name, between=between)
        self.assertAll(answers, client)
        self.assertIn(victim.name, [answer.host for answer in answers])
