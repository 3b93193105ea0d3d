"""Tests of `tools.coverage_ratchet`."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tools.coverage_ratchet import SLACK, findFalls, floorTenth, main, readReport


def makeReport(total: float, **files: float) -> dict[str, Any]:
    """Return a report as `coverage json` writes it."""
    return {
        "totals": {"percent_covered": total},
        "files": {
            f".tox/py/lib/site-packages/mosntx/{name}.py": {"summary": {"percent_covered": percent}}
            for name, percent in files.items()
        },
    }


class RatchetTests(SynchronousTestCase):
    """What falls, and what may."""

    def test_names(self) -> None:
        """Files are named from the package down, wherever they are installed."""
        total, files = readReport(makeReport(91.26, tls=90.0))
        self.assertEqual((total, files), (91.2, {"mosntx/tls.py": 90.0}))

    def test_floor(self) -> None:
        """A figure is rounded down, and a tenth stays what it is."""
        self.assertEqual([floorTenth(each) for each in (91.29, 91.3, 100.0)], [91.2, 91.3, 100.0])

    def test_equal(self) -> None:
        """The recorded figures pass."""
        self.assertEqual(findFalls({"total": 90.0, "files": {"a": 85.0}}, 90.0, {"a": 85.0}, 0), [])

    def test_fall(self) -> None:
        """The total and each file are compared by themselves."""
        record = {"total": 90.0, "files": {"a": 85.0, "b": 60.0}}
        falls = findFalls(record, 89.9, {"a": 84.9, "b": 60.0}, 0)
        self.assertEqual([each.partition(":")[0] for each in falls], ["total", "a"])

    def test_slack(self) -> None:
        """Another Python may be a little below."""
        record = {"total": 90.0, "files": {"a": 85.0}}
        self.assertEqual(findFalls(record, 88.0, {"a": 83.0}, 2.0), [])

    def test_newFile(self) -> None:
        """A file without a record needs the minimum."""
        falls = findFalls({}, 90.0, {"a": 79.9, "b": 80.0}, 0)
        self.assertEqual([each.partition(":")[0] for each in falls], ["a"])


class MainTests(SynchronousTestCase):
    """The command."""

    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        self.record, self.report = folder / "record.json", folder / "coverage.json"
        self.output = self.enterContext(contextlib.redirect_stdout(io.StringIO()))

    def run_(self, report: dict[str, Any], *arguments: str) -> int:
        """Write a report, run the command on it, return its exit code."""
        self.report.write_text(json.dumps(report))
        return main([str(self.report), *arguments], self.record)

    def test_updateThenCheck(self) -> None:
        """What was recorded passes, less does not."""
        self.assertEqual(self.run_(makeReport(90.0, tls=70.0), "--update"), 0)
        self.assertEqual(self.run_(makeReport(90.0, tls=70.0)), 0)
        self.assertEqual(self.run_(makeReport(90.0, tls=70.0 - SLACK)), 0)
        self.assertEqual(self.run_(makeReport(90.0, tls=69.9 - SLACK)), 1)
        self.assertIn("mosntx/tls.py: 68.9 % is below", self.output.getvalue())

    def test_noRecord(self) -> None:
        """Without a record only the minimum of new files counts."""
        self.assertEqual(self.run_(makeReport(10.0, tls=80.0)), 0)

    def test_otherPython(self) -> None:
        """A record made by another Python is a guide with some slack."""
        self.record.write_text(json.dumps({"python": "2.7", "total": 90.0, "files": {}}))
        self.assertEqual(self.run_(makeReport(88.5)), 0)
        self.assertEqual(self.run_(makeReport(87.5)), 1)
