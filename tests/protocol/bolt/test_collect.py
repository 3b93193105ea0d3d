"""Tests of content in pieces."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.collect import Collected
from mosntx.protocol.errors import EncodeError


class CollectedTests(SynchronousTestCase):
    """See `Collected`."""

    def test_pieces(self) -> None:
        """Pieces are joined, up to the limit and not beyond."""
        head = object()
        collected = Collected(head, 5)
        collected.add(b"ab")
        collected.add(b"")
        collected.add(b"cde")
        self.assertEqual((collected.head, collected.content()), (head, b"abcde"))
        error = self.assertRaises(EncodeError, collected.add, b"f")
        self.assertEqual(str(error), "bolt: content of 6 octets, at most 5")
        self.assertEqual(collected.content(), b"abcde")
