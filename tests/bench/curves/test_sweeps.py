"""Tests of `bench.curves.sweeps`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.daemon import Counts
from bench.curves.points import Point
from bench.curves.sweeps import KIBI, SWEEPS, microseconds, octets, throughput
from bench.curves.window import Figures


class SweepTests(SynchronousTestCase):
    """The table of curves."""

    def test_complete(self) -> None:
        """Names differ, and each series has a point of its own for each label."""
        self.assertEqual(len({sweep.name for sweep in SWEEPS}), len(SWEEPS))
        for sweep in SWEEPS:
            for name, points in sweep.series.items():
                self.assertEqual(len(points), len(sweep.labels), (sweep.name, name))
                self.assertEqual(len(set(points)), len(points), (sweep.name, name))

    def test_values(self) -> None:
        """Time is in microseconds, throughput in MiB per second of CPU."""
        figures = Figures(2.0, [Counts(1000, 1000, 64, 0.1)])
        point = Point(body=256 * KIBI)
        self.assertAlmostEqual(microseconds(point, figures), 100.0)
        self.assertAlmostEqual(throughput(point, figures), 2500.0)

    def test_octets(self) -> None:
        """Sizes are said in the largest unit that fits."""
        self.assertEqual(
            [octets(size) for size in (0, 1024, 65536, 1 << 20)],
            ["0 B", "1 KiB", "64 KiB", "1 MiB"],
        )
