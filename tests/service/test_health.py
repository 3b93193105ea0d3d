"""Tests of `mosntx.service.health`: the three legs of heartbeats, wired into a Sidecar."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.config.schema import Route, RouteAction, RouterConfig, VirtualHost
from mosntx.contracts.stream import IHeartbeatAnswer
from mosntx.filters.base import StreamFilter
from mosntx.filters.healthcheck import HealthcheckConfig, HealthcheckFactory
from mosntx.proxy.chain import FilterChain, FilterEntry
from mosntx.router.tables import RouterSlot
from mosntx.service.catalog import standardCatalog
from mosntx.service.health import heartbeatAnswer
from mosntx.testing.contracts.filter import FakeFilterContext
from mosntx.testing.frames import boltHeartbeat, boltHeartbeatAck
from mosntx.testing.mesh import MemoryMesh, Peer
from mosntx.testing.trframes import trHeartbeat, trHeartbeatAck
from tests.proxy.build import proxyConfig

ROUTE = {
    "match": {"headers": [{"name": "service", "value": ".*"}]},
    "route": {"cluster_name": "app"},
}
CHECK = {
    "service_name": "app",
    "protocol": "boltv2",
    "initial_delay_seconds": "1s",
    "interval": "5s",
    "interval_jitter": "1ns",
    "timeout": "2s",
    "unhealthy_threshold": 2,
}


class LegsTests(SynchronousTestCase):
    """Bolt in front of a cluster ``app`` with one host."""

    def begin(
        self, check: dict[str, Any] | None = None, protocol: str = "bolt", **filter: Any
    ) -> MemoryMesh:
        """Start a Sidecar."""
        config = proxyConfig(
            ROUTE,
            proxy={"downstream_protocol": protocol},
            cluster={"health_check": check} if check else None,
            listener={"stream_filters": [{"type": "healthcheck", "config": filter}]},
        )
        self.mesh = MemoryMesh(config, catalog=standardCatalog())
        self.addCleanup(self.end)
        return self.mesh

    def end(self) -> None:
        """Stop; nothing may be left."""
        mesh = self.mesh
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual((mesh.timers, mesh.dialled), (0, []))

    def beat(self, client: Peer, number: int = 7, version: int = 1) -> bytes:
        """Send a heartbeat of a client; return what it gets at once."""
        client.send(boltHeartbeat(number, version=version))
        return client.take()

    def test_outage(self) -> None:
        """A client's heartbeats: well, not well while the host is away, well again."""
        mesh = self.begin(CHECK, cluster_min_healthy_percentages={"app": 100})
        client = mesh.client("front")
        well, ill = boltHeartbeatAck(7, 0), boltHeartbeatAck(7, 1)
        self.assertEqual(self.beat(client), well)
        mesh.advance(1.1)
        mesh.refuse()
        self.assertEqual(self.beat(client), well)  # one failure is below the threshold
        mesh.advance(5.1)
        upstream = mesh.upstream()
        self.assertEqual(upstream.take()[:2], b"\x02\x01")
        mesh.advance(2.1)  # no answer in time
        self.assertTrue(upstream.closed)
        self.assertEqual(self.beat(client), ill)
        self.assertEqual(self.beat(client, version=2), boltHeartbeatAck(7, 1, version=2))
        mesh.advance(5.1)
        upstream = mesh.upstream()
        number = int.from_bytes(upstream.take()[6:10], "big")
        upstream.send(boltHeartbeatAck(number, version=2))
        self.assertEqual(self.beat(client), well)
        self.assertEqual(mesh.value("attempt", service="app"), 3)
        self.assertEqual(mesh.value("network_failure", service="app"), 2)
        self.assertEqual(mesh.value("request_total"), 0)

    def test_passThrough(self) -> None:
        """Many clients, one heartbeat to the application, and its answer for a while."""
        mesh = self.begin(passthrough=True, cache_time="10s")
        clients = [mesh.client("front") for _ in range(20)]
        for number, client in enumerate(clients):
            self.assertEqual(self.beat(client, number), b"")
        upstream = mesh.upstream()
        sent = upstream.take()
        self.assertEqual(len(sent), 22)
        upstream.send(boltHeartbeatAck(int.from_bytes(sent[5:9], "big")))
        for number, client in enumerate(clients):
            self.assertEqual(client.take(), boltHeartbeatAck(number))
        self.assertEqual(self.beat(clients[0]), boltHeartbeatAck(7))
        self.assertEqual((upstream.take(), mesh.value("request_total")), (b"", 0))

    def test_tr(self) -> None:
        """The same for TR: checks decide on the answers of a client's heartbeats."""
        mesh = self.begin(
            {**CHECK, "protocol": "tr"}, "tr", cluster_min_healthy_percentages={"app": 1}
        )
        client = mesh.client("front")
        mesh.advance(1.1)
        mesh.upstream().send(trHeartbeatAck(1, 3))
        mesh.advance(5.1)
        mesh.peers[-1].send(trHeartbeatAck(2, 3))
        client.send(trHeartbeat(5))
        self.assertIn(b"no healthy upstream", client.take())
        self.assertEqual(mesh.value("active_failure", service="app"), 2)
        mesh.advance(5.1)
        mesh.peers[-1].send(trHeartbeatAck(3))
        self.assertEqual(mesh.value("healty", service="app"), 1)
        client.send(trHeartbeat(6))
        answer = client.take()
        self.assertTrue(answer)
        self.assertNotIn(b"no healthy upstream", answer)

    def test_passThroughToNobody(self) -> None:
        """An application that refuses: not well, for as long as the answer is good."""
        mesh = self.begin(passthrough=True, cache_time="10s")
        client = mesh.client("front")
        self.assertEqual(self.beat(client), b"")
        mesh.refuse()
        self.assertEqual(client.take(), boltHeartbeatAck(7, 1))
        self.assertEqual(self.beat(client, 8), boltHeartbeatAck(8, 1))
        self.assertEqual(mesh.dialled, [])

    def test_clientLeaves(self) -> None:
        """A client that does not wait for its answer does no harm."""
        mesh = self.begin(passthrough=True)
        client = mesh.client("front")
        self.beat(client)
        client.reset()
        upstream = mesh.upstream()
        upstream.send(boltHeartbeatAck(int.from_bytes(upstream.take()[5:9], "big")))
        self.assertEqual(client.take(), b"")

    def test_stopDuringCheck(self) -> None:
        """A Sidecar that stops gives checks under way up."""
        mesh = self.begin({**CHECK, "protocol": "bolt"})
        mesh.advance(1.1)
        mesh.upstream()
        mesh.advance(0.1)

    def test_callbacks(self) -> None:
        """A function of the user is told of each check: one change to ill, one to well."""
        told: list[tuple[str, bool, bool]] = []
        config = proxyConfig(
            ROUTE,
            cluster={
                "health_check": {**CHECK, "protocol": "", "common_callbacks": ["mine"]},
            },
            proxy={"downstream_protocol": "bolt"},
        )
        self.mesh = mesh = MemoryMesh(
            config,
            catalog=standardCatalog(),
            healthCallbacks={"mine": lambda host, *news: told.append((host.address, *news))},
        )
        self.addCleanup(self.end)
        mesh.advance(1.1)
        mesh.upstream()
        for _ in range(2):
            mesh.advance(5.1)
            mesh.refuse()
        mesh.advance(5.1)
        mesh.upstream()
        address = "127.0.0.1:9001"
        self.assertEqual(
            told,
            [
                (address, False, True),
                (address, False, True),  # below the threshold
                (address, True, False),
                (address, True, True),
            ],
        )

    def test_eventLog(self) -> None:
        """The event log is a file like other logs."""
        path = self.mktemp()
        mesh = self.begin({**CHECK, "protocol": "", "event_log_path": path})
        mesh.advance(1.1)
        mesh.upstream()
        mesh.advance(0.1)
        with open(path, encoding="ascii") as file:
            self.assertRegex(
                file.read(),
                r"\Atime:\d+,host:127\.0\.0\.1:9001,health_status:1,current_result:1,"
                r"status_changed:0\n\Z",
            )


@implementer(IHeartbeatAnswer)
class Answers(StreamFilter):
    """Somebody else's filter, which does not care for routes."""

    def heartbeat(self, streams: Any, frame: Any) -> None:
        """See `IHeartbeatAnswer.heartbeat`."""
        streams.answerHeartbeat(frame, 5)


class HeartbeatAnswerTests(SynchronousTestCase):
    """Who answers the heartbeats of a listener."""

    def test_nobody(self) -> None:
        """Filters that do not know heartbeats are passed over."""
        chain = FilterChain([FilterEntry("plain", StreamFilter())])
        self.assertIsNone(heartbeatAnswer(chain, RouterSlot("r")))
        self.assertIsNone(heartbeatAnswer(FilterChain(), RouterSlot("r")))

    def test_first(self) -> None:
        """The first one that does answers."""
        filters = [StreamFilter(), Answers(), Answers()]
        chain = FilterChain(FilterEntry(str(place), one) for place, one in enumerate(filters))
        self.assertIs(heartbeatAnswer(chain, RouterSlot("r")), filters[1])

    def test_routes(self) -> None:
        """The filter of this package is told the routes as they are at each moment."""
        config = HealthcheckConfig(passthrough=True)
        one = HealthcheckFactory().build(config, FakeFilterContext())
        slot = RouterSlot("r")
        self.assertIs(heartbeatAnswer(FilterChain([FilterEntry("h", one)]), slot), one)
        self.assertEqual(one.clusterNames(), ())
        route = Route(route=RouteAction(cluster_name="app"))
        host = VirtualHost(domains=("*",), routers=(route,))
        slot.config = RouterConfig(virtual_hosts=(host,))
        self.assertEqual(one.clusterNames(), ("app",))
