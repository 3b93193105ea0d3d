"""Tests of `mosntx.upstream.health.checks`."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CheckConfig, HealthCheck, HttpCheck
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.net.connector import ConnectFailed
from mosntx.net.timers import TICK, TimerWheel
from mosntx.stats.store import StatsStore
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakePool
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.clusters import Clusters
from mosntx.upstream.health.checks import HealthChecks, Surroundings
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, AddressTable
from tests.upstream.health.build import probes

CHECK = HealthCheck(
    service_name="s",
    initial_delay_seconds=1.0,
    interval=10.0,
    interval_jitter=0.0,
    timeout=1.0,
    common_callbacks=("told",),
)


class HealthChecksTests(SynchronousTestCase):
    """The checks of clusters that change."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.connector = FakeConnector()
        self.addresses = AddressTable()
        self.store = StatsStore()
        self.lines: dict[str, list[str]] = {}
        self.told: list[tuple[str, bool, bool]] = []
        self.taken = 0
        around = Surroundings(
            addresses=self.addresses,
            probes=probes(self.connector),
            wheel=self.wheel,
            random=Random(1),
            wallSeconds=lambda: 1700000000.9 + self.clock.seconds(),
            eventLog=self.eventLog,
            register=self.store.register,
            unregister=self.store.unregister,
            callbacks={"told": lambda host, *rest: self.told.append((host.address, *rest))},
        )
        self.checks = HealthChecks(around)
        self.clusters = Clusters(
            balancers={"LB_ROUNDROBIN": RoundRobinFactory()},
            poolFactory=FakePool,
            random=Random(1),
            seconds=self.clock.seconds,
            addresses=self.addresses,
            watch=self.checks.changed,
        )

    def eventLog(self, path: str) -> Callable[[str], object]:
        if path == "/forbidden":
            raise PermissionError(13, "Permission denied")
        return self.lines.setdefault(path, []).append

    def update(self, *hosts: str, name: str = "c", check: HealthCheck | None = CHECK) -> Cluster:
        """Add or change a cluster."""
        configs = [HostConfig(address=address) for address in hosts]
        return self.clusters.update(ClusterConfig(name=name, health_check=check), configs)

    def pass_(self, seconds: float) -> list[str]:
        """Let time pass; return the addresses that are dialled then."""
        self.clock.advance(seconds + TICK)
        news = self.connector.attempts[self.taken :]
        self.taken = len(self.connector.attempts)
        return [attempt.address for attempt in news]

    def answer(self, **outcomes: bool) -> None:
        """End the checks under way: address ``a:1`` is called ``a``."""
        for attempt in self.connector.attempts:
            if not attempt.deferred.called:
                if outcomes[attempt.address[0]]:
                    attempt.succeed()
                else:
                    attempt.fail(ConnectFailed(attempt.address, "refused"))

    def stat(self, key: str) -> Any:
        """What is published, ``None`` when it is not."""
        found = [value for kind, _, name, _, value in self.store.samples() if name == key]
        return found[0] if found else None

    def test_notBeforeStart(self) -> None:
        """Nothing is asked before the start; then all hosts that are there."""
        self.update("a:1", "b:1")
        self.assertEqual(self.pass_(100.0), [])
        self.assertEqual(self.wheel.active, 0)
        self.checks.start()
        self.assertEqual(sorted(self.pass_(1.0)), ["a:1", "b:1"])

    def test_hostsTurn(self) -> None:
        """A host that fails is not chosen until it is well again."""
        cluster = self.update("a:1", "b:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False, b=True)
        self.assertEqual([host.healthy for host in cluster.hosts], [False, True])
        chosen = {cluster.loadBalancer.chooseHost(None) for _ in range(10)}
        self.assertEqual(chosen, {cluster.hosts[1]})
        self.assertEqual((self.stat("healty"), self.stat("active_failure")), (1, 1))
        self.pass_(10.0)
        self.answer(a=True, b=True)
        self.assertEqual([host.healthy for host in cluster.hosts], [True, True])
        self.assertEqual(self.stat("healty"), 2)
        ofA = [told for told in self.told if told[0] == "a:1"]
        self.assertEqual(ofA, [("a:1", True, False), ("a:1", True, True)])
        self.assertEqual(set(self.told) - set(ofA), {("b:1", False, True)})

    def test_hostsComeAndGo(self) -> None:
        """New hosts are asked after the initial delay, those that stay go on, others stop."""
        self.update("a:1", "b:1")
        self.checks.start()
        self.pass_(1.0)
        self.update("b:1", "c:1")
        first = {attempt.address: attempt for attempt in self.connector.attempts}
        self.assertTrue(first["a:1"].cancelled)
        self.assertFalse(first["b:1"].cancelled)
        self.answer(b=True, a=True)
        self.assertEqual(self.pass_(1.0), ["c:1"])
        self.answer(c=True)
        self.assertEqual(sorted(self.pass_(10.0)), ["b:1", "c:1"])

    def test_changedHost(self) -> None:
        """A host with other settings keeps its session and its health; callbacks see the new."""
        self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.clusters.updateHosts("c", [HostConfig(address="a:1", weight=7)])
        cluster: Any = self.clusters.get("c")
        self.assertFalse(cluster.hosts[0].healthy)
        self.assertEqual(self.pass_(10.0), ["a:1"])
        self.answer(a=True)
        self.assertTrue(cluster.hosts[0].healthy)

    def test_removedCluster(self) -> None:
        """The checks of a cluster that is removed end, and its stats go."""
        self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.assertIsNotNone(self.stat("attempt"))
        self.clusters.remove("c")
        self.assertEqual((self.wheel.active, self.stat("attempt")), (0, None))
        self.assertTrue(self.connector.attempts[0].cancelled)
        self.assertEqual((self.checks._clusters, self.checks._running), ({}, {}))

    def test_switchedOffAndOn(self) -> None:
        """Without checks a host is not kept out for ever; with them it begins as healthy."""
        cluster = self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.assertFalse(cluster.hosts[0].healthy)
        self.update("a:1", check=None)
        self.assertTrue(cluster.hosts[0].healthy)
        self.assertEqual(self.wheel.active, 0)
        self.update("a:1", check=attrs.evolve(CHECK, service_name=""))
        self.assertEqual(self.wheel.active, 0)
        self.update("a:1")
        self.assertEqual(self.pass_(1.0), ["a:1"])

    def test_changedSettings(self) -> None:
        """Other settings count from now on; health and counters stay."""
        cluster = self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.update("a:1", check=attrs.evolve(CHECK, interval=2.0, initial_delay_seconds=3.0))
        self.assertFalse(cluster.hosts[0].healthy)
        self.assertEqual(self.stat("attempt"), 1)
        self.assertEqual(self.pass_(2.9), [])
        self.assertEqual(self.pass_(0.1), ["a:1"])
        self.answer(a=True)
        self.assertEqual(self.pass_(2.0), ["a:1"])

    def test_sameSettings(self) -> None:
        """An update that changes nothing does not disturb a check under way."""
        self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.update("a:1")
        self.assertFalse(self.connector.attempts[0].cancelled)
        self.assertEqual(self.wheel.active, 1)

    def test_sharedAddress(self) -> None:
        """An address that fails in one cluster fails in all, and is freed by the last checker."""
        self.update("a:1")
        plain = self.update("a:1", name="plain", check=None)
        other = self.update("a:1", name="other", check=attrs.evolve(CHECK, service_name="o"))
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.assertEqual((plain.hosts[0].healthy, other.hosts[0].healthy), (False, False))
        self.update(name="c")
        self.assertFalse(plain.hosts[0].healthy)
        self.clusters.remove("other")
        self.assertTrue(plain.hosts[0].healthy)

    def test_sharedService(self) -> None:
        """Clusters with one service name count together."""
        self.update("a:1")
        self.update("b:1", "c:1", name="d")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=True, b=True, c=False)
        self.assertEqual((self.stat("attempt"), self.stat("healty")), (3, 2))
        self.clusters.remove("c")
        self.assertEqual((self.stat("attempt"), self.stat("healty")), (3, 1))

    def test_oldStyle(self) -> None:
        """Files of 0.1 have no service name: the protocol is the switch, the cluster the name."""
        self.update("a:1", check=attrs.evolve(CHECK, service_name="", protocol="SofaRpc"))
        self.checks.start()
        self.assertEqual(self.pass_(1.0), [])
        old = attrs.evolve(CHECK, service_name="", protocol="SofaRpc", old_style=True)
        self.update("a:1", check=old)
        self.assertEqual(self.pass_(1.0), ["a:1"])
        labels = {sample[1] for sample in self.store.samples() if sample[0] == "healthcheck"}
        self.assertEqual(labels, {(("service", "c"),)})

    def test_notAskable(self) -> None:
        """A host that cannot be asked is healthy, the others are asked."""
        http = CheckConfig(http_check_config=HttpCheck(port=80))
        check = attrs.evolve(CHECK, protocol="Http1", check_config=http)
        cluster = self.update("nowhere", "a:1", check=check)
        self.checks.start()
        self.assertEqual(self.pass_(1.0), ["a:80"])
        self.assertTrue(cluster.hosts[0].healthy)

    def test_eventLog(self) -> None:
        """One line per check, as MOSN writes it."""
        self.update("a:1", check=attrs.evolve(CHECK, event_log_path="/events"))
        self.checks.start()
        for good in (True, False, False, True):
            self.pass_(10.0)
            self.answer(a=good)
        self.assertEqual(
            [line.partition(",")[2] for line in self.lines["/events"]],
            [
                "host:a:1,health_status:1,current_result:1,status_changed:0\n",
                "host:a:1,health_status:0,current_result:0,status_changed:1\n",
                "host:a:1,health_status:0,current_result:0,status_changed:0\n",
                "host:a:1,health_status:1,current_result:1,status_changed:1\n",
            ],
        )
        self.assertEqual(self.lines["/events"][0].partition(",")[0], "time:1700000010")

    def test_noEventLog(self) -> None:
        """A file that cannot be opened does not keep hosts from being checked."""
        self.update("a:1", check=attrs.evolve(CHECK, event_log_path="/forbidden"))
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.assertEqual(self.stat("failure"), 1)

    def test_raisingCallback(self) -> None:
        """A callback that breaks is in the log; the others are called, the checks go on."""
        around = self.checks._around
        seen: list[Any] = []
        broken: dict[str, Callable[..., object]] = {
            "broken": lambda *_: 1 // 0,
            "told": lambda *told: seen.append(told),
        }
        self.checks._around = attrs.evolve(around, callbacks=broken)
        self.update("a:1", check=attrs.evolve(CHECK, common_callbacks=("broken", "told")))
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=True)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(len(seen), 1)
        self.assertEqual(self.pass_(10.0), ["a:1"])

    def test_namedCallbacks(self) -> None:
        """Only the callbacks that a cluster names are told; a name nobody has is in the log."""
        self.update("a:1", check=attrs.evolve(CHECK, common_callbacks=()))
        self.update("b:1", name="d", check=attrs.evolve(CHECK, common_callbacks=("none", "told")))
        with capturedLogs() as events:
            self.checks.start()
        self.assertEqual([event["name"] for event in events], ["none"])
        self.pass_(1.0)
        self.answer(a=True, b=True)
        self.assertEqual(self.told, [("b:1", False, True)])

    def test_removedByCallback(self) -> None:
        """Whoever is told that a host is ill may remove it."""
        around = self.checks._around
        remove = lambda *_: self.clusters.updateHosts("c", [])  # noqa: E731 - a fake
        self.checks._around = attrs.evolve(around, callbacks={"told": remove})
        self.update("a:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False)
        self.assertEqual((self.wheel.active, len(self.addresses)), (0, 0))

    def test_stop(self) -> None:
        """The end stops all and keeps what was found."""
        cluster = self.update("a:1", "b:1")
        self.checks.start()
        self.pass_(1.0)
        self.answer(a=False, b=True)
        self.checks.stop()
        self.assertEqual(self.wheel.active, 0)
        self.assertEqual(self.addresses.flags("a:1"), FAILED_ACTIVE_CHECK)
        self.assertFalse(cluster.hosts[0].healthy)
        self.update("b:1", "c:1")
        self.assertEqual(self.pass_(100.0), [])
