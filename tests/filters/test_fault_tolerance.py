"""Tests of `mosntx.filters.fault_tolerance`: hosts that fail far more than others are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.problems import ConfigError
from mosntx.contracts.filters import CONTINUE, IBackground, IStreamFilterFactory
from mosntx.filters import fault_tolerance
from mosntx.filters.base import StreamFilter
from mosntx.filters.fault_tolerance import (
    HOST_FAILED,
    FaultToleranceConfig,
    FaultToleranceFactory,
    FaultToleranceFilter,
)
from mosntx.net.timers import TICK
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.proxy.reasons import REASONS
from mosntx.service.catalog import standardCatalog
from mosntx.testing.contracts.filter import FakeFilterContext, FilterSuite
from mosntx.testing.mesh import MemoryMesh, Peer
from mosntx.testing.upstream import FakeCluster, FakeExchange, hosts
from tests.proxy.build import GET, OK, MeshTestCase, post, proxyConfig, response

ON = {"enabled": True, "timeWindow": 1000, "leastWindowCount": 2, "recoverTime": 5000}


def tolerance(**more: Any) -> dict[str, Any]:
    """Return the filter as it stands in a configuration."""
    return {"type": "fault_tolerance", "config": {**ON, **more}}


class FaultToleranceSuiteTests(FilterSuite, SynchronousTestCase):
    """The contract of stream filters."""

    def factory(self) -> IStreamFilterFactory:
        """See `FilterSuite`."""
        return FaultToleranceFactory()

    def configs(self) -> Sequence[Any]:
        """See `FilterSuite`."""
        return [FaultToleranceConfig(), FaultToleranceConfig(enabled=True)]

    def test_off(self) -> None:
        """It is off by default, and then overrides nothing."""
        self.assertIs(type(self.filters()[0]), StreamFilter)

    def test_background(self) -> None:
        """It says that it works besides requests."""
        self.assertTrue(IBackground.providedBy(self.filters()[1]))

    def test_bad(self) -> None:
        """A multiple that every host would reach is refused."""
        for multiple in (1.0, 0.0, -5.0, float("nan")):
            config = FaultToleranceConfig(exceptionRateMultiple=multiple)
            with self.assertRaises(ValueError):
                FaultToleranceFactory().build(config, FakeFilterContext())

    def test_reasons(self) -> None:
        """The reasons that count are reasons that there are."""
        self.assertLessEqual(HOST_FAILED, set(REASONS))


class CountingTests(SynchronousTestCase):
    """Which hosts are ejected, and for how long."""

    def build(self, count: int = 6, **config: Any) -> FaultToleranceFilter:
        """Build a filter in front of one cluster."""
        self.context = FakeFilterContext()
        self.out = self.context.ejections.out
        self.cluster = FakeCluster("app", hosts(*[1] * count))
        built = FaultToleranceFactory().build(
            FaultToleranceConfig(**{**ON, **config}), self.context
        )
        assert isinstance(built, FaultToleranceFilter)
        built.start()
        self.filter = built
        return built

    def answer(self, host: int, *statuses: int, reason: str = "") -> None:
        """Let a host answer."""
        for status in statuses:
            exchange: Any = FakeExchange()
            exchange.cluster = self.cluster
            exchange.host = self.cluster.hosts[host]
            exchange.reason = reason
            head = ResponseHead(status, Headers([]))
            self.assertEqual(self.filter.responseHead(exchange, head, True), CONTINUE)

    def others(self, *but: int) -> None:
        """Let all other hosts answer well."""
        for host in range(len(self.cluster.hosts)):
            if host not in but:
                self.answer(host, 200, 200)

    def wait(self, seconds: float = 1.0) -> list[int]:
        """Let time pass; return the hosts that are out."""
        self.context.clock.advance(seconds + TICK)
        return [at for at, host in enumerate(self.cluster.hosts) if host.address in self.out]

    def test_ejected(self) -> None:
        """A host that fails six times as often as all together goes, and comes back by itself."""
        self.build()
        self.answer(2, 503, 502)
        self.others(2)
        self.assertEqual(self.wait(0.9), [])
        self.assertEqual(self.wait(0.1), [2])
        stats = self.cluster.stats
        self.assertEqual((stats.outlier_ejections_total, stats.outlier_ejections_active), (1, 1))
        self.assertEqual(self.wait(4.9), [2])
        self.assertEqual(self.wait(0.2), [])
        self.assertEqual((stats.outlier_ejections_total, stats.outlier_ejections_active), (1, 0))
        self.assertEqual((self.context.wheel.active, self.filter._scopes), (0, {}))

    def test_everybody(self) -> None:
        """When all fail alike nobody is ejected; nor is the only host."""
        for count in (6, 1):
            self.build(count)
            for host in range(count):
                self.answer(host, 503, 503)
            self.assertEqual(self.wait(), [])

    def test_multiple(self) -> None:
        """The rate is compared with that of all hosts, this one included."""
        for multiple, out in ((5.9, [0]), (6.0, [0]), (6.1, [])):
            self.build(exceptionRateMultiple=multiple)
            self.answer(0, 503, 503)
            self.others(0)
            self.assertEqual(self.wait(), out)

    def test_fewAnswers(self) -> None:
        """A host with too few answers is not judged, and does not count for the others."""
        self.build()
        self.answer(0, 503)
        self.others(0)
        self.assertEqual(self.wait(), [])
        self.build(2, exceptionRateMultiple=1.5)
        self.answer(0, 503, 503)
        self.answer(1, 200)
        self.assertEqual(self.wait(), [])

    def test_noLeast(self) -> None:
        """With 0 each host that has answered is compared."""
        self.build(leastWindowCount=0, maxIpCount=2)
        for _ in range(2):
            self.answer(0, 503)
            self.others(0)
            self.wait()
        self.assertEqual(self.cluster.stats.outlier_ejections_total, 1)

    def test_windows(self) -> None:
        """Each window counts anew, and begins with an answer."""
        self.build()
        for _ in range(3):
            self.answer(0, 503)
            self.others(0)
            self.assertEqual(self.wait(), [])
            self.assertEqual(self.context.wheel.active, 0)
        self.assertEqual(self.filter._scopes, {})

    def test_most(self) -> None:
        """No more than ``maxIpCount`` are out at a time, the worst first."""
        self.build(12, exceptionRateMultiple=2)
        self.answer(3, 503, 200)
        self.answer(7, 503, 503)
        self.others(3, 7)
        self.assertEqual(self.wait(), [7])
        self.assertEqual(self.cluster.stats.outlier_ejections_overflow, 1)
        self.build(12, exceptionRateMultiple=2, maxIpCount=2)
        self.answer(3, 503, 200)
        self.answer(7, 503, 503)
        self.others(3, 7)
        self.assertEqual(self.wait(), [3, 7])

    def test_whileOut(self) -> None:
        """What an ejected host still answers does not count, not even afterwards."""
        self.build(maxIpCount=2)
        self.answer(2, 503, 503)
        self.others(2)
        self.wait()
        self.answer(2, 503, 503)
        self.others(2)
        self.assertEqual(self.wait(4.0 - 2 * TICK), [2])
        self.answer(2, 503, 503)
        self.others(2)
        self.assertEqual(self.wait(1.0), [])
        self.assertEqual(self.cluster.stats.outlier_ejections_total, 1)

    def test_lastOne(self) -> None:
        """A host stays while no other one is healthy, whatever its rate."""
        self.build()
        for host in self.cluster.hosts[1:]:
            host.healthy = False
        self.answer(0, 503, 503)
        self.others(0)
        self.assertEqual(self.wait(), [])
        self.assertEqual(self.cluster.stats.outlier_ejections_overflow, 1)

    def test_reasons(self) -> None:
        """Answers made here count when it was the host's fault; without a host nothing does."""
        for reason, out in (("connect_failed", [0]), ("pool_overflow", []), ("", [0])):
            self.build()
            self.answer(0, 503, 503, reason=reason)
            self.others(0)
            self.assertEqual(self.wait(), out, reason)
        self.build()
        exchange: Any = FakeExchange()
        self.filter.responseHead(exchange, ResponseHead(503, Headers([])), True)
        self.assertEqual(self.context.wheel.active, 0)

    def test_types(self) -> None:
        """Which statuses are failures can be said."""
        self.build(exceptionTypes=(404,))
        self.answer(0, 404, 404)
        self.answer(1, 503, 503)
        self.others(0, 1)
        self.assertEqual(self.wait(), [0])

    def test_goneHost(self) -> None:
        """A host that has left its cluster is forgotten at the end of the next window."""
        self.build()
        self.answer(0, 503, 503)
        self.others(0)
        self.wait()
        self.assertEqual(list(self.out), [self.cluster.hosts[0].address])
        self.cluster.hosts = self.cluster.hosts[1:]
        self.answer(1, 200)
        self.wait()
        self.assertEqual(dict(self.out), {})
        self.assertEqual(self.context.wheel.active, 0)

    def test_otherCluster(self) -> None:
        """Another cluster of the same name begins anew; the first one's ejections end."""
        self.build()
        self.answer(0, 503, 503)
        self.others(0)
        self.wait()
        first = self.cluster.stats
        self.cluster = FakeCluster("app", hosts(*[1] * 6))
        self.answer(1, 200)
        self.assertEqual((dict(self.out), first.outlier_ejections_active), ({}, 0))

    def test_stop(self) -> None:
        """The end lets all hosts in and leaves no timer; later answers begin nothing."""
        self.build()
        self.answer(0, 503, 503)
        self.others(0)
        self.wait()
        self.answer(1, 200)
        self.assertEqual(self.context.wheel.active, 2)
        self.filter.stop()
        self.assertEqual((self.context.wheel.active, dict(self.out)), (0, {}))
        self.answer(1, 200)
        self.assertEqual((self.context.wheel.active, self.filter._scopes), (0, {}))

    def test_bounds(self) -> None:
        """However many hosts and clusters there are, only so many are kept."""
        self.build(fault_tolerance.MAX_HOSTS + 1)
        self.others()
        self.assertEqual(len(self.filter._scopes["app"].hosts), fault_tolerance.MAX_HOSTS)
        few = self.cluster.hosts[:1]
        for number in range(fault_tolerance.MAX_CLUSTERS):
            self.cluster = FakeCluster(str(number), few)
            self.answer(0, 200)
        self.assertEqual(len(self.filter._scopes), fault_tolerance.MAX_CLUSTERS)


class FaultToleranceTests(MeshTestCase):
    """What clients notice."""

    def answers(self, client: Peer, count: int, bad: bytes) -> list[bytes]:
        """Send requests one after the other; one host answers with ``bad``."""
        mesh, found = self.running, []
        for _ in range(count):
            client.send(GET)
            while mesh.dialled:
                self.peers.append((mesh.dialled[0][1], mesh.upstream()))
            for port, peer in self.peers:
                if peer.take():
                    peer.send(response(b"", bad) if port == 9001 else OK)
            found.append(client.take()[9:12])
        return found

    def setUp(self) -> None:
        self.peers: list[tuple[int, Peer]] = []

    def test_ejected(self) -> None:
        """One of six hosts answers 503: after a window it is asked no more, later again."""
        mesh = self.begin(hosts=6, filters=[tolerance()])
        client = mesh.client("front")
        self.assertEqual(self.answers(client, 12, b"503 No").count(b"503"), 2)
        mesh.advance(1.1)
        self.assertEqual(self.answers(client, 12, b"503 No"), [b"200"] * 12)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 1)
        mesh.advance(5.1)
        self.assertEqual(self.answers(client, 6, b"503 No").count(b"503"), 1)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 0)

    def test_beside(self) -> None:
        """A host that outlier detection has ejected, too, waits until both let it in."""
        outlier = {"outlier_detection": {"consecutive_5xx": 2, "base_ejection_time": "30s"}}
        mesh = self.begin(hosts=6, filters=[tolerance()], cluster=outlier)
        client = mesh.client("front")
        self.answers(client, 12, b"503 No")
        mesh.advance(1.1)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 2)
        mesh.advance(6)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 1)
        self.assertEqual(self.answers(client, 6, b"503 No"), [b"200"] * 6)
        mesh.advance(25)
        self.assertEqual(self.answers(client, 6, b"503 No").count(b"503"), 1)

    def test_lost(self) -> None:
        """Answers that this sidecar makes because a host breaks off count against that host."""
        mesh = self.begin(hosts=6, filters=[tolerance(exceptionTypes=[500, 502])])
        client = mesh.client("front")
        lost = 0
        for _ in range(12):
            client.send(post(b"x"))
            while mesh.dialled:
                self.peers.append((mesh.dialled[0][1], mesh.upstream()))
            for port, peer in self.peers:
                if not peer.closed and peer.take():
                    if port == 9001:
                        peer.reset()
                    else:
                        peer.send(OK)
            lost += not client.take().startswith(b"HTTP/1.1 200 ")
        self.assertEqual(lost, 2)
        mesh.advance(1.1)
        self.assertEqual(mesh.value("outlier_ejections_active", cluster="app"), 1)

    def test_bad(self) -> None:
        """What cannot work is said with its place."""
        for config, place in (
            ({"exceptionRateMultiple": 1}, "stream_filters[0]"),
            ({"timeWindow": 9}, "stream_filters[0].config.timeWindow"),
        ):
            listener = {"stream_filters": [tolerance(**config)]}
            with self.assertRaises(ConfigError) as caught:
                MemoryMesh(proxyConfig(listener=listener), catalog=standardCatalog())
            self.assertIn(place, str(caught.exception))
