"""What is wrong with a router configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager


class RouterConfigError(ValueError):
    """A router configuration that cannot work.

    :ivar problems: ``(configuration path, what is wrong)`` for each mistake, in order.
    """

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{path}: {message}" for path, message in self.problems))

    @property
    def path(self) -> str:
        """Where the first mistake is."""
        return self.problems[0][0]


class Problems:
    """Collects mistakes, so that one look at a configuration finds them all."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []

    @contextmanager
    def at(self, path: str) -> Iterator[None]:
        """Note what goes wrong inside as a mistake at ``path``, and go on after it."""
        try:
            yield
        except RouterConfigError as error:
            self.found.extend(error.problems)
        except ValueError as error:
            self.found.append((path, str(error)))

    def check(self) -> None:
        """Raise what was found, if anything.

        :raises RouterConfigError: with every mistake noted so far.
        """
        if self.found:
            raise RouterConfigError(self.found)
