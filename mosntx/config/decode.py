"""Nodes -> objects of attrs classes, collecting every problem on the way.

Not cattrs: its structuring knows plain values only, so the place of a wrong value would have to be
found again from the notes of exceptions, old spellings would need a second walk before it, and a
value that fails would take its whole object with it. Here each field is read on its own and the
walk goes on. (Dumping has none of these needs and uses cattrs.)
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias, TypeVar, Union, cast, get_args, get_origin

import attrs

from mosntx.config.fields import ClassSpec, FieldSpec, classSpec, joinPath
from mosntx.config.names import Names
from mosntx.config.nodes import (
    Entry,
    ListNode,
    MapNode,
    Mark,
    Node,
    ScalarNode,
    describe,
    plain,
    quote,
    snakeCase,
)
from mosntx.config.report import Report, allowed, suggest, suggestAmong
from mosntx.config.schema.base import Bounds

T = TypeVar("T")

INT64: Final = Bounds(-(2**63), 2**63 - 1)
"""Go's ``int``."""

Values: TypeAlias = dict[str, Any]
"""Arguments of a class that is about to be made."""
Special: TypeAlias = Callable[["Decoder", Node, str], Any]
"""Reads a value whose annotation carries a marker; may return `FAILED`."""
Hook: TypeAlias = Callable[["Decoder", Values, MapNode, str], None]
"""Completes the arguments of a class before it is made."""


class Failed:
    """The result of reading a value that has been reported as wrong."""


FAILED: Final = Failed()


class Decoder:
    """One walk over one configuration."""

    def __init__(
        self,
        names: Names,
        report: Report,
        specials: Mapping[str, Special],
        hooks: Mapping[type, Hook],
    ) -> None:
        """:param specials: by marker. :param hooks: by class."""
        self.names = names
        self.report = report
        self.positions: dict[str, Mark] = {}
        """Configuration path -> place of the value."""
        self.failed: set[str] = set()
        """Paths whose value is wrong and has been replaced by the default."""
        self.notes: dict[str, Any] = {}
        """What hooks leave for each other."""
        self._specials = specials
        self._hooks = hooks

    # Values

    def value(self, annotation: Any, node: Node, path: str, notes: Mapping[str, Any]) -> Any:
        """Read one value; `FAILED` when it is wrong, which is then reported.

        :param notes: the field's metadata.
        """
        self.positions[path] = node.mark
        origin = get_origin(annotation)
        if origin is Annotated:
            return self._annotated(get_args(annotation), node, path, notes)
        if origin is Union or origin is types.UnionType:
            return self._union(get_args(annotation), node, path, notes)
        if annotation is Any or annotation is object:
            return plain(node)
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return self._mapping(get_args(annotation)[1], node, path)
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return self._sequence(origin, get_args(annotation)[0], node, path)
        if isinstance(annotation, type) and attrs.has(annotation):
            return self.object(annotation, node, path)
        if annotation is dict or annotation is list:
            return self._bare(annotation, node, path)
        return self._scalar(annotation, node, path, notes)

    def _annotated(
        self, arguments: tuple[Any, ...], node: Node, path: str, notes: Mapping[str, Any]
    ) -> Any:
        base, *extras = arguments
        for extra in extras:
            if isinstance(extra, str) and extra in self._specials:
                return self._specials[extra](self, node, path)
            if isinstance(extra, Bounds):
                return self._bounded(self.value(base, node, path, notes), extra, node, path)
        return self.value(base, node, path, notes)

    def _bounded(self, value: Any, bounds: Bounds, node: Node, path: str) -> Any:
        if value is FAILED or bounds.low <= value <= bounds.high:
            return value
        message = f"{describe(node)} is not within {bounds.low:.15g} and {bounds.high:.15g}"
        return self.wrong(node, path, message)

    def _union(
        self, members: tuple[Any, ...], node: Node, path: str, notes: Mapping[str, Any]
    ) -> Any:
        if isinstance(node, ScalarNode) and node.value is None and type(None) in members:
            return None
        real = [member for member in members if member is not type(None)]
        fitting = [m for m in real if isinstance(node, ScalarNode) and type(node.value) is m]
        if len(real) == 1 or fitting:
            return self.value((fitting or real)[0], node, path, notes)
        return self.wrongType(node, path, " or ".join(_WORDS.get(m, "an object") for m in real))

    def _mapping(self, member: Any, node: Node, path: str) -> Any:
        if not isinstance(node, MapNode):
            return self.wrongType(node, path, "an object")
        last = {entry.key: entry.node for entry in node.entries}
        read = {k: self.value(member, n, joinPath(path, k), {}) for k, n in last.items()}
        return {key: value for key, value in read.items() if value is not FAILED}

    def _sequence(self, origin: type, member: Any, node: Node, path: str) -> Any:
        if not isinstance(node, ListNode):
            return self.wrongType(node, path, "a list")
        read = [self.value(member, n, f"{path}[{i}]", {}) for i, n in enumerate(node.items)]
        kept = [value for value in read if value is not FAILED]
        return kept if origin is list else tuple(kept)

    def _bare(self, annotation: type, node: Node, path: str) -> Any:
        if isinstance(node, MapNode if annotation is dict else ListNode):
            return plain(node)
        return self.wrongType(node, path, "an object" if annotation is dict else "a list")

    def _scalar(self, annotation: Any, node: Node, path: str, notes: Mapping[str, Any]) -> Any:
        value = node.value if isinstance(node, ScalarNode) else None
        if annotation is float and type(value) is int:
            value = _toFloat(value)
        if type(value) is not annotation:
            return self.wrongType(node, path, _WORDS.get(annotation, str(annotation)))
        if isinstance(value, float) and not math.isfinite(value):
            return self.wrong(node, path, "the number is too large")
        if annotation is int:
            return self._bounded(value, INT64, node, path)
        choices = notes.get("choices", ())
        return self._choice(str(value), node, path, notes) if choices else value

    def _choice(self, value: str, node: Node, path: str, notes: Mapping[str, Any]) -> Any:
        choices: tuple[str, ...] = notes["choices"]
        for choice in choices:
            if value == choice or (notes.get("fold") and value.lower() == choice.lower()):
                return choice
        return self.wrong(node, path, f"unknown value {quote(value)}", suggestAmong(value, choices))

    # Wrong values

    def wrong(self, node: Node, path: str, message: str, fix: str = "") -> Failed:
        """Report a wrong value."""
        self.failed.add(path)
        self.report.error(node.mark, path, message, fix)
        return FAILED

    def wrongType(self, node: Node, path: str, expected: str) -> Failed:
        """Report a value of the wrong type."""
        fix = ""
        scalar = node.value if isinstance(node, ScalarNode) else None
        if expected == "text" and isinstance(scalar, int | float):
            fix = "put it in quotes"
        elif expected in ("a number", "a whole number") and isinstance(scalar, str):
            fix = "write it without quotes" if _isNumber(scalar) else ""
        elif expected == "true or false" and isinstance(scalar, str):
            fix = "write true or false without quotes"
        elif expected == "a list" and not isinstance(node, ListNode) and scalar is not None:
            fix = "put it in square brackets"
        return self.wrong(node, path, f"expected {expected}, found {describe(node)}", fix)

    # Objects

    def object(self, cls: type[T], node: Node, path: str) -> T | Failed:
        """Read an object of an attrs class. Fields that are wrong get their default.

        :returns: `FAILED` when the node is no object, or a required part cannot be replaced.
        """
        self.positions.setdefault(path, node.mark)
        if not isinstance(node, MapNode):
            return self.wrongType(node, path, "an object")
        make: Any = cls
        spec = classSpec(make)
        found = self._match(spec, node, path)
        values: Values = {"path": path} if spec.hasPath else {}
        for field in spec.fields:
            value = self._field(field, found.get(field.name, ()), node, path)
            if isinstance(value, Failed):
                return value
            values[field.name] = value
        if cls in self._hooks:
            self._hooks[cls](self, values, node, path)
        return cast("T", make(**values))

    def _match(self, spec: ClassSpec, node: MapNode, path: str) -> dict[str, list[Entry]]:
        """Keys as written -> fields."""
        found: dict[str, list[Entry]] = {}
        for entry in node.entries:
            field = spec.find(entry.key) or self._otherSpelling(spec, entry, path)
            if field is None:
                continue
            entries = found.setdefault(field.name, [])
            if entries:
                message = f"duplicate key {quote(entry.key)}: the last one counts"
                self.report.warning(entry.mark, joinPath(path, field.key), message)
            entries.append(entry)
        return found

    def _otherSpelling(self, spec: ClassSpec, entry: Entry, path: str) -> FieldSpec | None:
        """Accept a CamelCase key, or report an unknown one."""
        if spec.open or entry.key.lower() in spec.ignored:
            return None
        where = joinPath(path, entry.key)
        field = spec.byKey.get(snakeCase(entry.key))
        if field is not None and not spec.caseSensitive:
            message = f"unknown key {quote(entry.key)}, read as '{field.key}'"
            self.report.loose(entry.mark, where, message, f"write '{field.key}'")
            return field
        keys = [field.key for field in spec.fields]
        fix = suggest(entry.key, keys) or (allowed(keys) if len(keys) <= MAX_LISTED else "")
        self.report.loose(entry.mark, where, f"unknown key {quote(entry.key)}", fix)
        return None

    def _field(self, field: FieldSpec, entries: Sequence[Entry], parent: MapNode, path: str) -> Any:
        """The value of one field, its default, or `FAILED` when there is none."""
        if not entries and not field.required:
            return field.makeDefault()
        where = joinPath(path, field.key)
        node = _last(entries)
        if node is None or (_isNull(node) and not self._isStrictDuration(field)):
            if not field.required:
                return field.makeDefault()
            self.failed.add(where)
            self.report.error(
                parent.mark, where, f"missing key '{field.key}'", f"add '{field.key}'"
            )
            return _placeholder(field.annotation)
        value = self.value(field.annotation, node, where, field.notes)
        if value is FAILED:
            return _placeholder(field.annotation) if field.required else field.makeDefault()
        if value == 0 and field.notes.get("zero") is not None:
            value = field.notes["zero"]
        self._checkFeature(field, value, node, where)
        return value

    def _isStrictDuration(self, field: FieldSpec) -> bool:
        """Whether null is an error (spec L8: durations that are no pointers in Go)."""
        markers = get_args(field.annotation)[1:] if _isAnnotated(field.annotation) else ()
        return "duration" in markers

    def _checkFeature(self, field: FieldSpec, value: Any, node: Node, path: str) -> None:
        feature = field.notes.get("feature", "")
        if feature and feature not in self.names.features and value != field.makeDefault():
            self.report.feature(node.mark, path, feature)


MAX_LISTED: Final = 12
"""All keys are listed for a typo only when they are few."""

_WORDS: Final[Mapping[Any, str]] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
_PLACEHOLDERS: Final[Mapping[Any, Any]] = {str: "", int: 0, float: 0.0, bool: False}


def _placeholder(annotation: Any) -> Any:
    """Stands for a required value that is missing, so that the walk can go on."""
    base = get_args(annotation)[0] if _isAnnotated(annotation) else annotation
    return _PLACEHOLDERS.get(base, FAILED)


def _isAnnotated(annotation: Any) -> bool:
    return get_origin(annotation) is Annotated


def _isNull(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.value is None


def _isNumber(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _toFloat(value: int) -> float:
    """A float; infinity for numbers beyond its range."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _last(entries: Sequence[Entry]) -> Node | None:
    """The node that counts of equal keys; objects are merged, as Go does with structs."""
    if not entries:
        return None
    last = entries[-1].node
    if len(entries) == 1 or not isinstance(last, MapNode):
        return last
    maps = [entry.node for entry in entries if isinstance(entry.node, MapNode)]
    return MapNode(last.mark, tuple(entry for m in maps for entry in m.entries))
