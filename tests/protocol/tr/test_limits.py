"""Tests of the limits as values."""

from __future__ import annotations

from attrs.exceptions import FrozenInstanceError
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.tr.limits import TrLimits


class LimitsTests(SynchronousTestCase):
    """`TrLimits`."""

    def test_frozen(self) -> None:
        """Codecs share them, so nobody changes them."""
        limits = TrLimits()
        with self.assertRaises(FrozenInstanceError):
            limits.max_content = 1  # type: ignore[misc]  # that is the test
