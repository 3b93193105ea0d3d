"""The tree a configuration text becomes: values with the place where each is written.

Three kinds of node, made by the JSON and the YAML reader and from Python objects, walked by the
decoder. Nodes may be shared (YAML aliases); readers bound their number with sharing counted out.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, TypeAlias

import attrs

MAX_DEPTH: Final = 100
"""Deepest nesting. MOSN's schema needs about 20; deeper is an attack on recursive code."""
MAX_NODES: Final = 1_000_000
"""Most values in one file, aliases counted as often as used: a bomb of a few lines makes 10^9."""
MAX_FILE_SIZE: Final = 16 * 1024 * 1024
"""Octets of one file; configurations of thousands of clusters are below 10 MiB."""


class ConfigSyntaxError(Exception):
    """A text that is no JSON or YAML, or one beyond the limits."""

    def __init__(self, message: str, line: int, column: int) -> None:
        """:param line: and `column` from 1, where reading stopped; 0 when unknown."""
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column


@attrs.frozen
class Mark:
    """A place in a file; line and column from 1, or 0 when there is no text."""

    file: str
    line: int = 0
    column: int = 0


@attrs.frozen(eq=False)
class ScalarNode:
    """Text, number, boolean or null."""

    mark: Mark
    value: str | int | float | bool | None


@attrs.frozen(eq=False)
class ListNode:
    """A list."""

    mark: Mark
    items: tuple[Node, ...]


@attrs.frozen(eq=False)
class Entry:
    """One key of an object with its value."""

    mark: Mark
    """Where the key is."""
    key: str
    node: Node


@attrs.frozen(eq=False)
class MapNode:
    """An object; entries in the order of the text, a key as often as it is written."""

    mark: Mark
    entries: tuple[Entry, ...]

    def find(self, *names: str) -> Node | None:
        """The value of a key in any case or in CamelCase; of several the last one."""
        found = None
        for entry in self.entries:
            folded = entry.key.lower()
            if folded in names or (folded != entry.key and snakeCase(entry.key) in names):
                found = entry.node
        return found


Node: TypeAlias = ScalarNode | ListNode | MapNode


class Lines:
    """Turns offsets in a text into lines and columns."""

    def __init__(self, text: str) -> None:
        """:param text: lines end with LF; a CR before it belongs to the line."""
        lengths = (len(line) + 1 for line in text.split("\n"))
        self._starts = [0, *accumulate(lengths)]

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._starts, offset) if offset < self._starts[-1] else 0
        line = line or len(self._starts) - 1
        return line, offset - self._starts[line - 1] + 1


def plain(node: Node) -> Any:
    """The Python value as ``json.loads`` would give it: of equal keys the last one wins."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {entry.key: plain(entry.node) for entry in node.entries}


def describe(node: Node) -> str:
    """What a value is, for messages: ``the number 5``, ``an object``."""
    if isinstance(node, MapNode):
        return "an object"
    if isinstance(node, ListNode):
        return "a list"
    value = node.value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"the text {quote(value)}"
    return f"the number {shorten(repr(value))}"


def shorten(text: str, length: int = 60) -> str:
    """At most ``length`` characters."""
    return text if len(text) <= length else text[: length - 1] + "…"


def quote(value: str) -> str:
    """Text in quotes, shortened, for messages."""
    return f"'{shorten(value)}'"


def fromPython(obj: object, name: str = "<mapping>") -> Node:
    """Nodes from a Python object; keys become text as in YAML.

    :raises ConfigSyntaxError: for objects that no file can hold, and beyond the limits.
    """
    return _PythonReader(Mark(name)).read(obj, 0)


class _PythonReader:
    """Makes nodes from mappings, sequences and scalars."""

    def __init__(self, mark: Mark) -> None:
        self._mark = mark
        self._nodes = 0

    def read(self, obj: object, depth: int) -> Node:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise ConfigSyntaxError(f"nested deeper than {MAX_DEPTH} levels", 0, 0)
        if self._nodes > MAX_NODES:
            raise ConfigSyntaxError(f"more than {MAX_NODES} values", 0, 0)
        if obj is None or isinstance(obj, str | bool | int | float):
            return ScalarNode(self._mark, obj)
        if isinstance(obj, Mapping):
            pairs = ((keyText(k), self.read(v, depth + 1)) for k, v in obj.items())
            return MapNode(self._mark, tuple(Entry(self._mark, k, v) for k, v in pairs))
        if isinstance(obj, Sequence) and not isinstance(obj, bytes | bytearray | memoryview):
            return ListNode(self._mark, tuple(self.read(item, depth + 1) for item in obj))
        raise ConfigSyntaxError(f"a value of type {type(obj).__name__} has no place in JSON", 0, 0)


_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snakeCase(key: str) -> str:
    """``LBSubsetConfig`` -> ``lb_subset_config``."""
    return _WORD_START.sub("_", key).lower()


def keyText(value: object) -> str:
    """A key as text: numbers, booleans and null as JSON writes them."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
