"""Tests of the command line and the report of the load generator at a constant rate."""

from __future__ import annotations

import json
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers import rate
from bench.drivers.base import ReportError

REPORT = {
    "requests": 900,
    "seconds": 3.0,
    "errors": {"closed": 2},
    "latency_0.5": 100_000,
    "latency_0.99": 2_000_000,
    "latency_0.999": 3_000_000,
    "latency_1.0": 4_000_000,
    "lateness_0.5": 1_000,
    "lateness_0.99": 50_000,
    "lateness_0.999": 60_000,
    "lateness_1.0": 70_000,
}


class ReportTests(SynchronousTestCase):
    """Command line and report."""

    def test_command(self) -> None:
        """The program is told port, connections, rate, seconds and the file with the body."""
        words = rate.command(8080, 64, 1234.56, 3, Path("/tmp/body"))
        self.assertEqual(words[-5:], ["8080", "64", "1234.6", "3", "/tmp/body"])

    def test_report(self) -> None:
        """Durations become seconds, requests become a rate."""
        found = rate.parse(json.dumps(REPORT))
        self.assertEqual((found.requests, found.rate), (900, 300.0))
        self.assertAlmostEqual(found.p50, 1e-4)
        self.assertAlmostEqual(found.p99, 2e-3)
        self.assertAlmostEqual(found.p999, 3e-3)
        self.assertAlmostEqual(found.most, 4e-3)
        self.assertAlmostEqual(found.lateness, 5e-5)
        self.assertEqual(found.errors, {"closed": 2})

    def test_noReport(self) -> None:
        """A report without one of the figures, or none at all, is an error that shows it."""
        for key in ("requests", "latency_0.999", "lateness_0.99", "errors"):
            broken = {name: value for name, value in REPORT.items() if name != key}
            self.assertRaises(ReportError, rate.parse, json.dumps(broken))
        error = self.assertRaises(ReportError, rate.parse, "Traceback: no port")
        self.assertIn("no port", str(error))
