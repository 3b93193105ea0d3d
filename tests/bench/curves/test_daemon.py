"""Tests of `bench.curves.daemon`; the process itself is in the test of the window."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from bench.curves.daemon import Counts, readStats
from bench.process import ProcessError


class CountsTests(SynchronousTestCase):
    """What a daemon says of itself."""

    def test_read(self) -> None:
        """The listener's own figures are taken, not those of all listeners."""
        listener = {"request_total": "7", "request_200_total": "6", "connection_active": "3"}
        other = dict.fromkeys(listener, "99")
        stats = {"downstream": {"proxy.global": other, "listener.bench": listener}}
        self.assertEqual(readStats(stats, 0.5), Counts(7, 6, 3, 0.5))

    def test_missing(self) -> None:
        """Statistics without the listener, or of another form, are an error that shows them."""
        wrong: list[Any] = [{}, {"downstream": {"listener.bench": {}}}, [], {"downstream": None}]
        for stats in wrong:
            with self.assertRaises(ProcessError) as caught:
                readStats(stats, 0.0)
            self.assertIn(str(stats), str(caught.exception))

    def test_arithmetic(self) -> None:
        """Two daemons add up; what was done since keeps the connections of now."""
        late, early = Counts(100, 90, 8, 2.0), Counts(40, 40, 6, 0.5)
        self.assertEqual(late - early, Counts(60, 50, 8, 1.5))
        self.assertEqual(late + early, Counts(140, 130, 14, 2.5))
