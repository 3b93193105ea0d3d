"""Tests of `bench.subsets`."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from bench import subsets


class SubsetBenchTests(SynchronousTestCase):
    """What is measured is what it says."""

    def test_selectors(self) -> None:
        """So many different ones; the worst ones all have the key that is different everywhere."""
        found = subsets.selectorsFor(10)
        self.assertEqual((len(found), len(set(found))), (10, 10))
        self.assertTrue(all("k7" in one for one in subsets.selectorsFor(10, unique=True)))

    def test_hosts(self) -> None:
        """Hosts share labels but for one key; the one that changes shares none."""
        hosts = subsets.hostsFor(300, other=5)
        self.assertEqual(len({host.address for host in hosts}), 300)
        self.assertEqual(len({host.metadata["k7"] for host in hosts}), 300)
        self.assertEqual({host.metadata["k0"] for host in hosts}, {"v0", "v1", "own5"})

    def test_measure(self) -> None:
        """The subsets are counted, and times are those of the clock."""
        selectors = subsets.selectorsFor(2, unique=True)
        clock = Clock()
        found = subsets.measure("LB_ROUNDROBIN", 8, selectors, 2, clock.seconds)
        self.assertEqual((found.lbType, found.subsets), ("LB_ROUNDROBIN", 16))
        self.assertEqual((found.change, found.worst, found.choice, found.plain), (0, 0, 0, 0))

    def test_table(self) -> None:
        """One row for each kind of balancer that is asked for."""
        output = io.StringIO()
        with redirect_stdout(output):
            arguments = ["--hosts", "4", "--selectors", "2", "--rounds", "1"]
            code = subsets.main([*arguments, "--lb", "LB_RANDOM,LB_ROUNDROBIN"])
        self.assertEqual(code, 0)
        lines = output.getvalue().splitlines()
        self.assertEqual(lines[0], "4 hosts, 2 selectors, one host changes its labels")
        self.assertEqual(
            [line.split("|")[1:3] for line in lines[3:]],
            [[" LB_RANDOM ", " 5 "], [" LB_ROUNDROBIN ", " 5 "]],
        )
