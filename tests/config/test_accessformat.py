"""Tests of `mosntx.config.accessformat`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.accessformat import checkFormat


class FormatTests(SynchronousTestCase):
    """The syntax of access log formats."""

    def test_good(self) -> None:
        """Variables, text, adjacent variables, escaped percent signs."""
        for text in ("", "text", "%a%", "%a% - %b%", "%a%%b%", "100\\% of %a%"):
            self.assertEqual(checkFormat(text), "", text)

    def test_bad(self) -> None:
        """Empty names and odd percent signs."""
        for text in ("%%", "a %% b", "%a% %%"):
            self.assertIn("empty variable definition", checkFormat(text))
        for text in ("%", "%a", "%a%%b", "100%"):
            self.assertIn("unclosed", checkFormat(text))
