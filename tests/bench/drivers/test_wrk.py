"""Tests of wrk's command line and report."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers import wrk
from bench.drivers.base import ReportError

CLEAN = """\
Running 1s test @ http://127.0.0.1:20001/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   309.52us  161.72us   3.23ms   89.29%
    Req/Sec   132.72k     5.85k  139.29k    70.00%
  Latency Distribution
     50%  234.00us
     75%  403.00us
     90%  479.00us
     99%    1.68ms
  132179 requests in 1.00s, 19.16MB read
Requests/sec: 131905.43
Transfer/sec:     19.12MB
"""
SOCKET_ERRORS = "  Socket errors: connect 0, read 12, write 0, timeout 3\n"
STATUS_ERRORS = "  Non-2xx or 3xx responses: 70\n"


def withErrors(lines: str) -> str:
    """Return the report with `lines` where wrk writes them."""
    return CLEAN.replace("Requests/sec", lines + "Requests/sec")


class CommandTests(SynchronousTestCase):
    """The command line."""

    def test_command(self) -> None:
        """Connections, duration and percentiles are asked for, on one thread."""
        words = wrk.command("/usr/bin/wrk", "http://127.0.0.1:1/", 64, 3)
        self.assertEqual(words[0], "/usr/bin/wrk")
        self.assertEqual(words[-1], "http://127.0.0.1:1/")
        for word in ("--threads=1", "--connections=64", "--duration=3s", "--latency"):
            self.assertIn(word, words)


class ParseTests(SynchronousTestCase):
    """The report."""

    def test_clean(self) -> None:
        """All figures of a clean run are read, in seconds, without errors."""
        load = wrk.parse(CLEAN)
        self.assertEqual(load.requests, 132179)
        self.assertEqual(load.rate, 131905.43)
        self.assertAlmostEqual(load.p50, 234e-6, 9)
        self.assertAlmostEqual(load.p99, 1.68e-3, 9)
        self.assertEqual(load.errors, {})

    def test_socketErrors(self) -> None:
        """Only the kinds of socket errors that happened are reported."""
        load = wrk.parse(withErrors(SOCKET_ERRORS))
        self.assertEqual(load.errors, {"read": 12, "timeout": 3})

    def test_statusErrors(self) -> None:
        """Answers with a bad status are errors, and add to those of sockets."""
        self.assertEqual(wrk.parse(withErrors(STATUS_ERRORS)).errors, {"status": 70})
        both = wrk.parse(withErrors(SOCKET_ERRORS + STATUS_ERRORS))
        self.assertEqual(both.errors, {"read": 12, "timeout": 3, "status": 70})

    def test_incomplete(self) -> None:
        """A report that lacks any one of the figures is refused, not read as zero."""
        for line in CLEAN.splitlines(keepends=True):
            if any(mark in line for mark in ("50%  ", "99%  ", "requests in", "Requests/sec")):
                with self.assertRaises(ReportError, msg=line):
                    wrk.parse(CLEAN.replace(line, ""))

    def test_noReport(self) -> None:
        """What wrk says when it cannot connect is no report."""
        self.assertRaises(ReportError, wrk.parse, "unable to connect to 127.0.0.1:1\n")
        self.assertRaises(ReportError, wrk.parse, "")
