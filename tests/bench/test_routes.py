"""Tests of `bench.routes`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.routes import KINDS, compare, measured


class RoutesTests(SynchronousTestCase):
    """What a long table costs."""

    def test_kinds(self) -> None:
        """Each kind is measured on a request that its last route matches."""
        for kind in KINDS:
            self.assertGreater(measured(kind, 5)(), 0.0, kind)

    def test_length(self) -> None:
        """Exact and prefix rules of a thousand routes cost at most twice what those of ten do."""
        for kind in ("exact", "prefix", "prefixes of many lengths", "prefix and header"):
            few, many = compare(kind, rounds=15)
            self.assertLessEqual(many, 2 * few, kind)
