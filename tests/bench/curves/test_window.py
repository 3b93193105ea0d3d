"""Tests of `bench.curves.window`, with one short run of a real daemon."""

from __future__ import annotations

import time
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.daemon import Counts
from bench.curves.points import Point
from bench.curves.window import Figures, Measuring, loadCommand, medianOf
from bench.peers.mosntx import Mosntx
from bench.place import BOLT, H2C
from bench.process import Nursery, Ports, ProcessError
from bench.programs import findProgram


class FiguresTests(SynchronousTestCase):
    """What came out of a window."""

    def test_figures(self) -> None:
        """Daemons count together: requests by time, and CPU by requests."""
        figures = Figures(2.0, [Counts(600, 600, 5, 0.06), Counts(400, 400, 3, 0.04)])
        self.assertEqual(figures.total, Counts(1000, 1000, 8, 0.1))
        self.assertEqual(figures.rate, 500.0)
        self.assertAlmostEqual(figures.cost, 100e-6)
        figures.check("it")

    def test_failed(self) -> None:
        """Failed requests, or none at all, are an error; those under way are not."""
        for requests, good in ((1000, 900), (0, 0)):
            with self.assertRaises(ProcessError) as caught:
                Figures(1.0, [Counts(requests, good, 8, 0.1)]).check("it")
            self.assertIn(f"it: {good} of {requests}", str(caught.exception))
        for good in (992, 1008):
            Figures(1.0, [Counts(1000, good, 8, 0.1)]).check("it")

    def test_median(self) -> None:
        """The round with the middle cost counts, with all its figures."""
        rounds = [Figures(1.0, [Counts(100, 100, 1, cpu)]) for cpu in (0.3, 0.1, 0.2)]
        self.assertIs(medianOf(rounds), rounds[2])


class LoadTests(SynchronousTestCase):
    """The load generators."""

    def test_commands(self) -> None:
        """Each protocol has its own, with the connections and the path of the point."""
        body = Path("/body")
        http1 = loadCommand(Point(connections=7, routes=3), 99, body)
        self.assertIn("--connections=7", http1)
        self.assertEqual(http1[-1], "http://127.0.0.1:99/service/2/call")
        self.assertIn("--clients=7", loadCommand(Point(H2C, connections=7), 99, body))
        self.assertEqual(loadCommand(Point(BOLT, connections=7), 99, body)[-5:-3], ["99", "7"])


class MeasuringTests(SynchronousTestCase):
    """One point, measured."""

    def test_two(self) -> None:
        """Two daemons on one port, and silent clients: nothing fails and nothing is left."""
        if not (findProgram("wrk") and findProgram("nginx")) or Mosntx().missing():
            raise SkipTest("needs wrk, nginx and an installed mosntx")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        with Nursery(folder) as nursery:
            measuring = Measuring(
                nursery,
                Ports(11),
                folder,
                cores=[None, None],
                loadCore=None,
                window=0.2,
                clock=time.perf_counter,
            )
            point = Point(connections=4, silent=2, hosts=3, processes=2)
            figures = measuring.measure(point)
        self.assertEqual(len(figures.each), 2)
        self.assertEqual(figures.total.connections, 6)
        self.assertGreater(figures.total.requests, 0)
        self.assertGreater(figures.cost, 0.0)
