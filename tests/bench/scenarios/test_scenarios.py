"""Tests of the table of scenarios and of what they compute."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.base import Load
from bench.peers import PEERS
from bench.peers.base import loadPeer
from bench.place import HTTP1
from bench.procfs import Memory
from bench.results import CORE_SHARE, OTHERS_SHARE
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Clocks, Settings, loadScenario, loadValues
from bench.scenarios.idle import MOST_LOOKS, idleValues, settledMemory


class TableTests(SynchronousTestCase):
    """What holds for every scenario."""

    def test_consistent(self) -> None:
        """Names agree, there are at least two legs, and goals are about metrics it has."""
        for name in SCENARIOS:
            scenario = loadScenario(SCENARIOS, name, Settings())
            self.assertEqual(scenario.name, name)
            self.assertGreaterEqual(len(scenario.legs), 2)
            keys = {metric.key for metric in scenario.metrics}
            self.assertLessEqual({goal.key for goal in scenario.goals}, keys, name)
            for goal in scenario.goals:
                self.assertIn(goal.reference, {*PEERS, None})

    def test_settings(self) -> None:
        """A wish wins over a scenario's default, except idle connections where there are none."""
        http2 = loadScenario(SCENARIOS, "http2", Settings())
        self.assertEqual((http2.connections, http2.streams), (8, 16))
        wish = Settings(connections=3, streams=2, idle=500)
        http2 = loadScenario(SCENARIOS, "http2", wish)
        self.assertEqual((http2.connections, http2.streams, http2.idle), (3, 2, 0))
        self.assertEqual(loadScenario(SCENARIOS, "idle", wish).idle, 500)
        self.assertEqual(loadScenario(SCENARIOS, "idle", Settings()).idle, 10_000)

    def test_unknown(self) -> None:
        """A name that is not in the table is an error."""
        self.assertRaises(KeyError, loadScenario, SCENARIOS, "http9", Settings())

    def test_twoHops(self) -> None:
        """A peer that cannot speak HTTP/2 upstream stands with one hop, and that is said."""
        scenario = loadScenario(SCENARIOS, "two-hops", Settings())
        nginx, haproxy = (loadPeer(PEERS, name, None) for name in ("nginx", "haproxy"))
        self.assertEqual(scenario.legsFor(nginx), (HTTP1, HTTP1))
        self.assertIn("one hop", scenario.noteFor(nginx))
        self.assertEqual(scenario.legsFor(haproxy), scenario.legs)
        self.assertEqual(scenario.noteFor(haproxy), "")


class LoadValuesTests(SynchronousTestCase):
    """The figures of a load."""

    def test_values(self) -> None:
        """CPU time is divided by requests, and by the time they took for the share of a core."""
        load = Load(requests=30_000, rate=10_000.0, p50=0.001, p99=0.002, errors={})
        values = loadValues(load, Clocks(2.7, 2.85), 4096)
        self.assertAlmostEqual(values["cpu_s_per_request"], 90e-6)
        self.assertAlmostEqual(values[CORE_SHARE], 0.9)
        self.assertAlmostEqual(values[OTHERS_SHARE], 0.05)
        self.assertEqual((values["requests_per_s"], values["rss_bytes"]), (10_000.0, 4096.0))

    def test_nothingAnswered(self) -> None:
        """Without a request there is no CPU time per request."""
        values = loadValues(Load(0, 0.0, 0.0, 0.0, {}), Clocks(1.0, 1.0), 4096)
        self.assertNotIn("cpu_s_per_request", values)
        self.assertNotIn(CORE_SHARE, values)

    def test_notPinned(self) -> None:
        """Without a core nothing is said about strangers, and they never take less than nothing."""
        load = Load(100, 100.0, 0.0, 0.0, {})
        self.assertNotIn(OTHERS_SHARE, loadValues(load, Clocks(1.0, None), 0))
        self.assertEqual(loadValues(load, Clocks(1.0, 0.9), 0)[OTHERS_SHARE], 0.0)

    def test_clocks(self) -> None:
        """A difference has a core only when both looks had one."""
        self.assertEqual(Clocks(3.0, 9.0) - Clocks(1.0, 4.0), Clocks(2.0, 5.0))
        self.assertEqual(Clocks(3.0, None) - Clocks(1.0, None), Clocks(2.0, None))


class IdleTests(SynchronousTestCase):
    """Memory per idle connection."""

    def test_values(self) -> None:
        """The growth is divided by the connections that are really there."""
        values = idleValues(Memory(1000, 500), Memory(9000, 2500), 4)
        self.assertEqual(values["rss_bytes_per_connection"], 2000)
        self.assertEqual(values["pss_bytes_per_connection"], 500)

    def test_noConnection(self) -> None:
        """When all failed there is nothing per connection."""
        values = idleValues(Memory(1000, 500), Memory(9000, 2500), 0)
        self.assertNotIn("rss_bytes_per_connection", values)

    def test_settles(self) -> None:
        """Memory is looked at until it stays the same."""
        looks = iter([10_000_000, 20_000_000, 30_000_000, 30_010_000, 99_000_000])
        pauses: list[float] = []
        found = settledMemory(lambda: Memory(next(looks), 0), pauses.append)
        self.assertEqual(found.rss, 30_010_000)
        self.assertEqual(len(pauses), 3)

    def test_neverSettles(self) -> None:
        """Memory that never stays the same is taken after the last look."""
        pauses: list[float] = []
        found = settledMemory(lambda: Memory(len(pauses) * 10**7, 0), pauses.append)
        self.assertEqual(len(pauses), MOST_LOOKS)
        self.assertEqual(found.rss, MOST_LOOKS * 10**7)
