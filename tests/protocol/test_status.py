"""Tests of status codes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.status import PHRASES, hasBody, phrase


class StatusTests(SynchronousTestCase):
    """Phrases and bodies."""

    def test_phrases(self) -> None:
        """Known codes have their phrase, others that of their class, wild ones a word."""
        self.assertEqual(phrase(404), b"Not Found")
        self.assertEqual(phrase(299), b"Success")
        self.assertEqual(phrase(599), b"Server Error")
        self.assertEqual(phrase(999), b"Unknown")

    def test_clean(self) -> None:
        """No phrase could break a status line."""
        for text in PHRASES.values():
            self.assertTrue(text.decode("ascii").isprintable())

    def test_hasBody(self) -> None:
        """Bodies are kept from HEAD, 1xx, 204 and 304 only."""
        self.assertTrue(hasBody(200, b"GET"))
        self.assertTrue(hasBody(404, b"POST"))
        for status, method in ((200, b"HEAD"), (101, b"GET"), (204, b"GET"), (304, b"GET")):
            self.assertFalse(hasBody(status, method))
