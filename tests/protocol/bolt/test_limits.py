"""Tests of Bolt's limits."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.limits import BoltLimits


class LimitsTests(SynchronousTestCase):
    """See `BoltLimits`."""

    def test_defaults(self) -> None:
        """Content has a limit that memory can bear; names and maps have that of their fields."""
        limits = BoltLimits()
        self.assertEqual(limits.max_content, 64 * 1024 * 1024)
        self.assertEqual((limits.max_header_map, limits.max_class_name), (65535, 65535))
        self.assertTrue(limits.check_header_map)

    def test_frozen(self) -> None:
        """Codecs share them, so nobody changes them."""
        with self.assertRaises(attrs.exceptions.FrozenInstanceError):
            BoltLimits().max_content = 1  # type: ignore[misc]  # that is the point
