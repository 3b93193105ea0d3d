"""JSON text -> nodes with positions.

The same language as the standard library's ``json.loads``, which keeps no positions: any blanks
(tabs too), long keys, escapes, ``1e3`` as a number, equal keys kept in order. Three things differ,
as in Go's decoder: ``NaN`` and ``Infinity`` are refused, and half a surrogate pair becomes
U+FFFD.
"""

from __future__ import annotations

import json
import re
from typing import Final

from mosntx.config.nodes import (
    MAX_DEPTH,
    MAX_NODES,
    ConfigSyntaxError,
    Entry,
    Lines,
    ListNode,
    MapNode,
    Mark,
    Node,
    ScalarNode,
)

_BLANKS: Final = re.compile(r"[ \t\n\r]*")
_STRING: Final = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LITERALS: Final = {"true": True, "false": False, "null": None}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
MAX_DIGITS: Final = 4000
"""Digits of a number; Python refuses to convert more than 4300, as that takes quadratic time."""


def readJson(text: str, name: str) -> Node:
    """The tree of a JSON text.

    :param text: decoded, without a byte order mark.
    :param name: of the file, for positions.
    :raises ConfigSyntaxError: at the first mistake.
    """
    return _Reader(text, name).document()


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._lines = Lines(text)
        self._nodes = 0
        self._at = 0

    def document(self) -> Node:
        """The whole text as one value."""
        self._skip()
        node = self._value(0)
        self._skip()
        if self._at != len(self._text):
            raise self._problem("text after the end of the JSON value")
        return node

    def _skip(self) -> str:
        """Pass blanks; the next character, or "" at the end."""
        found = _BLANKS.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def _mark(self) -> Mark:
        return Mark(self._name, *self._lines.place(self._at))

    def _problem(self, message: str) -> ConfigSyntaxError:
        return ConfigSyntaxError(message, *self._lines.place(self._at))

    def _value(self, depth: int) -> Node:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise self._problem(f"nested deeper than {MAX_DEPTH} levels")
        if self._nodes > MAX_NODES:
            raise self._problem(f"more than {MAX_NODES} values")
        character = self._text[self._at : self._at + 1]
        if character == "{":
            return self._object(depth)
        if character == "[":
            return self._list(depth)
        mark = self._mark()
        if character == '"':
            return ScalarNode(mark, self._string())
        return ScalarNode(mark, self._scalar(character))

    def _object(self, depth: int) -> MapNode:
        mark = self._mark()
        entries: list[Entry] = []
        self._at += 1
        character = self._skip()
        while character != "}":
            if character != '"':
                raise self._problem("expected a key in double quotes or '}'")
            keyMark = self._mark()
            key = self._string()
            if self._skip() != ":":
                raise self._problem("expected ':' after the key")
            self._at += 1
            self._skip()
            entries.append(Entry(keyMark, key, self._value(depth + 1)))
            character = self._separator("}")
        self._at += 1
        return MapNode(mark, tuple(entries))

    def _list(self, depth: int) -> ListNode:
        mark = self._mark()
        items: list[Node] = []
        self._at += 1
        character = self._skip()
        while character != "]":
            items.append(self._value(depth + 1))
            character = self._separator("]")
        self._at += 1
        return ListNode(mark, tuple(items))

    def _separator(self, close: str) -> str:
        """After a member: pass a comma and return the next character, which is no closing one."""
        character = self._skip()
        if character == close:
            return character
        if character != ",":
            raise self._problem(f"expected ',' or '{close}'")
        self._at += 1
        character = self._skip()
        if character == close:
            raise self._problem(f"expected a value after ',', not '{close}'")
        return character

    def _string(self) -> str:
        found = _STRING.match(self._text, self._at)
        if found is None:
            raise self._problem("text without end, or with an unescaped control character")
        literal = found.group()
        try:
            value: str = json.loads(literal) if "\\" in literal else literal[1:-1]
        except json.JSONDecodeError as error:
            self._at += error.pos
            raise self._problem(f"bad escape in text: {error.msg}") from None
        self._at = found.end()
        return _SURROGATE.sub("\ufffd", value)

    def _scalar(self, character: str) -> int | float | bool | None:
        found = _NUMBER.match(self._text, self._at)
        if found is not None:
            if found.end() - found.start() > MAX_DIGITS:
                raise self._problem(f"a number of more than {MAX_DIGITS} digits")
            self._at = found.end()
            fraction, exponent = found.groups()
            return float(found.group()) if fraction or exponent else int(found.group())
        for word, value in _LITERALS.items():
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        raise self._problem("expected a value" if character else "the text ends too early")
