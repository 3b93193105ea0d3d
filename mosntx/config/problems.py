"""What is wrong with a configuration: one `Problem` per finding, all in one `ConfigError`."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

ERROR = "error"
"""The configuration cannot be used."""
WARNING = "warning"
"""The configuration can be used, but probably does not say what was meant."""
UNSUPPORTED = "unsupported"
"""Understood and accepted, but this build does not act on it."""

SEVERITIES = (ERROR, WARNING, UNSUPPORTED)


@attrs.frozen
class Problem:
    """One finding, with the place of the value it is about."""

    severity: str
    """One of `ERROR`, `WARNING`, `UNSUPPORTED`."""
    file: str
    """The file's name as the user gave it."""
    line: int
    """Counted from 1; 0 when there is no text (a Python mapping, a file that cannot be read)."""
    column: int
    """In characters, counted from 1; 0 when there is no text."""
    path: str
    """Configuration path such as ``servers[0].listeners[2].address``; empty for the whole file."""
    message: str
    """What is wrong."""
    fix: str = ""
    """What to do about it; may be empty."""

    def __str__(self) -> str:
        """One line: ``file:line:column: severity: path: message; fix``."""
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        where = f"{self.path}: " if self.path else ""
        advice = f"; {self.fix}" if self.fix else ""
        text = f"{place}: {self.severity}: {where}{self.message}{advice}"
        return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    """A control character or line end in its backslash form, so that a problem stays one line."""
    return character.encode("unicode_escape").decode("ascii")


class ConfigError(Exception):
    """A configuration that must not be used; carries everything found, warnings included."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """:param problems: the findings in file order, at least one of severity `ERROR`."""
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        """All problems, one per line."""
        return "\n".join(str(problem) for problem in self.problems)
