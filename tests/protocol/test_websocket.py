"""Tests of `mosntx.protocol.websocket`."""

from __future__ import annotations

from base64 import b64decode
from unittest import TestCase

from mosntx.protocol.websocket import acceptFor, newKey


class WebSocketTests(TestCase):
    """Keys and their answers."""

    def test_accept(self) -> None:
        """The example of RFC 6455 1.3 comes out."""
        self.assertEqual(acceptFor(b"dGhlIHNhbXBsZSBub25jZQ=="), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")

    def test_key(self) -> None:
        """A key is 16 random octets."""
        self.assertEqual(b64decode(newKey(lambda size: b"x" * size)), b"x" * 16)
