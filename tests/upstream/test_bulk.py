"""Tests of `mosntx.upstream.bulk`."""

from __future__ import annotations

import gc

from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.bulk import MANY, uncollected


class UncollectedTests(SynchronousTestCase):
    """Garbage is not collected for a while."""

    def test_many(self) -> None:
        """It is off while many are made, and on again also after an error."""
        seen = []
        try:
            with uncollected(MANY):
                seen.append(gc.isenabled())
                int("x")
        except ValueError:
            seen.append(gc.isenabled())
        self.assertEqual(seen, [False, True])

    def test_few(self) -> None:
        """For a few objects nothing changes."""
        with uncollected(MANY - 1):
            self.assertTrue(gc.isenabled())

    def test_alreadyOff(self) -> None:
        """When somebody else has switched it off, it stays off."""
        gc.disable()
        self.addCleanup(gc.enable)
        with uncollected(MANY):
            self.assertFalse(gc.isenabled())
        self.assertFalse(gc.isenabled())
