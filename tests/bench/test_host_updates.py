"""Tests of `bench.host_updates`."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import StringIO

from twisted.trial.unittest import SynchronousTestCase

from bench.host_updates import Row, hostsAt, main, measure, medians


class HostUpdatesTests(SynchronousTestCase):
    """Measuring updates."""

    def test_changes(self) -> None:
        """Each kind of change is measured; only tables are left to be made."""
        for name, jobs in (("LB_ROUNDROBIN", False), ("LB_RING_HASH", True)):
            rows = measure(name, 30)
            self.assertEqual([row.balancer for row in rows], [name] * 5)
            self.assertEqual(len({row.change for row in rows}), 5)
            self.assertEqual(rows[0].jobs > 0.0, jobs)
            self.assertGreaterEqual(rows[0].longest, rows[0].update)

    def test_hosts(self) -> None:
        """Hosts have addresses of their own."""
        self.assertEqual(len({host.address for host in hostsAt(65_000, 2000)}), 2000)

    def test_medians(self) -> None:
        """A row has the medians of its rounds."""
        rounds = [[Row("b", "c", float(n), 2.0 * n, 3.0 * n)] for n in (1, 9, 2)]
        self.assertEqual(medians(rounds), [Row("b", "c", 2.0, 4.0, 6.0)])

    def test_main(self) -> None:
        """It prints a line for each balancer and change."""
        out = StringIO()
        with redirect_stdout(out):
            main(["--hosts", "5", "--rounds", "1", "--balancers", "LB_RANDOM,LB_ROUNDROBIN"])
        self.assertEqual(len(out.getvalue().splitlines()), 11)
