"""Tests of the upstream's body and configuration."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.place import H2C, HTTP1
from bench.upstream import RETURN_LIMIT, makeBody, nginxConfig


class BodyTests(SynchronousTestCase):
    """The body of every answer."""

    @given(st.integers(1, 100_000))
    def test_size(self, size: int) -> None:
        """It has the size asked for and needs no quoting."""
        body = makeBody(size)
        self.assertEqual(len(body), size)
        self.assertFalse(set(body) & set(b"\"'\\${};\r\n "))


class ConfigTests(SynchronousTestCase):
    """nginx's configuration."""

    def test_protocols(self) -> None:
        """Each protocol has its port, and only HTTP/2 the flag for it."""
        text = nginxConfig({HTTP1: 20001, H2C: 20002}, b"hello", Path("/run/bench"))
        self.assertIn("listen 127.0.0.1:20001 backlog", text)
        self.assertIn("listen 127.0.0.1:20002 http2 backlog", text)
        self.assertIn('return 200 "hello";', text)

    def test_hosts(self) -> None:
        """Each server listens at every address that is asked for."""
        hosts = ["127.0.0.1", "127.0.3.250"]
        text = nginxConfig({HTTP1: 20001, H2C: 20002}, b"x", Path("/x"), hosts)
        for host in hosts:
            self.assertIn(f"listen {host}:20001 backlog", text)
            self.assertIn(f"listen {host}:20002 http2 backlog", text)
        self.assertEqual(text.count("server {"), 2)

    def test_largeBody(self) -> None:
        """A body too long for the configuration comes from a file."""
        text = nginxConfig({HTTP1: 1}, makeBody(RETURN_LIMIT + 1), Path("/run/bench"))
        self.assertNotIn("return 200", text)
        self.assertIn("root /run/bench;", text)

    def test_balanced(self) -> None:
        """Every brace that opens is closed."""
        text = nginxConfig({HTTP1: 1, H2C: 2}, b"x", Path("/x"))
        self.assertEqual(text.count("{"), text.count("}"))
