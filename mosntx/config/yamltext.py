"""YAML text -> nodes with positions.

Built from ruamel.yaml's events, not by its loader: positions stay, recursion and alias bombs are
bounded before anything is built, and plain scalars mean what MOSN's YAML library makes of them
(YAML 1.1 booleans, no dates, no base-60 numbers: ``22:22`` is text).
"""

from __future__ import annotations

import re
from typing import Any, Final

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

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
    keyText,
)

_TRUE: Final = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE: Final = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER: Final = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_BASED: Final = re.compile(r"([-+]?)0(?:x([0-9a-fA-F_]+)|b([01_]+)|o?([0-7_]+))")
_FLOAT: Final = re.compile(
    r"[-+]?(?:(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)"
)
_NOT_FINITE: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_BASES: Final = ((2, 16), (3, 2), (4, 8))
"""Group of `_BASED` -> base."""
_TAG_PREFIX: Final = "tag:yaml.org,2002:"
_SCALAR_TAGS: Final = frozenset({"", "!", "str", "int", "float", "bool", "null"})
_COLLECTION_TAGS: Final = frozenset({"", "!", "seq", "map"})
_TYPE_TAGS: Final = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null"}
MAX_DIGITS: Final = 4000
"""Digits of a number; Python refuses to convert more than 4300, as that takes quadratic time."""

Scalar = str | int | float | bool | None


def readYaml(text: str, name: str) -> Node:
    """The tree of a YAML text; an empty text is null.

    :param text: decoded, without a byte order mark.
    :param name: of the file, for positions.
    :raises ConfigSyntaxError: at the first mistake.
    """
    builder = _Builder(name)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.event(event)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigSyntaxError(error.problem or "not YAML", line, column) from None
    except YAMLError as error:
        offset = getattr(error, "position", 0)
        place = Lines(text).place(offset if isinstance(offset, int) else 0)
        message = f"unacceptable character in YAML ({getattr(error, 'reason', error)})"
        raise ConfigSyntaxError(message, *place) from None
    except (ValueError, IndexError, AttributeError, TypeError, RecursionError) as error:
        # The library's own slips on odd input, such as \\U00110000 (chr() out of range).
        raise ConfigSyntaxError(f"not YAML: {error}", *builder.place) from None
    return builder.result()


@attrs.define(eq=False)
class _Open:
    """A list or object that is still being read."""

    mark: Mark
    anchor: str | None
    isMap: bool
    nodesBefore: int
    items: list[Node] = attrs.field(factory=list)
    """The members; of an object key, value, key, value, …"""
    height: int = 0
    """Levels below this one."""


class _Builder:
    """Makes nodes from events, with a stack instead of recursion."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._root: Node | None = None
        self._nodes = 0
        self._documents = 0
        self.place = (1, 1)

    def result(self) -> Node:
        """The finished tree."""
        return self._root or ScalarNode(Mark(self._name, 1, 1), None)

    def event(self, event: Any) -> None:
        """Take one event of ruamel.yaml's parser."""
        mark = Mark(self._name, event.start_mark.line + 1, event.start_mark.column + 1)
        self.place = (mark.line, mark.column)
        if isinstance(event, AliasEvent):
            self._alias(event.anchor)
        elif isinstance(event, ScalarEvent):
            self._count(1)
            self._add(ScalarNode(mark, self._scalar(event)), event.anchor, 1, 0)
        elif isinstance(event, SequenceStartEvent | MappingStartEvent):
            self._open(event, mark)
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            self._close()
        elif isinstance(event, DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._problem("a second document; a configuration is one document")

    def _problem(self, message: str) -> ConfigSyntaxError:
        return ConfigSyntaxError(message, *self.place)

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise self._problem(f"more than {MAX_NODES} values, aliases counted as often as used")

    def _scalar(self, event: Any) -> Scalar:
        tag = self._tag(event, _SCALAR_TAGS)
        try:
            return resolveScalar(event.value, tag, bool(event.implicit[0]))
        except ValueError as error:
            raise self._problem(str(error)) from None

    def _tag(self, event: Any, allowed: frozenset[str]) -> str:
        """The tag without its prefix; "" for none."""
        tag = str(event.tag).removeprefix(_TAG_PREFIX) if event.tag is not None else ""
        if tag not in allowed:
            raise self._problem(f"unknown YAML tag {tag}")
        return tag

    def _open(self, event: Any, mark: Mark) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self._problem(f"nested deeper than {MAX_DEPTH} levels")
        self._tag(event, _COLLECTION_TAGS)
        if event.anchor:
            self._anchors.pop(event.anchor, None)
        isMap = isinstance(event, MappingStartEvent)
        self._stack.append(_Open(mark, event.anchor, isMap, self._nodes))
        self._count(1)

    def _close(self) -> None:
        opened = self._stack.pop()
        node: Node
        if opened.isMap:
            node = MapNode(opened.mark, tuple(self._entries(opened.items)))
        else:
            node = ListNode(opened.mark, tuple(opened.items))
        self._add(node, opened.anchor, self._nodes - opened.nodesBefore, opened.height)

    def _alias(self, anchor: str) -> None:
        if anchor not in self._anchors:
            raise self._problem(f"alias *{anchor} without an anchor &{anchor} finished before it")
        node, nodes, height = self._anchors[anchor]
        self._count(nodes)
        if len(self._stack) + height > MAX_DEPTH:
            raise self._problem(f"nested deeper than {MAX_DEPTH} levels")
        self._add(node, None, nodes, height)

    def _add(self, node: Node, anchor: str | None, nodes: int, height: int) -> None:
        """Put a finished node where it belongs."""
        if anchor:
            self._anchors[anchor] = (node, nodes, height)
        if not self._stack:
            self._root = node
            return
        top = self._stack[-1]
        top.items.append(node)
        top.height = max(top.height, height + 1)

    def _entries(self, items: list[Node]) -> list[Entry]:
        """Keys and values as entries; what ``<<`` merges in comes first and yields to own keys."""
        own: list[Entry] = []
        merged: list[Node] = []
        for keyNode, value in zip(items[::2], items[1::2], strict=True):
            if not isinstance(keyNode, ScalarNode):
                self.place = (keyNode.mark.line, keyNode.mark.column)
                raise self._problem("a key must be text, not a list or an object")
            if keyNode.value == "<<":
                merged.extend(value.items if isinstance(value, ListNode) else (value,))
            else:
                own.append(Entry(keyNode.mark, keyText(keyNode.value), value))
        taken = {entry.key for entry in own}
        inherited: list[Entry] = []
        for source in merged:
            if not isinstance(source, MapNode):
                raise self._problem("'<<' merges objects only")
            inherited.extend(e for e in source.entries if e.key not in taken)
            taken.update(entry.key for entry in source.entries)
        return inherited + own


def resolveScalar(text: str, tag: str, plainStyle: bool) -> Scalar:
    """The value of a scalar.

    :param text: as written, quotes removed.
    :param tag: ``str``, ``int``, ``float``, ``bool``, ``null``, ``!`` or "".
    :param plainStyle: written without quotes.
    :raises ValueError: when the text is not what the tag says, or is no finite number.
    """
    if tag in ("str", "!") or (not tag and not plainStyle):
        return text
    value = _resolvePlain(text)
    if tag == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if tag and _TYPE_TAGS[type(value)] != tag:
        raise ValueError(f"{text[:60]!r} is no !!{tag}")
    return value


def _resolvePlain(text: str) -> Scalar:
    """What text without quotes and tag means."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if text[0] not in "+-.0123456789":
        return text
    return _resolveNumber(text)


def _resolveNumber(text: str) -> Scalar:
    """A number when it looks like one, else the text."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number of more than {MAX_DIGITS} digits")
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    based = _BASED.fullmatch(text)
    if based is not None:
        digits, base = next((based.group(g), b) for g, b in _BASES if based.group(g))
        number = digits.replace("_", "")
        return int(based.group(1) + number, base) if number else text
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError("infinity and not-a-number have no place in JSON")
    return text
