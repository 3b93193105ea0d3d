"""Tests of the tables that are printed."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.memory.cli import objectsTable, parse, residentTable


class TablesTests(SynchronousTestCase):
    """What the figures look like."""

    def test_resident(self) -> None:
        """Each, all together, and the process before."""
        text = residentTable({"Bolt": (4096.0, 70 * 2**20)}, 10_000, 1000, (1024.0, 8192.0))
        lines = [line.split("  ") for line in text.splitlines()[3:-1]]
        cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
        self.assertEqual(
            cells,
            [
                ["10,000 idle clients, Bolt", "4.0 KiB", "39.1 MiB", "70 MiB"],
                ["1,000 hosts, not asked yet", "1.0 KiB", "1.0 MiB"],
                ["1,000 hosts, asked, with an idle connection each", "8.0 KiB", "7.8 MiB"],
            ],
        )

    def test_objects(self) -> None:
        """A line for each thing, in KiB."""
        lines = objectsTable({"host": 1229.0, "cluster": 6912.0}).splitlines()
        self.assertEqual(lines[3].split(), ["host", "1.2", "KiB"])
        self.assertEqual(lines[4].split(), ["cluster", "6.8", "KiB"])

    def test_options(self) -> None:
        """Ten thousand clients and a thousand hosts, if nobody says otherwise."""
        options = parse([])
        self.assertEqual((options.idle, options.hosts), (10_000, 1000))
