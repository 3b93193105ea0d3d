"""Tests of `mosntx.config.expressions.functions`."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.expressions.functions import FUNCTIONS, TEXT, Value


def call(name: str, *arguments: bytes | None) -> Any:
    """What a function gives for literals; ``None`` is a value that the request does not have."""
    values = [Value(TEXT, lambda _, each=each: each, each) for each in arguments]
    return FUNCTIONS[name].make(*values)(object())


class FunctionsTests(SynchronousTestCase):
    """Each function of the table."""

    def test_texts(self) -> None:
        """Beginning, end, inside, length and case."""
        for name, first, second, expected in (
            ("startsWith", b"abc", b"ab", True),
            ("startsWith", b"abc", b"b", False),
            ("endsWith", b"abc", b"bc", True),
            ("endsWith", b"abc", b"b", False),
            ("contains", b"abc", b"b", True),
            ("contains", b"abc", b"B", False),
            ("match", b"abc", b"ab*", True),
            ("match", b"abc", b"*bc", True),
            ("match", b"abc", b"abc", True),
            ("match", b"abc", b"ab", False),
            ("match", b"abc", b"*b", False),
            ("matches", b"abc", b"^a.c$", True),
            ("matches", b"a\xffc", b"^a.c$", True),
            ("matches", b"abc", b"^b", False),
        ):
            self.assertIs(call(name, first, second), expected, (name, first, second))
        self.assertEqual(call("toLower", b"aBC"), b"abc")
        self.assertEqual(call("toUpper", b"aBc"), b"ABC")
        self.assertEqual(call("size", b"abc"), 3)

    def test_networks(self) -> None:
        """An address is in a network, also as IPv4 inside of IPv6; what is none never is."""
        for address, network, expected in (
            (b"10.1.2.3", b"10.0.0.0/8", True),
            (b"11.1.2.3", b"10.0.0.0/8", False),
            (b"::ffff:10.1.2.3", b"10.0.0.0/8", True),
            (b"fd00::1", b"fd00::/8", True),
            (b"fd00::1", b"10.0.0.0/8", False),
            (b"10.0.0.1", b"10.0.0.1", True),
            (b"/run/x.sock", b"0.0.0.0/0", False),
            (b"\xff", b"0.0.0.0/0", False),
        ):
            self.assertIs(call("inNetwork", address, network), expected, address)

    def test_missing(self) -> None:
        """Of what is not there, nothing is known."""
        for name, function in FUNCTIONS.items():
            arguments = [None] + [b"10.0.0.0"] * (len(function.takes) - 1)
            self.assertIsNone(call(name, *arguments), name)

    def test_refused(self) -> None:
        """Patterns and networks that are none are refused when they are read."""
        for name in ("matches", "inNetwork"):
            with self.assertRaises(ValueError):
                call(name, b"a", b"a(")
