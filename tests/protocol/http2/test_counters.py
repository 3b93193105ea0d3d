"""Tests of `mosntx.protocol.http2.counters`."""

from __future__ import annotations

from attrs import fields
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.codes import CANCEL, REFUSED_STREAM
from mosntx.protocol.http2.counters import FLOODS, WAITS, Http2Counters
from mosntx.protocol.http2.guard import FloodLimits


class CountersTests(SynchronousTestCase):
    """What is counted, and how it is called."""

    def test_keys(self) -> None:
        """Each flood and each wait has a key of its own; all begin at 0."""
        counts = dict(Http2Counters().counts())
        for field in fields(FloodLimits):
            self.assertIn(f"http2_flood_{field.name}_total", counts)
        for name in WAITS:
            self.assertIn(f"http2_timeout_{name}_total", counts)
        self.assertEqual(set(counts.values()), {0})

    def test_names(self) -> None:
        """No wait is called like a flood."""
        self.assertEqual(set(WAITS) & set(FLOODS), set())

    def test_resets(self) -> None:
        """Resets count by side, refused streams besides."""
        counters = Http2Counters()
        for code, ours in ((CANCEL, True), (REFUSED_STREAM, True), (REFUSED_STREAM, False)):
            counters.reset(code, ours)
        counts = dict(counters.counts())
        self.assertEqual(
            [
                counts[f"http2_{name}_total"]
                for name in ("reset_sent", "refused_sent", "reset_received", "refused_received")
            ],
            [2, 1, 1, 1],
        )

    def test_ended(self) -> None:
        """A connection that a limit ended counts by the limit; other errors are nobody's."""
        counters = Http2Counters()
        for name in ("pings", "settings", "headers", "", "unheard of"):
            counters.ended(name)
        ended = {key for key, count in counters.counts() if count}
        self.assertEqual(
            ended,
            {
                "http2_flood_pings_total",
                "http2_flood_settings_total",
                "http2_timeout_headers_total",
            },
        )
