"""Hosts that are not well: outlier detection and health checks, with the real daemon."""

from __future__ import annotations

from typing import Any

from tests.system.daemon import until
from tests.system.hosts import Host
from tests.system.traffic import CLIENTS, HTTP, Client, TrafficCase, awaitHost, cluster

#: Seconds of a first ejection: time enough to see that the host is left out.
EJECTED = 2


def check(client: type[Client], name: str) -> dict[str, Any]:
    """Return the health checks of a cluster."""
    check: dict[str, Any] = {"service_name": name, "interval": "50ms", "timeout": "5s"}
    check |= {"initial_delay_seconds": "50ms", "interval_jitter": "1ms"}
    if client in HTTP:
        question = {"path": Host.CHECK, "timeout": "5s"}
        check["check_config"] = {"http_check_config": question}
    return {"protocol": "Http1" if client in HTTP else client.name, **check}


class HealthTests(TrafficCase):
    """A cluster of its own for each protocol, for health belongs to addresses."""

    def healthy(self, name: str, count: int) -> None:
        """Wait until so many hosts of a cluster are healthy."""
        label = f'cluster="{name}"'
        until(
            lambda: self.stats("upstream_membership_healthy", label) == count,
            f"{count} healthy hosts of {name}",
        )

    def test_checksTakeHostsOutAndIn(self) -> None:
        """A host that says it is not well gets nothing; nor does one that is gone."""
        pairs = {kind: self.hosts.add("good", "bad") for kind in CLIENTS}
        clusters = [
            cluster(kind.name, pair, health_check=check(kind, kind.name))
            for kind, pair in pairs.items()
        ]
        for client in self.serve(clusters):
            good, bad = pairs[type(client)]
            self.assertEqual(client.hosts(20, client.name), {"good": 10, "bad": 10})
            bad.status = 503
            self.healthy(client.name, 1)
            self.assertEqual(client.hosts(20, client.name), {"good": 20}, client.name)
            bad.status = 200
            self.healthy(client.name, 2)
            self.assertEqual(client.hosts(20, client.name), {"good": 10, "bad": 10})
            bad.kill()
            self.healthy(client.name, 1)
            self.assertEqual(client.hosts(20, client.name), {"good": 20}, client.name)
            bad.start()
            self.healthy(client.name, 2)
            self.assertEqual(client.hosts(20, client.name), {"good": 10, "bad": 10})
            good.kill()
            bad.kill()
            self.healthy(client.name, 0)
            self.assertAll(client.sendMany(5, client.name), client, 502)

    def test_outlierGoesAndReturns(self) -> None:
        """A host that answers 503 is ejected while clients see 200 only, and comes back."""
        outlier = {
            "consecutive_5xx": 3,
            "interval": "200ms",
            "base_ejection_time": f"{EJECTED}s",
            "max_ejection_percent": 50,
        }
        retry = {"retry_policy": {"retry_on": True, "num_retries": 1}}
        pairs = {kind: self.hosts.add("good", "bad") for kind in CLIENTS}
        clusters = [
            cluster(kind.name, pair, outlier_detection=outlier, route=retry)
            for kind, pair in pairs.items()
        ]
        clients = self.serve(clusters)
        for client in clients:
            _, bad = pairs[type(client)]
            bad.status = 503
            answers = [client.send(client.name) for _ in range(10)]
            self.assertAll(answers, client)
            self.assertEqual(len(bad.asked), 3, client.name)
            label = f'cluster="{client.name}"'
            self.assertEqual(self.stats("upstream_outlier_ejections_active", label), 1)
            self.assertEqual(client.hosts(20, client.name), {"good": 20}, client.name)
            self.assertEqual(len(bad.asked), 3, client.name)
            bad.status = 200
        for client in clients:
            awaitHost("bad", client, client.name)
            self.assertEqual(client.hosts(20, client.name), {"good": 10, "bad": 10})
            label = f'cluster="{client.name}"'
            self.assertEqual(self.stats("upstream_outlier_ejections_active", label), 0)
