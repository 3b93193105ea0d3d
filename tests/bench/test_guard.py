"""Tests of the guard's book of processes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.guard import remaining


class RemainingTests(SynchronousTestCase):
    """Which groups are left."""

    def test_left(self) -> None:
        """What was started and not ended is left, the youngest first."""
        self.assertEqual(remaining(["+10\n", "+11\n", "+12\n", "-11\n"]), [12, 10])
        self.assertEqual(remaining(["+10\n", "-10\n"]), [])

    def test_again(self) -> None:
        """A number that is used again counts again."""
        self.assertEqual(remaining(["+10\n", "-10\n", "+10\n"]), [10])

    def test_garbage(self) -> None:
        """A line that was cut off is never taken for another process."""
        self.assertEqual(remaining(["+1234\n", "+12"]), [1234])
        self.assertEqual(remaining(["\n", "+\n", "-99\n", "+-5\n", "+all\n"]), [])
