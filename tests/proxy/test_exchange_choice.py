"""Exchanges in a whole Sidecar: which cluster and which host they get."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from twisted.logger import capturedLogs

from mosntx.testing.frames import boltResponse
from tests.proxy.build import MeshTestCase, proxyConfig, toCluster
from tests.proxy.test_exchange_bolt import request, rpcRoute
from tests.stream.multiplex.fakes import ids


class HashTests(MeshTestCase):
    """Clusters with ``LB_MAGLEV``: hosts by a key of the request."""

    def host(self, **fields: str) -> int:
        """Return the port of the host that a request goes to, on a connection of its own."""
        mesh = self.running
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        mesh.client("front").send(f"GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode())
        ((_, port),) = mesh.dialled
        mesh.upstream()
        return port

    def begun(self, *policies: Mapping[str, Any]) -> None:
        """Start the Sidecar."""
        route = toCluster(hash_policy=list(policies))
        self.begin(route, hosts=7, cluster={"lb_type": "LB_MAGLEV"})

    def test_header(self) -> None:
        """Equal values of the header reach the same host (scenario 78)."""
        self.begun({"header": {"key": "user"}})
        places = [{self.host(user=f"{user}") for _ in range(3)} for user in range(20)]
        self.assertEqual({len(place) for place in places}, {1})
        self.assertGreater(len(set().union(*places)), 3)

    def test_noPolicy(self) -> None:
        """Without a policy a client's address is the key: it is served, by one host each time."""
        self.begun()
        self.assertEqual(len({self.host() for _ in range(5)}), 1)

    def test_oddPolicy(self) -> None:
        """So it is with a policy that says nothing, or the address itself (scenario 82)."""
        found = set()
        policies: list[dict[str, Any]] = [{}, {"source_ip": {}}]
        for policy in policies:
            self.begun(policy)
            found.add(self.host())
            self.tearDown()
        self.begun()
        self.assertEqual(found, {self.host()})


class ClusterVariableTests(MeshTestCase):
    """Routes whose cluster a variable names."""

    def test_named(self) -> None:
        """A header says where the request goes (scenario 50); nothing about it is reported."""
        route = {"match": {"prefix": "/"}, "route": {"cluster_variable": "request_header_to"}}
        with capturedLogs() as events:
            mesh = self.begin(route)
        self.assertEqual([event["problem"] for event in events if "problem" in event], [])
        client = mesh.client("front")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nto: nowhere\r\n\r\n")
        self.assertStatus(client.take(), 404)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nto: app\r\n\r\n")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9001)])


class WeightTests(MeshTestCase):
    """Weighted clusters of weighted hosts."""

    def test_shares(self) -> None:
        """Of Bolt's requests 40 % go to one cluster, and a third of each to its light host."""
        entries = [{"cluster": {"name": name, "weight": weight}} for name, weight in WEIGHTS]
        config: Any = proxyConfig(
            rpcRoute(weighted_clusters=entries), proxy={"downstream_protocol": "bolt"}
        )
        config["cluster_manager"]["clusters"] += [
            {
                "name": name,
                "lb_type": "LB_WEIGHTED_ROUNDROBIN",
                "hosts": [
                    {"address": f"127.0.0.1:{port + heavy}", "weight": 1 + heavy}
                    for heavy in range(2)
                ],
            }
            for port, (name, _) in zip((9100, 9200), WEIGHTS, strict=True)
        ]
        mesh = self.beginWith(config)
        client = mesh.client("front")
        upstreams: dict[int, Any] = {}
        served: Counter[int] = Counter()
        for number in range(1, 101):
            client.send(request(number))
            while mesh.dialled:
                ((_, port),) = mesh.dialled
                upstreams[port] = mesh.upstream()
            for port, upstream in upstreams.items():
                for one in ids(upstream.take()):
                    served[port] += 1
                    upstream.send(boltResponse(one))
        self.assertEqual(served.total(), 100)
        first, second = served[9100] + served[9101], served[9200] + served[9201]
        self.assertLess(abs(first - 40), 12)
        self.assertLess(abs(served[9100] - first / 3), 1.5)
        self.assertLess(abs(served[9200] - second / 3), 1.5)


#: The clusters of a route, and their weights (scenario 35).
WEIGHTS = (("light", 40), ("heavy", 60))
