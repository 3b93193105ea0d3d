"""The configuration reference, generated from the schema classes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, Union, get_args, get_origin

import attrs

from mosntx.config.durations import formatDuration
from mosntx.config.fields import ClassSpec, FieldSpec, classSpec
from mosntx.config.names import Names
from mosntx.config.schema import (
    BoltOptions,
    Bounds,
    Config,
    Http1Options,
    Http2Options,
    OriginalDstConfig,
    PrometheusSink,
    ProxyConfig,
    TcpProxyConfig,
)
from mosntx.config.schema.base import IGNORED, SUPPORTED

ROOTS: Final[Sequence[tuple[str, type]]] = (
    ("Top level", Config),
    ("Network filter ``proxy``", ProxyConfig),
    ("Network filters ``tcp_proxy`` and ``udp_proxy``", TcpProxyConfig),
    ("``extend_config.Http1``", Http1Options),
    ("``extend_config.Http2``", Http2Options),
    ("``extend_config.bolt``", BoltOptions),
    ("Listener filter ``original_dst``", OriginalDstConfig),
    ("Metrics sink ``prometheus``", PrometheusSink),
)
"""Title and class of everything that no other class mentions."""
ACCEPTED: Final = "accepted"
"""Status of a key that is understood, and that this build does not act on."""
_MARKERS: Final[Mapping[str, str]] = {
    "duration": "duration",
    "nanoseconds": "duration",
    "metadata": "metadata",
    "secret": "text",
    "cidr": "network",
    "per_filter_config": "object by filter name",
    "inline_routes": "list of virtual hosts",
    "upstream_protocol": "text",
}
_PLAIN: Final[Mapping[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Any: "any",
    object: "any",
}
_HEADINGS: Final = ("Key", "Type", "Default", "Unit", "Status", "Meaning")


def referenceRst(names: Names | None = None) -> str:
    """All keys as reST: one section and one table per class.

    :param names: what the build knows, for the status of keys; None means everything.
    """
    features = (names or Names.everything()).features
    titles = dict(_walk())
    lines = [
        "Status: *supported*; *accepted* means understood, reported at start and not built yet;",
        "*ignored* means accepted without any effect.",
        "",
    ]
    for cls, title in titles.items():
        lines += _section(cls, title, features)
    return "\n".join(lines)


def referenceClass(cls: type, names: Names | None = None) -> str:
    """The table of one class, such as the settings of a filter."""
    return "\n".join(_table(classSpec(cls), (names or Names.everything()).features))


def _walk() -> Iterator[tuple[type, str]]:
    """All classes with their titles, each one after the first that mentions it."""
    seen: set[type] = set()
    for title, root in ROOTS:
        waiting = [(root, title)]
        while waiting:
            cls, name = waiting.pop(0)
            if cls in seen:
                continue
            seen.add(cls)
            yield cls, name
            waiting[:0] = [
                (member, _title(field, cls))
                for field in classSpec(cls).fields
                for member in _classes(field.annotation)
            ]


def _title(field: FieldSpec, parent: type) -> str:
    return f"``{field.key}`` of {parent.__name__}"


def _classes(annotation: Any) -> Iterator[type]:
    """The schema classes in an annotation."""
    if isinstance(annotation, type) and attrs.has(annotation):
        yield annotation
    for member in get_args(annotation):
        yield from _classes(member)


def _section(cls: type, title: str, features: frozenset[str]) -> Iterator[str]:
    label = f"config-{cls.__name__.lower()}"
    yield from (f".. _{label}:", "", title, "-" * len(title), "")
    yield from ((cls.__doc__ or "").strip().splitlines()[0].replace("`", "``"), "")
    yield from _table(classSpec(cls), features)
    yield ""


def _table(spec: ClassSpec, features: frozenset[str]) -> Iterator[str]:
    """A list table, so that no column has a width."""
    yield from (".. list-table::", "   :header-rows: 1", "")
    yield from _row(_HEADINGS)
    for field in spec.fields:
        yield from _row(_cells(field, features))
    for key, why in sorted(spec.ignored.items()):
        yield from _row((f"``{key}``", "any", "", "", IGNORED, asRst(why)))


def _row(cells: Sequence[str]) -> Iterator[str]:
    for index, cell in enumerate(cells):
        bullet = "   * - " if index == 0 else "     - "
        yield f"{bullet}{cell}".rstrip()


def _cells(field: FieldSpec, features: frozenset[str]) -> tuple[str, ...]:
    notes = field.notes
    meaning = asRst(notes.get("doc", ""))
    choices = [choice for choice in notes.get("choices", ()) if choice]
    if choices:
        meaning += " One of " + ", ".join(f"``{choice}``" for choice in choices) + "."
    aliases = notes.get("aliases", ())
    if aliases:
        meaning += " Also spelled " + ", ".join(f"``{alias}``" for alias in aliases) + "."
    feature = notes.get("feature", "")
    status = notes.get("status") or SUPPORTED
    if status == SUPPORTED and feature and feature not in features:
        status = ACCEPTED
    kind = typeText(field.annotation)
    return (f"``{field.key}``", kind, _default(field), notes.get("unit", ""), status, meaning)


def asRst(text: str) -> str:
    """Return a text of the schema as reST: backquotes are literals there."""
    return text.replace("`", "``").replace("*.", "\\*.")


def typeText(annotation: Any) -> str:
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotatedText(arguments)
    if origin is Union or origin is types.UnionType:
        return " or ".join(typeText(member) for member in arguments if member is not type(None))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        member = typeText(arguments[1])
        return "object" if member == "any" else f"object of {member}"
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return f"list of {typeText(arguments[0])}"
    if isinstance(annotation, type) and attrs.has(annotation):
        name = annotation.__name__
        return f":ref:`{name} <config-{name.lower()}>`"
    return _PLAIN.get(annotation, "object")


def _annotatedText(arguments: Sequence[Any]) -> str:
    base, *extras = arguments
    for extra in extras:
        if isinstance(extra, Bounds):
            return f"{typeText(base)}, {extra.low:.15g} to {extra.high:.15g}"
        if isinstance(extra, str) and extra in _MARKERS:
            return _MARKERS[extra]
    return typeText(base)


def _default(field: FieldSpec) -> str:
    """The default as it would be written."""
    absent = field.notes.get("absent", "")
    if absent:
        return asRst(absent)
    if field.required:
        return "required"
    value = field.makeDefault()
    if isinstance(value, float) and "duration" in str(typeText(field.annotation)):
        return f"``{formatDuration(value)}``"
    if isinstance(value, bool):
        return "``true``" if value else "``false``"
    if isinstance(value, int | float | str) and value != "":
        return f"``{value}``"
    return "" if value == "" or value is None else "empty"
