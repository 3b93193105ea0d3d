"""Tests of `mosntx.stats.latency`."""

from __future__ import annotations

import math

from twisted.trial.unittest import SynchronousTestCase

from mosntx.stats.latency import Latency


class LatencyTests(SynchronousTestCase):
    """Times and failures that fade."""

    def test_mean(self) -> None:
        """Durations are means, however many there are; without any 0."""
        latency = Latency()
        self.assertEqual(latency.mean(), 0.0)
        for number in range(1000):
            latency.record(5.0 + number / 1e6, 0.25, 200)
        self.assertAlmostEqual(latency.mean(), 0.25)

    def test_fades(self) -> None:
        """After 30 seconds e^-5 is left of an answer (MOSN's default)."""
        latency = Latency()
        latency.record(100.0, 2.0, 404)
        latency.decay(130.0)
        self.assertAlmostEqual(latency.total, math.exp(-5))
        self.assertAlmostEqual(latency.duration, 2.0 * math.exp(-5))
        self.assertAlmostEqual(latency.clientErrors, math.exp(-5))
        latency.decay(120.0)
        self.assertAlmostEqual(latency.total, math.exp(-5))

    def test_recent(self) -> None:
        """What is new counts more than what is old."""
        latency = Latency()
        latency.record(0.0, 1.0, 200)
        latency.record(30.0, 0.1, 200)
        self.assertLess(latency.mean(), 0.11)

    def test_errors(self) -> None:
        """Errors of the client and of the server are counted apart."""
        latency = Latency()
        for status in (200, 302, 399, 400, 499, 500, 503):
            latency.record(1.0, 0.0, status)
        self.assertEqual(
            (latency.total, latency.clientErrors, latency.serverErrors), (7.0, 2.0, 2.0)
        )

    def test_whole(self) -> None:
        """The cluster gets the answers of all hosts."""
        whole = Latency()
        for duration in (1.0, 3.0):
            Latency(whole).record(1.0, duration, 200)
        self.assertEqual((whole.total, whole.mean()), (2.0, 2.0))
