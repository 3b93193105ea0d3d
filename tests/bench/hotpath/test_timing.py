"""Tests of the CPU time."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.scenes import SCENES
from bench.hotpath.timing import microseconds


class TimingTests(SynchronousTestCase):
    """`microseconds`."""

    def test_time(self) -> None:
        """It is of one request, however many come in a read, and nothing stays frozen."""
        scene = SCENES["bolt-16"]()
        self.addCleanup(scene.stop)
        self.assertTrue(0.5 < microseconds(scene, rounds=3, requests=160) < 5000)
        self.assertEqual(gc.get_freeze_count(), 0)
