"""Tests of the garbage collector's settings, which this process has back after each."""

from __future__ import annotations

import gc
import json
import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.garbage import THRESHOLDS, Garbage
from mosntx.stats.loop import GarbageStats

#: Settles twice, has cycles collected, stops; says what it has seen.
PROGRAM = """
import gc, json
from mosntx.service.garbage import Garbage
from mosntx.stats.loop import GarbageStats
stats = GarbageStats()
garbage = Garbage(stats)
garbage.settle()
said = {"frozen": gc.get_freeze_count(), "thresholds": gc.get_threshold()}
said["first"] = stats.pauses_total
garbage.settle()
for _ in range(20_000):
    cycle = []
    cycle.append(cycle)
said["pauses"] = stats.pauses_total
said["left"] = gc.collect() < 20_000
garbage.stop()
garbage.stop()
said["counted"] = stats.pauses_total
gc.collect()
said["afterwards"] = stats.pauses_total
said["restored"] = gc.get_threshold()
said["callbacks"] = len(gc.callbacks)
print(json.dumps(said))
"""


class GarbageTests(SynchronousTestCase):
    """From settling to stopping."""

    def test_settled(self) -> None:
        """What there is at the start is never looked at again; later cycles go; pauses count."""
        run = subprocess.run(
            [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
        )
        said = json.loads(run.stdout)
        self.assertGreater(said["frozen"], 1000)
        self.assertEqual(said["thresholds"], list(THRESHOLDS))
        self.assertEqual(said["first"], 0)
        self.assertGreaterEqual(said["pauses"], 3)
        self.assertTrue(said["left"])
        self.assertEqual(said["afterwards"], said["counted"])
        self.assertEqual(said["restored"], [700, 10, 10])
        self.assertEqual(said["callbacks"], 0)

    def test_whole(self) -> None:
        """Settled in a process with much in it, twice, and stopped, twice."""
        self.addCleanup(gc.unfreeze)
        before = gc.get_threshold(), list(gc.callbacks)
        garbage = Garbage(GarbageStats())
        for _ in range(2):
            garbage.settle()
            self.assertEqual(gc.get_threshold(), THRESHOLDS)
            self.assertEqual(gc.callbacks, [*before[1], garbage.collecting])
        for _ in range(2):
            garbage.stop()
            self.assertEqual((gc.get_threshold(), gc.callbacks), before)

    def test_pause(self) -> None:
        """A pause lasts from a collection's beginning to its end."""
        now = iter([1_000, 5_000, 100_000, 200_000])
        stats = GarbageStats()
        garbage = Garbage(stats, now.__next__)
        for phase in ("start", "stop", "start", "stop"):
            garbage.collecting(phase, {"generation": 0})
        self.assertEqual((stats.pauses_total, stats.pause_total), (2, 104_000))
        self.assertEqual(stats.pause_max, 100_000)

    def test_neverSettled(self) -> None:
        """Stopping one that has not begun changes nothing."""
        before = gc.get_threshold(), list(gc.callbacks)
        Garbage(GarbageStats()).stop()
        self.assertEqual((gc.get_threshold(), list(gc.callbacks)), before)
