"""What decoder, dump and reference need to know of a configuration class, worked out once.

Works on any attrs class: those of the schema and those of third-party filters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_type_hints

import attrs


@attrs.frozen
class FieldSpec:
    """One configuration key of a class."""

    name: str
    """The argument of the class."""
    attribute: str
    """The attribute of its objects."""
    key: str
    """As written in files, in its canonical spelling."""
    annotation: Any
    required: bool
    notes: Mapping[str, Any]
    """The attribute's metadata, see `schema.option`."""
    default: Any
    """The default value or ``attrs.Factory``."""

    def makeDefault(self) -> Any:
        """The value without the key; a new one each time."""
        if isinstance(self.default, attrs.Factory):  # type: ignore[arg-type]  # a class at run time
            return self.default.factory()
        return self.default


@attrs.frozen
class ClassSpec:
    """The keys of a class."""

    fields: tuple[FieldSpec, ...]
    byKey: Mapping[str, FieldSpec]
    """Every spelling -> field; in lower case unless `caseSensitive`."""
    ignored: Mapping[str, str]
    """Keys that are accepted without effect -> why."""
    caseSensitive: bool
    open: bool
    """Unknown keys are somebody else's business."""
    hasPath: bool
    """The class takes ``path``, its place in the configuration."""

    def find(self, key: str) -> FieldSpec | None:
        """The field for a key as written."""
        return self.byKey.get(key if self.caseSensitive else key.lower())


@cache
def classSpec(cls: type[Any]) -> ClassSpec:
    """Look an attrs class over.

    :raises NameError: when its annotations cannot be resolved.
    """
    hints = get_type_hints(cls, include_extras=True)
    fields = tuple(
        _fieldSpec(field, hints[field.name])
        for field in attrs.fields(cls)
        if field.init and not field.metadata.get("internal")
    )
    sensitive = bool(getattr(cls, "CASE_SENSITIVE", False))
    byKey: dict[str, FieldSpec] = {}
    for field in fields:
        for spelling in (*field.notes.get("aliases", ()), field.key):
            byKey[spelling if sensitive else spelling.lower()] = field
    path = next((f for f in attrs.fields(cls) if f.name == "path"), None)
    return ClassSpec(
        fields,
        byKey,
        getattr(cls, "IGNORED_KEYS", {}),
        sensitive,
        bool(getattr(cls, "OPEN", False)),
        path is not None and bool(path.metadata.get("internal")),
    )


def _fieldSpec(field: Any, annotation: Any) -> FieldSpec:
    return FieldSpec(
        name=field.alias or field.name.lstrip("_"),
        attribute=field.name,
        key=field.metadata.get("name") or field.alias or field.name.lstrip("_"),
        annotation=annotation,
        required=field.default is attrs.NOTHING,
        notes=field.metadata,
        default=field.default,
    )


_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def joinPath(path: str, key: str) -> str:
    """The configuration path of a key."""
    if not _PLAIN_KEY.fullmatch(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key
