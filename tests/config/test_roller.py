"""Tests of `mosntx.config.roller`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.roller import LogRoller, parseRoller


class RollerTests(SynchronousTestCase):
    """Rotation of log files."""

    def test_parse(self) -> None:
        """By time, capped at a day, or by size with its defaults; a day without any word."""
        self.assertEqual(parseRoller(""), LogRoller(hours=24))
        self.assertEqual(parseRoller("time=1 keep=3"), LogRoller(hours=1, keep=3))
        self.assertEqual(parseRoller("time=100").hours, 24)
        sized = LogRoller(hours=0, size=100, age=7, keep=10, compress=True)
        self.assertEqual(parseRoller("size=100 compress=on"), sized)

    def test_refuse(self) -> None:
        """A wrong word is an error even when later words are right."""
        for text in (
            "size",
            "size=x",
            "foo=1",
            "size=-1",
            "compress=yes",
            "bad size=1",
            "size=\u0661",
        ):
            self.assertRaises(ValueError, parseRoller, text)
