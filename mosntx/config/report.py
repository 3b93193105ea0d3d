"""Collecting what is wrong, with suggestions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Final

import attrs

from mosntx.config.names import FEATURES
from mosntx.config.nodes import Mark, quote
from mosntx.config.problems import ERROR, UNSUPPORTED, WARNING, Problem

NOT_YET: Final = "accepted, not yet supported: "
"""How the message of every `UNSUPPORTED` problem begins."""
CLOSE: Final = 0.6
"""How alike a name must be to be suggested, from 0 to 1 (difflib's own default)."""


class Report:
    """The problems of one load."""

    def __init__(self, strict: bool = False) -> None:
        """:param strict: makes errors of unknown keys and of names that MOSN would skip."""
        self.strict = strict
        self.errors = 0
        self._files: dict[str, int] = {}
        self._problems: list[Problem] = []
        self._missing: dict[str, int] = {}
        self._more: dict[int, int] = {}

    def file(self, name: str) -> None:
        """Remember the order of files; problems are sorted by it."""
        self._files.setdefault(name, len(self._files))

    def error(self, mark: Mark, path: str, message: str, fix: str = "") -> None:
        """Something that forbids using the configuration."""
        self._add(ERROR, mark, path, message, fix)

    def warning(self, mark: Mark, path: str, message: str, fix: str = "") -> None:
        """Something that is probably not what was meant."""
        self._add(WARNING, mark, path, message, fix)

    def loose(self, mark: Mark, path: str, message: str, fix: str = "") -> None:
        """A warning, or with `strict` an error."""
        self._add(ERROR if self.strict else WARNING, mark, path, message, fix)

    def unsupported(self, mark: Mark, path: str, what: str, fix: str = "") -> None:
        """Something that is not built; of several equal ones only the first is listed."""
        if what in self._missing:
            index = self._missing[what]
            self._more[index] = self._more.get(index, 0) + 1
            return
        self._missing[what] = len(self._problems)
        self._add(UNSUPPORTED, mark, path, NOT_YET + what, fix)

    def feature(self, mark: Mark, path: str, feature: str) -> None:
        """A feature of `names.FEATURES` that is not built."""
        self.unsupported(mark, path, FEATURES.get(feature, feature))

    def _add(self, severity: str, mark: Mark, path: str, message: str, fix: str) -> None:
        self.errors += severity == ERROR
        self.file(mark.file)
        self._problems.append(
            Problem(severity, mark.file, mark.line, mark.column, path, message, fix)
        )

    def hasErrorUnder(self, path: str) -> bool:
        """Whether something is wrong with a path or with what is below it."""
        return any(p.severity == ERROR and p.path.startswith(path) for p in self._problems)

    def problems(self) -> tuple[Problem, ...]:
        """Everything found, in file order."""
        found = list(self._problems)
        for index, more in self._more.items():
            places = "1 more place" if more == 1 else f"{more} more places"
            message = f"{found[index].message} (and in {places})"
            found[index] = attrs.evolve(found[index], message=message)
        found.sort(key=lambda p: (self._files[p.file], p.line, p.column))
        return tuple(found)


def suggest(name: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` when something known looks like it, else ""."""
    folded: Mapping[str, str] = {candidate.lower(): candidate for candidate in sorted(known)}
    close = get_close_matches(name.lower()[:100], folded, n=1, cutoff=CLOSE)
    return f"did you mean '{folded[close[0]]}'?" if close else ""


def allowed(values: Iterable[str]) -> str:
    """``allowed: 'a', 'b'``."""
    return "allowed: " + ", ".join(quote(value) for value in values)


def suggestAmong(name: str, listed: Iterable[str], others: Iterable[str] = ()) -> str:
    """A suggestion, and what is allowed.

    :param others: also suggested, but not listed.
    """
    values = sorted(set(listed))
    hint = suggest(name, {*values, *others})
    return " ".join(part for part in (hint, allowed(values) if values else "") if part)
