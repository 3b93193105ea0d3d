"""Tests of `mosntx.testing.simulation`, and of the resilience of clusters under load."""

from __future__ import annotations

from functools import partial
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.simulation import SimulatedHost, Simulation
from tests.proxy.build import proxyConfig, toCluster

RETRY = {"retry_on": True, "num_retries": 3}


class SimulationCase(SynchronousTestCase):
    """Makes simulations, and looks that nothing is left of them."""

    def begin(self, count: int, *, route: Any = None, seed: int = 1, **cluster: Any) -> Simulation:
        """Start a cluster of so many hosts."""
        addresses = [f"10.0.{n // 250}.{n % 250 + 1}:80" for n in range(count)]
        cluster = {"hosts": [{"address": one} for one in addresses], **cluster}
        config = proxyConfig(route or toCluster(), cluster=cluster)
        hosts = [SimulatedHost(one) for one in addresses]
        self.simulation = Simulation(config, hosts, "front", seed=seed)
        self.list = hosts
        return self.simulation

    def tearDown(self) -> None:
        """All counters are back at zero, and no timer is left."""
        self.simulation.close()

    def failed(self) -> int:
        """Return how many requests did not get a 200."""
        outcomes = self.simulation.outcomes
        return sum(outcomes.values()) - outcomes[200]

    def p(self, share: float) -> float:
        """Return a percentile of the seconds until an answer."""
        times = sorted(seconds for _, seconds, _ in self.simulation.answers)
        return times[int(len(times) * share)]


class PlainTests(SimulationCase):
    """The simulation itself."""

    def test_allWell(self) -> None:
        """Every request is answered once, in about the latency of the hosts, and spread evenly."""
        simulation = self.begin(10)
        simulation.load(10, 100)
        total = sum(simulation.outcomes.values())
        self.assertTrue(900 < total < 1100)
        self.assertEqual(self.failed(), 0)
        self.assertTrue(0.008 <= self.p(0.5) < 0.025)
        for host in self.list:
            self.assertLess(abs(len(host.times) - total / 10), 2)

    def test_sameSeed(self) -> None:
        """One seed tells one story."""
        stories = []
        for seed in (7, 7, 8):
            simulation = self.begin(3, seed=seed)
            simulation.load(2, 50)
            stories.append(simulation.answers)
            simulation.close()
        self.begin(1)
        self.assertEqual(stories[0], stories[1])
        self.assertNotEqual(stories[0], stories[2])

    def test_failures(self) -> None:
        """Hosts do what they are told: bad answers, no answers, no connections."""
        simulation = self.begin(3, route=toCluster(timeout="1s"))
        bad, stuck, dead = self.list
        bad.failing = 1.0
        stuck.stuck = True
        simulation.crash(dead.address)
        simulation.load(3, 30)
        outcomes = simulation.outcomes
        self.assertGreater(outcomes[503], 20)
        self.assertGreater(outcomes[504], 20)
        self.assertEqual(outcomes[200], 0)
        self.assertEqual(dead.times, [])

    def test_changes(self) -> None:
        """What is planned happens at its time."""
        simulation = self.begin(2)
        dead = self.list[0].address
        simulation.at(2.0, lambda: simulation.crash(dead))
        simulation.at(4.0, lambda: simulation.recover(dead))
        simulation.load(6, 50)
        self.assertGreater(self.list[0].between(0, 2), 30)
        self.assertEqual(self.list[0].between(2.1, 4), 0)
        self.assertGreater(self.list[0].between(4.5, 6), 10)

    def test_capacity(self) -> None:
        """A host that works on two requests at a time answers the others later, in order."""
        simulation = self.begin(1)
        host = self.list[0]
        host.capacity, host.latency, host.spread = 2, 1.0, 0.0
        for _ in range(5):
            simulation.at(0.0, simulation.call)
        simulation.wait(4.0)
        self.assertEqual([round(seconds) for _, seconds, _ in simulation.answers], [1, 1, 2, 2, 3])

    def test_crashEmptiesTheQueue(self) -> None:
        """What a host had to do is forgotten with a crash, and it is free afterwards."""
        simulation = self.begin(1, route=toCluster(timeout="2s"))
        host = self.list[0]
        host.capacity, host.latency = 1, 5.0
        simulation.at(0.0, simulation.call)
        simulation.at(0.0, simulation.call)
        simulation.at(1.0, lambda: simulation.crash(host.address))
        simulation.wait(1.5)
        self.assertEqual(simulation.outcomes[200], 0)
        simulation.recover(host.address)
        host.latency = 0.1
        simulation.load(1, 5)
        self.assertGreater(simulation.outcomes[200], 2)
        self.assertEqual(simulation.outcomes[504], 0)


class AdaptiveTests(SimulationCase):
    """`adaptive_concurrency`, with hosts whose answers are later the more they have to do.

    Four hosts that work on two requests of 50 ms each at a time: they can answer 160 a second.
    """

    def hosts(self) -> Simulation:
        """Start."""
        simulation = self.begin(4, route=toCluster(timeout="5s"), adaptive_concurrency={})
        for host in self.list:
            host.capacity, host.latency = 2, 0.05
        return simulation

    def between(self, begin: float, end: float) -> list[float]:
        """Return the seconds of each good answer to what was asked meanwhile, sorted."""
        return sorted(
            seconds
            for began, seconds, outcome in self.simulation.answers
            if outcome == 200 and begin <= began < end
        )

    def test_unloaded(self) -> None:
        """Below what the hosts can bear nobody is refused."""
        self.hosts().load(10, 100)
        self.assertEqual(self.failed(), 0)

    def test_overload(self) -> None:
        """With twice of that the hosts work as much as they can, and without a long queue."""
        simulation = self.hosts()
        simulation.load(20, 320)
        self.assertEqual(set(simulation.outcomes), {200, 503})
        good = self.between(5, 20)
        self.assertGreater(len(good) / 15, 0.85 * 160)
        self.assertLess(good[len(good) // 2], 0.15)
        self.assertLess(good[int(len(good) * 0.99)], 0.4)
        mesh = simulation.mesh
        refused = mesh.value("request_adaptive_overflow", cluster="app")
        self.assertEqual(refused, simulation.outcomes[503])
        self.assertTrue(8 <= mesh.value("adaptive_limit", cluster="app") <= 32)

    def test_halfBreaksDown(self) -> None:
        """When the hosts can do half, latency stays; when they can do all again, so does it."""
        simulation = self.hosts()
        for time, capacity in ((10.0, 1), (20.0, 4)):
            for host in self.list:
                simulation.at(time, partial(setattr, host, "capacity", capacity))
        simulation.load(35, 240)
        for begin, end, possible in ((5, 10, 160), (13, 20, 80), (25, 35, 240)):
            good = self.between(begin, end)
            self.assertGreater(len(good) / (end - begin), 0.75 * possible, begin)
            self.assertLess(good[len(good) // 2], 0.2, begin)

    def test_withoutIt(self) -> None:
        """The same load without the limit: soon every answer comes too late."""
        simulation = self.begin(4, route=toCluster(timeout="500ms"))
        for host in self.list:
            host.capacity, host.latency = 2, 0.05
        simulation.load(3, 320)
        self.assertLess(len(self.between(2, 3)), 20)


class ResilienceTests(SimulationCase):
    """What clients notice of trouble behind the sidecar: as little as possible."""

    def test_oneOfThreeDies(self) -> None:
        """No replayable request fails; the host is left out, and comes back."""
        simulation = self.begin(
            3,
            route=toCluster(retry_policy=RETRY),
            outlier_detection={"base_ejection_time": "5s", "interval": "1s"},
        )
        dead = self.list[0].address
        simulation.at(5.0, lambda: simulation.crash(dead))
        simulation.at(20.0, lambda: simulation.recover(dead))
        simulation.load(40, 60)
        self.assertEqual(self.failed(), 0)
        mesh = simulation.mesh
        self.assertGreaterEqual(mesh.value("outlier_ejections_total", cluster="app"), 1)
        self.assertEqual(self.list[0].between(5.1, 20), 0)
        self.assertGreater(self.list[0].between(33, 40), 60)

    def test_allAnswer503(self) -> None:
        """The upstreams get at most 1.2 times of what clients send."""
        simulation = self.begin(20, route=toCluster(retry_policy=RETRY))
        for host in self.list:
            host.failing = 1.0
        simulation.load(20, 150)
        offered = sum(simulation.outcomes.values())
        self.assertEqual(set(simulation.outcomes), {503})
        self.assertLessEqual(sum(len(host.times) for host in self.list), 1.2 * offered)

    def test_hundredsOfHosts(self) -> None:
        """Of 300 hosts a tenth fails half of the time: those are found, and few clients notice."""
        simulation = self.begin(
            300,
            route=toCluster(retry_policy=RETRY),
            outlier_detection={"consecutive_5xx": 3, "base_ejection_time": "60s"},
        )
        bad = self.list[::10]
        for host in bad:
            host.failing = 0.9
        simulation.load(15, 400)
        self.assertLess(self.failed(), sum(simulation.outcomes.values()) / 1000)
        late = sum(host.between(12, 15) for host in bad)
        early = sum(host.between(0, 3) for host in bad)
        self.assertLess(late, early / 2)
        unhealthy = {host.address for host in self._hosts() if not host.healthy}
        self.assertGreater(len(unhealthy), 20)
        self.assertLessEqual(unhealthy, {host.address for host in bad})

    def _hosts(self) -> Any:
        cluster = self.simulation.mesh.sidecar.clusters.get("app")
        assert cluster is not None
        return cluster.hosts

    def test_flapping(self) -> None:
        """Hosts that come and go every second do no lasting harm."""
        simulation = self.begin(
            10, route=toCluster(retry_policy=RETRY), outlier_detection={"base_ejection_time": "2s"}
        )
        for second in range(0, 20, 2):
            for host in self.list[:3]:
                simulation.at(second + 0.5, partial(simulation.crash, host.address))
                simulation.at(second + 1.5, partial(simulation.recover, host.address))
        simulation.load(20, 100)
        self.assertEqual(self.failed(), 0)
        simulation.wait(30)
        before = [len(host.times) for host in self.list]
        simulation.load(3, 100)
        gained = [len(host.times) - n for host, n in zip(self.list, before, strict=True)]
        self.assertTrue(all(20 <= each <= 40 for each in gained), gained)

    def test_stuckHost(self) -> None:
        """A host that takes requests and never answers costs one attempt's time at most."""
        simulation = self.begin(
            5,
            route=toCluster(timeout="5s", retry_policy={**RETRY, "retry_timeout": "500ms"}),
            outlier_detection={},
        )
        self.list[2].stuck = True
        simulation.load(10, 50)
        self.assertEqual(self.failed(), 0)
        self.assertLess(self.p(0.999), 1.2)
        self.assertLess(len(self.list[2].times), 30)

    def test_slowHost(self) -> None:
        """One host of ten takes a second; with hedges hardly a client notices, for a tenth more."""
        for policy, least, most in (({}, 0.9, 1.3), ({"hedge_after": "60ms"}, 0.05, 0.15)):
            simulation = self.begin(10, route=toCluster(retry_policy=policy))
            self.list[3].latency = 1.0
            simulation.load(10, 100)
            self.assertTrue(least < self.p(0.97) < most, self.p(0.97))
            self.assertEqual(self.failed(), 0)
            asked = sum(len(host.times) for host in self.list)
            self.assertLess(asked, 1.15 * sum(simulation.outcomes.values()))
            if not policy:
                simulation.close()
