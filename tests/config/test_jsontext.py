"""Tests of `mosntx.config.jsontext`."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.jsontext import readJson
from mosntx.config.nodes import ConfigSyntaxError, ListNode, MapNode, plain

ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
JSON_LIKE = st.text(alphabet='{}[],:"\\ntrufalse0123456789.eE+- \t\n\x00x', max_size=40)


def place(text: str) -> tuple[int, int, str]:
    """Where and why a text is refused."""
    try:
        readJson(text, "x")
    except ConfigSyntaxError as error:
        return error.line, error.column, error.message
    raise AssertionError(f"accepted: {text}")


class ReadJsonTests(SynchronousTestCase):
    """The language of `json.loads`, with places."""

    @given(ANY_JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
    def test_sameAsStandardLibrary(self, value: Any, indent: Any, ascii: bool) -> None:
        """Any document gives what `json.loads` gives, whatever its layout."""
        text = json.dumps(value, indent=indent, ensure_ascii=ascii)
        self.assertEqual(plain(readJson(text, "x")), json.loads(text))

    @given(JSON_LIKE)
    def test_acceptsTheSameTexts(self, text: str) -> None:
        """What `json.loads` refuses is refused, what it reads is read, but for NaN and Infinity."""
        try:
            expected = json.loads(text)
        except ValueError:
            self.assertRaises(ConfigSyntaxError, readJson, text, "x")
        else:
            self.assertEqual(repr(plain(readJson(text, "x"))), repr(expected))

    @given(st.text())
    def test_onlyOneKindOfError(self, text: str) -> None:
        """No text raises anything but `ConfigSyntaxError`."""
        try:
            readJson(text, "x")
        except ConfigSyntaxError as error:
            self.assertGreaterEqual(error.line, 1)

    def test_positions(self) -> None:
        """Keys and values know their line and column; a tab is one column."""
        root = readJson('{\n\t"a": [1,\n\t\t"x"],\r\n "b" : {}}', "f")
        assert isinstance(root, MapNode)
        first, second = root.entries
        assert isinstance(first.node, ListNode)
        marks = [first.mark, first.node.mark, *(n.mark for n in first.node.items), second.node.mark]
        places = [(m.line, m.column) for m in marks]
        self.assertEqual(places, [(2, 2), (2, 7), (2, 8), (3, 3), (4, 8)])
        self.assertEqual(first.mark.file, "f")

    def test_duplicateKeysAreKept(self) -> None:
        """Both are in the tree; the plain value has the later one."""
        root = readJson('{"a": 1, "a": 2}', "f")
        assert isinstance(root, MapNode)
        self.assertEqual([entry.key for entry in root.entries], ["a", "a"])
        self.assertEqual(plain(root), {"a": 2})

    def test_numbers(self) -> None:
        """An exponent makes a number, no text; whole numbers have any size."""
        values = plain(readJson("[1e3, -0, 1.50, 12345678901234567890]", "f"))
        self.assertEqual(values, [1000.0, 0, 1.5, 12345678901234567890])
        self.assertIs(type(values[0]), float)

    def test_surrogates(self) -> None:
        """A pair is one character, half a pair is replaced as Go does it."""
        self.assertEqual(plain(readJson('"\\ud83d\\ude00\\ud83d"', "f")), "\U0001f600\ufffd")

    def test_longKeys(self) -> None:
        """Keys beyond YAML's limit of 1024 characters are fine."""
        key = "k" * 5000
        self.assertEqual(plain(readJson(f'{{"{key}": 1}}', "f")), {key: 1})

    def test_errorsHavePlaces(self) -> None:
        """Each mistake is reported where it is."""
        self.assertEqual(place('{"a" 1}'), (1, 6, "expected ':' after the key"))
        self.assertEqual(place('{"a": 1\n "b": 2}')[:2], (2, 2))
        self.assertEqual(place('{"a": 1,\n}')[:2], (2, 1))
        self.assertEqual(place("[1, ]")[:2], (1, 5))
        self.assertEqual(place("{")[:2], (1, 2))
        self.assertEqual(place("")[:2], (1, 1))
        self.assertEqual(place('["a\nb"]')[:2], (1, 2))
        self.assertEqual(place('["a\\xb"]')[:2], (1, 4))
        self.assertEqual(place("{} x")[:2], (1, 4))
        self.assertEqual(place("[tru]")[:2], (1, 2))

    def test_notNumbers(self) -> None:
        """NaN and Infinity have no place in JSON."""
        for text in ("NaN", "Infinity", "-Infinity"):
            self.assertRaises(ConfigSyntaxError, readJson, text, "x")

    def test_depthIsBounded(self) -> None:
        """Deep nesting is an error, not a crash of recursive code."""
        self.assertIn("nested deeper", place("[" * 100_000)[2])
        self.assertIn("nested deeper", place('{"a":' * 100_000)[2])

    def test_digitsAreBounded(self) -> None:
        """A number of a million digits is refused at once."""
        self.assertIn("digits", place("1" * 1_000_000)[2])
