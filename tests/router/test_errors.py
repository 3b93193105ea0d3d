"""Tests of `mosntx.router.errors`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.router.errors import Problems, RouterConfigError


def fail(error: Exception) -> None:
    raise error


class ProblemsTests(SynchronousTestCase):
    """Collecting mistakes."""

    def test_none(self):
        """Without mistakes nothing is raised."""
        problems = Problems()
        with problems.at("a"):
            pass
        problems.check()

    def test_all(self):
        """Mistakes are kept in order with their paths, nested ones with their own."""
        problems = Problems()
        with problems.at("a"):
            fail(ValueError("one"))
        with problems.at("b"):
            fail(RouterConfigError([("b.c", "two"), ("b.d", "three")]))
        error = self.assertRaises(RouterConfigError, problems.check)
        self.assertEqual(error.problems, (("a", "one"), ("b.c", "two"), ("b.d", "three")))
        self.assertEqual(error.path, "a")
        self.assertEqual(str(error), "a: one\nb.c: two\nb.d: three")
        self.assertIsInstance(error, ValueError)

    def test_others(self):
        """Only mistakes of the configuration are collected."""

        def broken() -> None:
            with Problems().at("a"):
                fail(KeyError("ours"))

        self.assertRaises(KeyError, broken)
