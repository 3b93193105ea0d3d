"""Tests of `mosntx.upstream.pools.shared`: what is not seen in the pools made of it."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.upstream.pools.shared import MOST_CONNECTIONS, MultiplexLimits


class LimitsTests(SynchronousTestCase):
    """The configured number of connections, with the limits of a subclass."""

    def test_of(self) -> None:
        """It makes limits of its own kind; one connection unless a sensible number is said."""
        for said, made in ((0, 1), (7, 7), (MOST_CONNECTIONS, MOST_CONNECTIONS), (2**32 - 1, 1)):
            limits = MultiplexLimits.of(said, connectTimeout=2.0)
            self.assertEqual((limits.connections, limits.connectTimeout), (made, 2.0))
