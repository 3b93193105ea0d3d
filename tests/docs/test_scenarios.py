"""The tests that the manual's page of MOSN's scenarios names are there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from unittest import TestCase

from twisted.trial.unittest import SynchronousTestCase

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "mosn-scenarios.rst"
#: Scenarios about routes, clusters, balancing, health and retries, without a gap.
SUBJECT = {*range(19, 47), *range(47, 113)}


def rows() -> dict[int, tuple[str, str]]:
    """Return what each row says, and by what it is shown, by number."""
    found = re.findall(r'^   (\d+), "((?:[^"]|"")*)", "([^"]*)"$', PAGE.read_text(), re.MULTILINE)
    return {int(number): (what, shown) for number, what, shown in found}


def namedTest(name: str) -> object:
    """Return the method of a test.

    :raises ImportError: when there is no such module.
    :raises AttributeError: when it has no such class or test.
    """
    module, case, method = f"tests.{name}".rsplit(".", 2)
    found = getattr(importlib.import_module(module), case)
    if not issubclass(found, TestCase):
        raise AttributeError(f"{case} is no TestCase")
    return getattr(found, method)


class PageTests(SynchronousTestCase):
    """The page as it is written."""

    def test_complete(self) -> None:
        """Each scenario has one row, in order, and every row is read here."""
        numbers = list(rows())
        self.assertEqual(numbers, sorted(numbers))
        self.assertLessEqual(SUBJECT, set(numbers))
        written = re.findall(r"^   \d+, ", PAGE.read_text(), re.MULTILINE)
        self.assertEqual(len(written), len(numbers))

    def test_shown(self) -> None:
        """Each row names tests, or says in a sentence why there is none."""
        for number, (what, shown) in rows().items():
            names = re.findall(r"``([\w.]+)``", shown)
            self.assertTrue(what, number)
            if not names:
                self.assertRegex(shown, r"(?i)^[^`]*\bnot\b.*\.$", number)

    def test_exist(self) -> None:
        """Each test that is named exists."""
        for number, (_, shown) in rows().items():
            for name in re.findall(r"``(\w+(?:\.\w+)+)``", shown):
                self.assertTrue(callable(namedTest(name)), (number, name))

    def test_notFound(self) -> None:
        """A name that no test has is noticed."""
        self.assertRaises(ImportError, namedTest, "router.test_nothing.SplitTests.test_shares")
        self.assertRaises(AttributeError, namedTest, "router.test_actions.SplitTests.test_nothing")
        self.assertRaises(AttributeError, namedTest, "proxy.build.Witness.streamCreated")
