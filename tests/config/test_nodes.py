"""Tests of `mosntx.config.nodes`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.nodes import (
    ConfigSyntaxError,
    Lines,
    MapNode,
    ScalarNode,
    describe,
    fromPython,
    plain,
    snakeCase,
)


class NodeTests(SynchronousTestCase):
    """Trees and places."""

    @given(st.text(alphabet="a\n\r"), st.data())
    def test_lines(self, text: str, data: st.DataObject) -> None:
        """Line and column of every offset, the end included."""
        offset = data.draw(st.integers(0, len(text)))
        before = text[:offset]
        expected = (before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
        self.assertEqual(Lines(text).place(offset), expected)

    def test_fromPython(self) -> None:
        """Mappings and sequences of any kind; keys become text."""
        node = fromPython({"a": (1, 2.5), True: None, 80: [{"x": "y"}]})
        self.assertEqual(plain(node), {"a": [1, 2.5], "true": None, "80": [{"x": "y"}]})
        for bad in (object(), b"x", {1, 2}, {"a": lambda: 0}):
            self.assertRaises(ConfigSyntaxError, fromPython, bad)

    def test_find(self) -> None:
        """Keys in any case; of several the last."""
        node = fromPython({"Type": "a", "type": "b"})
        assert isinstance(node, MapNode)
        found = node.find("type")
        assert isinstance(found, ScalarNode)
        self.assertEqual(found.value, "b")
        self.assertIsNone(node.find("other"))

    def test_snakeCase(self) -> None:
        """CamelCase keys of 0.1."""
        cases = {
            "DownstreamProtocol": "downstream_protocol",
            "LBSubsetConfig": "lb_subset_config",
            "LbType": "lb_type",
            "name": "name",
        }
        for text, expected in cases.items():
            self.assertEqual(snakeCase(text), expected)

    def test_describe(self) -> None:
        """Values in words, long ones shortened."""
        values: list[object] = [None, True, 5, 1.5, "x", [], {}, "y" * 1000]
        words = [describe(fromPython(value)) for value in values]
        self.assertEqual(
            words[:5], ["null", "true", "the number 5", "the number 1.5", "the text 'x'"]
        )
        self.assertEqual(words[5:7], ["a list", "an object"])
        self.assertLess(len(words[7]), 100)
