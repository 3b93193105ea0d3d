"""Tests of h2load's command line, report and log of requests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers import h2load
from bench.drivers.base import ReportError

CLEAN = """\
starting benchmark...
Application protocol: h2c
Stopped all clients for thread #0

finished in 1.00s, 85629.00 req/s, 5.80MB/s
requests: 85629 total, 85757 started, 85629 done, 85629 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 85629 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 5.80MB (6080051) total, 3.92MB (4110192) headers (space savings 51.02%)
                     min         max         mean         sd        +/- sd
time for request:       36us      3.66ms      1.47ms       365us    87.31%
"""
LOG = "1795416202524692\t200\t300\n1795416202524692\t200\t100\n1795416202524693\t200\t200\n"


class CommandTests(SynchronousTestCase):
    """The command line."""

    def test_http2(self) -> None:
        """HTTP/2 with prior knowledge is h2load's default for http URLs."""
        words = h2load.command("h2load", "http://127.0.0.1:1/", 8, 16, 3, False, "/tmp/log")
        self.assertNotIn("--h1", words)
        for word in ("--clients=8", "--max-concurrent-streams=16", "--duration=3"):
            self.assertIn(word, words)
        self.assertIn("--log-file=/tmp/log", words)

    def test_http1(self) -> None:
        """HTTP/1.1 has to be asked for."""
        words = h2load.command("h2load", "http://127.0.0.1:1/", 64, 1, 3, True, "/tmp/log")
        self.assertIn("--h1", words)
        self.assertEqual(words[-1], "http://127.0.0.1:1/")


class ParseTests(SynchronousTestCase):
    """The report and the log."""

    def test_clean(self) -> None:
        """Rate and number come from the report, percentiles from the log."""
        load = h2load.parse(CLEAN, LOG)
        self.assertEqual((load.requests, load.rate), (85629, 85629.0))
        self.assertAlmostEqual(load.p50, 200e-6, 9)
        self.assertAlmostEqual(load.p99, 300e-6, 9)
        self.assertEqual(load.errors, {})

    def test_errors(self) -> None:
        """Failed, errored and late requests and every status but 2xx are errors."""
        report = CLEAN.replace(
            "0 failed, 0 errored, 0 timeout", "7 failed, 2 errored, 1 timeout"
        ).replace("0 3xx, 0 4xx, 0 5xx", "1 3xx, 2 4xx, 3 5xx")
        self.assertEqual(
            h2load.parse(report, LOG).errors,
            {"failed": 7, "errored": 2, "timeout": 1, "status": 6},
        )

    def test_failedRequestsHaveNoLatency(self) -> None:
        """A request without answer (status -1) does not count in the percentiles."""
        log = LOG + "1795416202524699\t-1\t9999999\n"
        self.assertEqual(h2load.parseLog(log), [100, 200, 300])

    def test_incomplete(self) -> None:
        """A report that lacks a line is refused."""
        for start in ("finished", "requests:", "status codes:"):
            lines = [line for line in CLEAN.splitlines() if not line.startswith(start)]
            with self.assertRaises(ReportError, msg=start):
                h2load.parse("\n".join(lines), LOG)

    def test_badLog(self) -> None:
        """An empty or garbled log is refused: there is nothing to take percentiles of."""
        for log in ("", "1\t-1\t5\n", "no tabs here\n", "1\t200\tfast\n"):
            with self.assertRaises(ReportError, msg=log):
                h2load.parse(CLEAN, log)
