"""Tests of `mosntx.config.durations`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.durations import formatDuration, parseDuration


class DurationTests(SynchronousTestCase):
    """Go's forms."""

    def test_parse(self) -> None:
        """Signs, fractions, all units, several parts; 0 without unit."""
        cases = {
            "0": 0.0,
            "-0": 0.0,
            "15s": 15.0,
            "1m30s": 90.0,
            "1.5h": 5400.0,
            ".5s": 0.5,
            "1.s": 1.0,
            "300ms": 0.3,
            "100us": 0.0001,
            "1µs": 1e-6,
            "1μs": 1e-6,
            "5ns": 5e-9,
            "-1.5s": -1.5,
            "+2h45m": 9900.0,
            "0s": 0.0,
        }
        for text, seconds in cases.items():
            self.assertAlmostEqual(parseDuration(text), seconds, places=12)

    def test_refuse(self) -> None:
        """No unit, unknown units, blanks, nothing, too long."""
        for text in ("", "-", "1", "1.5", "s", ".s", "1d", "1 s", " 1s", "1s ", "1e3s", "--1s"):
            self.assertRaises(ValueError, parseDuration, text)
        self.assertRaises(ValueError, parseDuration, "3000000h")
        self.assertRaises(ValueError, parseDuration, "1" * 10_000 + "s")

    def test_format(self) -> None:
        """What Go prints."""
        cases = {
            0.0: "0s",
            15.0: "15s",
            90.0: "1m30s",
            1.5: "1.5s",
            0.3: "300ms",
            0.0001: "100µs",
            1.5e-6: "1.5µs",
            5e-9: "5ns",
            3600.0: "1h0m0s",
            -90.5: "-1m30.5s",
        }
        for seconds, text in cases.items():
            self.assertEqual(formatDuration(seconds), text)

    @given(st.integers(-(10**15), 10**15))
    def test_roundTrip(self, microseconds: int) -> None:
        """Every duration is read back as it was written."""
        seconds = microseconds / 1e6
        self.assertAlmostEqual(parseDuration(formatDuration(seconds)), seconds, places=6)

    @given(st.text(alphabet="0123456789.-+hmsuµn ") | st.text())
    def test_anyText(self, text: str) -> None:
        """Any text is a number or a `ValueError`."""
        try:
            self.assertIsInstance(parseDuration(text), float)
        except ValueError as error:
            self.assertTrue(str(error))
