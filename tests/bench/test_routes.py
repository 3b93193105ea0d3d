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
        """Rules by path, prefix or service of a thousand routes cost at most twice those of ten."""
        for kind in KINDS.keys() - {"regex (one by one)"}:
            pairs = (compare(kind, rounds=15) for _ in range(3))  # the machine may be busy
            self.assertTrue(any(many <= 2 * few for few, many in pairs), kind)
