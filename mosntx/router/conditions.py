"""What rules ask of a request besides its path: headers, method, query parameters, cookies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mosntx.config.patterns import Pattern
from mosntx.config.schema import HeaderMatch, Match, QueryMatch
from mosntx.config.schema.match import ValueMatch
from mosntx.contracts.message import IRequestHead
from mosntx.router.variables import HeadVariable, cookieValue, queryValue


class Condition(Protocol):
    """One thing that must be true of a request head."""

    def holds(self, head: IRequestHead) -> bool:
        """Whether it is."""


class HeaderEquals:
    """The first value of a header is exactly this; the most frequent condition."""

    __slots__ = ("_lower", "_name", "_value")

    def __init__(self, name: str, value: str) -> None:
        self._name = name.encode("utf-8")
        self._lower = self._name.lower()
        self._value = value.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`. HTTP compares names in any case, RPC as they are."""
        value: bytes | None = head.headers.get(self._lower if head.path else self._name)
        return value == self._value


class MethodEquals:
    """The request's method is exactly this."""

    __slots__ = ("_method",)

    def __init__(self, method: str) -> None:
        self._method = method.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        method: bytes = head.method
        return method == self._method


class ValueEquals:
    """A value of the head is there and is exactly this."""

    __slots__ = ("_read", "_value")

    def __init__(self, read: HeadVariable, value: str) -> None:
        self._read = read
        self._value = value.encode("utf-8")

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        return self._read(head) == self._value


class ValueFound:
    """A pattern is found in a value of the head, which must be there."""

    __slots__ = ("_pattern", "_read")

    def __init__(self, read: HeadVariable, pattern: str) -> None:
        self._read = read
        self._pattern = Pattern(pattern)

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        value = self._read(head)
        return value is not None and self._pattern.search(value)


class ValuePresent:
    """A value of the head is there, whatever it is."""

    __slots__ = ("_read",)

    def __init__(self, read: HeadVariable) -> None:
        self._read = read

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        return self._read(head) is not None


class Inverted:
    """Another condition does not hold."""

    __slots__ = ("_condition",)

    def __init__(self, condition: Condition) -> None:
        self._condition = condition

    def holds(self, head: IRequestHead) -> bool:
        """See `Condition.holds`."""
        return not self._condition.holds(head)


def headerReader(name: str) -> HeadVariable:
    """Return what reads a header: HTTP compares names in any case, RPC as they are."""
    octets = name.encode("utf-8")
    lower = octets.lower()

    def read(head: IRequestHead) -> bytes | None:
        value: bytes | None = head.headers.get(lower if head.path else octets)
        return value

    return read


def _reader(read: Callable[[IRequestHead, bytes], bytes | None], name: str) -> HeadVariable:
    octets = name.encode("utf-8")
    return lambda head: read(head, octets)


def _condition(config: ValueMatch, read: HeadVariable) -> Condition:
    if config.present:
        return ValuePresent(read)
    return (ValueFound if config.regex else ValueEquals)(read, config.value)


def _headerCondition(config: HeaderMatch, pseudo: bool) -> Condition:
    """:param pseudo: ``method`` means the method (spec/router.md 4.1; not in RPC rules)."""
    if pseudo and config.name == "method":
        return MethodEquals(config.value)
    if config.present or config.regex:
        return _condition(config, headerReader(config.name))
    return HeaderEquals(config.name, config.value)


def compileConditions(match: Match, pseudo: bool) -> list[Condition]:
    """Return the conditions of a rule.

    :param pseudo: a header called ``method`` means the method of the request.
    :raises ValueError: when one has no name, or a pattern that is none.
    """
    found: list[tuple[ValueMatch, Condition]] = []
    for item in match.conditions:
        if not item.name:
            raise ValueError("a header, parameter or cookie without a name can never be present")
        if isinstance(item, HeaderMatch):
            condition = _headerCondition(item, pseudo)
        else:
            read = queryValue if isinstance(item, QueryMatch) else cookieValue
            condition = _condition(item, _reader(read, item.name))
        found.append((item, condition))
    return [Inverted(condition) if item.invert else condition for item, condition in found]
