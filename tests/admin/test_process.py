"""Tests of `mosntx.admin.process`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.loop import GarbageStats, LoopStats
from tests.admin.requests import adminAsk, store


class ProcessTests(SynchronousTestCase):
    """Facts about the process."""

    def test_states(self) -> None:
        """Process id and number of the state."""
        reply = adminAsk("GET", "/api/v1/states")
        self.assertEqual(reply.body, "pid=4711&state=6\n")
        reply = adminAsk("GET", "/api/v1/states", state=lambda: 8)
        self.assertEqual(reply.body, "pid=4711&state=8\n")

    def test_version(self) -> None:
        """The version without a line end, for any method."""
        for method in ("GET", "POST"):
            self.assertEqual(adminAsk(method, "/api/v1/version").body, "mosn version: 0.1.0")

    def test_features(self) -> None:
        """All gates, or one."""
        reply = adminAsk("GET", "/api/v1/features")
        self.assertEqual(reply.json, {"auto_config": False, "XdsMtlsEnable": True})
        for key, text in (("XdsMtlsEnable", "true"), ("auto_config", "false"), ("x", "false")):
            self.assertEqual(adminAsk("GET", f"/api/v1/features?key={key}").body, text)

    def test_environment(self) -> None:
        """Variables that are there, and those that are not."""
        reply = adminAsk("GET", "/api/v1/env?key=POD_NAME&key=EMPTY&key=NONE")
        self.assertEqual(reply.json, {"env": {"POD_NAME": "a", "EMPTY": ""}, "not_found": ["NONE"]})
        reply = adminAsk("GET", "/api/v1/env?key=POD_NAME")
        self.assertEqual(reply.json, {"env": {"POD_NAME": "a"}, "not_found": None})

    def test_secrets(self) -> None:
        """A variable whose name says that it is a secret is not shown."""
        reply = adminAsk("GET", "/api/v1/env?key=API_TOKEN")
        self.assertEqual(reply.json["env"], {"API_TOKEN": "***REDACTED***"})
        self.assertNotIn("t0p", reply.body)

    def test_noKey(self) -> None:
        """Without a name nothing is shown: no way to list the environment."""
        for query in ("", "?x=POD_NAME"):
            reply = adminAsk("GET", f"/api/v1/env{query}")
            self.assertEqual((reply.status, reply.body), (400, "no env key"))

    def test_loop(self) -> None:
        """The lag of the event loop with its percentiles, and the pauses of the collector."""
        stats, loop, garbage = store(), LoopStats(), GarbageStats()
        for _ in range(999):
            loop.record(0.001)
        loop.record(0.5)
        garbage.record(20_000_000)
        stats.register(loop)
        stats.register(garbage)
        reply = adminAsk(
            "GET", "/api/v1/loop", samples=stats.samples, histograms=stats.histograms
        ).json
        self.assertEqual(set(reply), {"loop", "gc"})
        self.assertEqual(reply["loop"]["lag_max"], 500_000_000)
        self.assertEqual(reply["loop"]["lag_over_100ms_total"], 1)
        self.assertAlmostEqual(reply["loop"]["lag_p99.9"] / 1e6, 1.0, 1)
        self.assertEqual(reply["gc"]["pause_max"], 20_000_000)
        self.assertEqual(reply["gc"]["pause_over_10ms_total"], 1)

    def test_loopUnknown(self) -> None:
        """Where nothing is known of it nothing is said."""
        self.assertEqual(adminAsk("GET", "/api/v1/loop").json, {})
