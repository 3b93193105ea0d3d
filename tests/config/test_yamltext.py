"""Tests of `mosntx.config.yamltext`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.nodes import MAX_DEPTH, ConfigSyntaxError, MapNode, plain
from mosntx.config.yamltext import readYaml, resolveScalar

YAML_LIKE = st.text(alphabet="ab-:?[]{},&*!|>'\"%@`#~<0.e+ \t\n\\xU\x00\x85", max_size=40)


def read(text: str) -> Any:
    """The plain value of a text."""
    return plain(readYaml(text, "f"))


def place(text: str) -> tuple[int, int, str]:
    """Where and why a text is refused."""
    try:
        readYaml(text, "x")
    except ConfigSyntaxError as error:
        return error.line, error.column, error.message
    raise AssertionError(f"accepted: {text}")


class ReadYamlTests(SynchronousTestCase):
    """YAML with places and bounds."""

    def test_booleansOfYaml11(self) -> None:
        """Words of YAML 1.1 are booleans, as in MOSN; single letters are not."""
        self.assertEqual(
            read("[yes, No, ON, off, true, FALSE]"), [True, False, True, False, True, False]
        )
        self.assertEqual(read("[y, n, 'yes', yEs]"), ["y", "n", "yes", "yEs"])

    def test_numbers(self) -> None:
        """Numbers in all bases, with underscores and exponents."""
        self.assertEqual(
            read("[12, -3, 1_000, 0x1F, 0b11, 010, 0o17]"), [12, -3, 1000, 31, 3, 8, 15]
        )
        self.assertEqual(read("[1e3, .5, 1., -1.5E-2]"), [1000.0, 0.5, 1.0, -0.015])

    def test_textThatLooksLikeSomethingElse(self) -> None:
        """No dates and no base-60 numbers: addresses and versions stay text."""
        words = ["22:22", "2001-01-01", "1.2.3", "127.0.0.1:80", "0x", "08", "-", "a: b"]
        quoted = ", ".join(f"'{w}'" if w in ("-", "a: b") else w for w in words)
        self.assertEqual(read(f"[{quoted}]"), words)

    def test_keysAreText(self) -> None:
        """Keys that are no text are written as JSON writes them."""
        self.assertEqual(
            read("80: a\nyes: b\n~: c\n1.5: d"), {"80": "a", "true": "b", "null": "c", "1.5": "d"}
        )

    def test_tags(self) -> None:
        """The standard tags are understood, others refused."""
        self.assertEqual(read("[!!str 80, !!int '80', !!float 1, ! x]"), ["80", 80, 1.0, "x"])
        self.assertEqual(place("a: !python/object x")[:2], (1, 4))
        self.assertEqual(place("a: !!int x")[:2], (1, 4))
        self.assertIn("tag", place("a: !foo {}")[2])

    def test_mergeKeys(self) -> None:
        """`<<` takes over keys; own keys win, and the earlier of several."""
        text = "a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  y: 3\n"
        self.assertEqual(read(text)["c"], {"x": 1, "z": 2, "y": 3})
        self.assertIn("merges objects", place("a: {<<: 1}")[2])

    def test_positions(self) -> None:
        """Keys and values know where they are; an alias is where its anchor is."""
        root = readYaml("a: &x\n  - 1\nb: *x\n", "f")
        assert isinstance(root, MapNode)
        places = [(e.mark.line, e.mark.column, e.node.mark.line) for e in root.entries]
        self.assertEqual(places[0][:2], (1, 1))
        self.assertEqual(places[1][:2], (3, 1))
        self.assertEqual(places[0][2], places[1][2])

    def test_aliasBomb(self) -> None:
        """A few lines that mean a billion values are refused before they are built."""
        lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
        lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
        self.assertIn("aliases counted", place("\n".join(lines))[2])

    def test_depth(self) -> None:
        """Nesting is bounded, written out or by aliases."""
        self.assertIn("nested deeper", place("[" * 5000)[2])
        chain = ["a0: &a0 [1]"] + [f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, MAX_DEPTH + 5)]
        self.assertIn("nested deeper", place("\n".join(chain))[2])

    def test_selfReference(self) -> None:
        """An alias inside of its own anchor would never end."""
        self.assertEqual(place("a: &a [*a]")[:2], (1, 8))
        self.assertIn("anchor", place("a: *b")[2])

    def test_errorsHavePlaces(self) -> None:
        """The library's errors keep their line and column."""
        self.assertEqual(place("a: 1\nb: [1,\nc: }")[0], 3)
        self.assertEqual(place("a:\n\t- 1")[:2], (2, 1))
        self.assertEqual(place("a: 1\nb: \x01")[:2], (2, 4))
        self.assertEqual(place('a: "\\U00110000"')[0], 1)
        self.assertEqual(place("? [1]\n: 2")[:2], (1, 3))

    def test_oneDocument(self) -> None:
        """A second document is refused; one with markers is fine; an empty text is null."""
        self.assertEqual(place("---\na: 1\n---\nb: 1\n")[:2], (3, 1))
        self.assertEqual(read("---\na: 1\n...\n"), {"a": 1})
        self.assertIsNone(read("# nothing\n"))

    def test_notFinite(self) -> None:
        """Infinity and not-a-number have no place in JSON."""
        for text in (".inf", "-.INF", ".nan"):
            self.assertIn("infinity", place(f"a: {text}")[2])

    @given(YAML_LIKE | st.text())
    def test_onlyOneKindOfError(self, text: str) -> None:
        """No text raises anything but `ConfigSyntaxError`."""
        try:
            readYaml(text, "x")
        except ConfigSyntaxError as error:
            self.assertTrue(error.message)

    @given(st.text(), st.sampled_from(["", "!", "str", "int", "float", "bool", "null"]))
    def test_scalars(self, text: str, tag: str) -> None:
        """Any text under any tag is a value or a `ValueError`."""
        try:
            value = resolveScalar(text, tag, True)
        except ValueError:
            return
        if tag in ("str", "!"):
            self.assertEqual(value, text)
        else:
            self.assertIsInstance(value, str | int | float | bool | None)
