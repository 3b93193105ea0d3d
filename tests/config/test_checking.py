"""Tests of `mosntx.config.checking`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.checking import Checking, nearestMark
from mosntx.config.decode import Decoder
from mosntx.config.nodes import Mark
from mosntx.config.report import Report
from mosntx.config.schema import Config, Server
from tests.config.samples import EVERYTHING


class CheckingTests(SynchronousTestCase):
    """What cross-checks share."""

    def setUp(self) -> None:
        self.report = Report()
        self.decoder = Decoder(EVERYTHING, self.report, {}, {})
        self.check = Checking(Config(servers=(Server(),)), self.decoder)

    def test_nearestMark(self) -> None:
        """The place itself, else the nearest part above it, else nowhere."""
        positions = {"a": Mark("f", 1, 1), "a.b[0]": Mark("f", 2, 2)}
        self.assertEqual(nearestMark(positions, "a.b[0].c.d").line, 2)
        self.assertEqual(nearestMark(positions, "a.b[1]").line, 1)
        self.assertEqual(nearestMark(positions, "x").line, 0)

    def test_nothingTwice(self) -> None:
        """A value that was wrong already is not reported again."""
        self.decoder.failed.add("a.b")
        self.check.error("a.b", "m")
        self.check.warning("a.b", "m")
        self.assertEqual(self.report.problems(), ())
        self.check.error("a.c", "m")
        self.assertEqual(self.report.errors, 1)

    def test_failedWithin(self) -> None:
        """Whether something below is missing because it was wrong."""
        self.decoder.failed.add("a[0].name")
        self.assertTrue(self.check.failedWithin("a", ".name"))
        self.assertFalse(self.check.failedWithin("a", ".host"))
