"""Patterns from the configuration: RE2, whose cost is linear in what a client sends.

Patterns are written in UTF-8. What clients send need not be: such octets are matched as Latin-1,
so that ``.`` matches each of them and no path slips past ``^/admin/.*$`` by being no UTF-8.
"""

from __future__ import annotations

import re
from typing import Any

import re2

#: ``$1``, ``$name``, ``${1}``, ``${name}`` and ``$$`` of Go, ``\1`` of RE2.
_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))|\\(\d)", re.ASCII)


def _options(latin1: bool) -> Any:
    options = re2.Options()
    options.log_errors = False
    if latin1:
        options.encoding = re2.Options.Encoding.LATIN1
    return options


def _isUtf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Pattern:
    """A compiled pattern over octets.

    :raises ValueError: when RE2 refuses it.
    """

    __slots__ = ("_octets", "_utf8", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._utf8: Any = re2.compile(text.encode("utf-8"), _options(False))
            self._octets: Any = re2.compile(text.encode("utf-8"), _options(True))
        except re2.error as error:
            raise ValueError(f"{text!r} is no RE2 pattern: {_reason(error)}") from None

    def search(self, octets: bytes) -> bool:
        """Whether the pattern is found anywhere in ``octets``."""
        return self._compiled(octets).search(octets) is not None

    def _compiled(self, octets: bytes) -> Any:
        return self._utf8 if octets.isascii() or _isUtf8(octets) else self._octets


class Substitution:
    """Replaces all that a pattern finds, with Go's or RE2's group references.

    :raises ValueError: when RE2 refuses the pattern.
    """

    __slots__ = ("_parts", "_pattern")

    def __init__(self, pattern: str, template: str) -> None:
        """:param template: the new text. References to groups that are not there are empty (Go)."""
        self._pattern = Pattern(pattern)
        names = _groupNames(pattern)
        groups = self._pattern._utf8.groups
        self._parts: list[bytes | int] = []
        end = 0
        for match in _REFERENCE.finditer(template):
            self._literal(template[end : match.start()])
            end = match.end()
            dollar, *references = match.groups()
            if dollar:
                self._literal("$")
                continue
            name = next(reference for reference in references if reference)
            number = int(name) if name.isdigit() else names.get(name, groups + 1)
            if number <= groups:
                self._parts.append(number)
        self._literal(template[end:])

    def replace(self, octets: bytes) -> bytes:
        """Return ``octets`` with every match replaced; from left to right, as Go's ReplaceAll."""
        result: list[bytes] = []
        end = 0
        for match in self._pattern._compiled(octets).finditer(octets):
            start, stop = match.span()
            if start == stop and start == end and end:
                continue  # an empty match right after another one is none (Go)
            result.append(octets[end:start])
            result.extend(self._expand(match))
            end = stop
        result.append(octets[end:])
        return b"".join(result)

    def _literal(self, text: str) -> None:
        if text:
            self._parts.append(text.encode("utf-8"))

    def _expand(self, match: Any) -> list[bytes]:
        return [
            part if isinstance(part, bytes) else match.group(part) or b"" for part in self._parts
        ]


def _groupNames(pattern: str) -> dict[str, int]:
    """The named groups of a pattern; asked of a pattern of text, whose names are text."""
    return dict(re2.compile(pattern, _options(False)).groupindex)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
