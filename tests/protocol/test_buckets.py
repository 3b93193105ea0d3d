"""Tests of token buckets."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.buckets import Bucket, Rate


def taken(bucket: Bucket, now: float) -> int:
    """Return how many tokens there are."""
    count = 0
    while bucket.take(now):
        count += 1
    return count


class BucketTests(SynchronousTestCase):
    """So many at once, so many a second."""

    def test_startsFull(self) -> None:
        """Whatever the clock says first, there is the burst and no more."""
        for now in (0.0, 5.0, 1e9, -3.0):
            self.assertEqual(taken(Bucket("a", Rate(7, 2.0)), now), 7)

    def test_fillsWithTime(self) -> None:
        """Tokens come back at the rate, parts of them too."""
        bucket = Bucket("a", Rate(7, 2.0))
        self.assertEqual(taken(bucket, 10.0), 7)
        self.assertEqual(taken(bucket, 11.0), 2)
        self.assertEqual(taken(bucket, 11.25), 0)
        self.assertEqual(taken(bucket, 11.5), 1)

    def test_neverBeyondBurst(self) -> None:
        """A long quiet time gives the burst, and quiet while full gives nothing."""
        bucket = Bucket("a", Rate(7, 2.0))
        self.assertTrue(bucket.take(1.0))
        self.assertEqual(taken(bucket, 1e6), 7)
        self.assertEqual(taken(bucket, 1e6), 0)

    def test_clockGoesBack(self) -> None:
        """Time that comes twice fills once."""
        bucket = Bucket("a", Rate(7, 2.0))
        self.assertEqual(taken(bucket, 10.0), 7)
        self.assertEqual(taken(bucket, 5.0), 0)
        self.assertEqual(taken(bucket, 10.0), 0)
        self.assertEqual(taken(bucket, 11.0), 2)

    def test_earn(self) -> None:
        """What was earned counts beyond the burst, and time does not take it away."""
        bucket = Bucket("a", Rate(7, 2.0))
        bucket.earn(10)
        self.assertTrue(bucket.take(1.0))
        self.assertEqual(taken(bucket, 100.0), 16)

    def test_none(self) -> None:
        """A burst of 0 admits nothing, ever."""
        bucket = Bucket("a", Rate(0, 100.0))
        self.assertFalse(bucket.take(1.0))
        self.assertFalse(bucket.take(100.0))
