"""Where in the file a problem is that was found after loading."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from mosntx.config.load import Loaded
from mosntx.config.problems import Problem


def placed(loaded: Loaded, problems: Iterable[Problem]) -> list[Problem]:
    """Return the problems with file, line and column of their configuration paths."""
    return [problem if problem.line else _placed(loaded, problem) for problem in problems]


def _placed(loaded: Loaded, problem: Problem) -> Problem:
    file, line, column = loaded.position(problem.path)
    return evolve(problem, file=file or problem.file, line=line, column=column)
