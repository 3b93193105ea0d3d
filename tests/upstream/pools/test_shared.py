"""Tests of `mosntx.upstream.pools.shared`: what is not seen in the pools made of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.pools.framed import FramedLimits
from mosntx.upstream.pools.shared import MOST_CONNECTIONS


class LimitsTests(SynchronousTestCase):
    """The configured number of connections, with the limits of a subclass."""

    def test_of(self) -> None:
        """It makes limits of its own kind; one connection unless a sensible number is said."""
        limits = FramedLimits.of(MOST_CONNECTIONS + 1, pendingTimeout=2.0)
        self.assertEqual((limits.connections, limits.pendingTimeout), (1, 2.0))
