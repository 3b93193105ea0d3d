"""Tests of the measurement of the garbage collector's pauses."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.garbage import PYTHON, SETTINGS, Pauses, manyHosts, measure, summed
from bench.place import HTTP1, Place
from bench.process import Nursery, Ports
from bench.upstream import startUpstream
from mosntx.config.load import loadMapping
from mosntx.service.catalog import standardCatalog
from mosntx.service.garbage import THRESHOLDS


class GarbageTests(SynchronousTestCase):
    """Figures, configuration, and one run."""

    def test_summed(self) -> None:
        """Nanoseconds become milliseconds; the third generation is everything."""
        found = summed([(0, 1_000_000), (2, 5_000_000), (1, 2_000_000)])
        self.assertEqual(found, Pauses(3, 8.0, 5.0, 1))
        self.assertEqual(summed([]), Pauses(0, 0.0, 0.0, 0))

    def test_settings(self) -> None:
        """Python's own stand first, ours last."""
        self.assertEqual(SETTINGS[0], (False, PYTHON))
        self.assertEqual(SETTINGS[-1], (True, THRESHOLDS))

    def test_hosts(self) -> None:
        """All hosts have addresses of their own, and the configuration is a good one."""
        document = manyHosts(Place(1, 2, Path()), 1000)
        hosts = document["cluster_manager"]["clusters"][1]["hosts"]
        self.assertEqual(len({host["address"] for host in hosts}), 1000)
        self.assertEqual(loadMapping(document, standardCatalog().names(), True).problems, ())

    def test_run(self) -> None:
        """A crowd makes Python's settings collect more often than ours."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        ports = Ports(os.getpid())
        with Nursery(folder) as nursery:
            upstream = startUpstream(nursery, "own", b"body", folder, None, ports).ports[HTTP1]
            found: list[Pauses] = []
            for frozen, thresholds in (SETTINGS[0], SETTINGS[-1]):
                own = folder / str(len(found))
                own.mkdir()
                words = (upstream, 5, int(frozen), *thresholds)
                found.append(measure(nursery, own, ports, b"body", words, 60))
        self.assertGreater(found[0].number, found[1].number)
        self.assertEqual(found[1].full, 0)
