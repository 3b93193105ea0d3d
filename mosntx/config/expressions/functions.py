"""The functions of expressions: what they take, what they give, what they do.

Texts are octets at run time. A value that a request does not have is ``None``, and so is what is
computed from one.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from attrs import frozen

from mosntx.config.patterns import Pattern

#: Kinds of values, in words for messages.
TEXT: Final = "text"
NUMBER: Final = "a number"
FLAG: Final = "true or false"
FIELDS: Final = "a map"
TEXTS: Final = "a list"

#: Reads a value of a request; ``None`` when it has none.
Evaluate = Callable[[Any], Any]


@frozen
class Value:
    """A part of an expression, understood.

    :ivar kind: one of the kinds above.
    :ivar evaluate: its value for a request. Of a map: ``(request, name) -> text``.
    :ivar literal: the value when it is the same for all requests; else ``None``.
    :ivar depth: levels of functions that call each other.
    """

    kind: str
    evaluate: Callable[..., Any]
    literal: Any = None
    depth: int = 1


@frozen
class Function:
    """A row of `FUNCTIONS`.

    :ivar takes: the kinds of its arguments.
    :ivar make: returns what evaluates a call with these arguments.
    :ivar fixed: the last argument must be a literal; it is examined when the file is read.
    """

    takes: tuple[str, ...]
    gives: str
    make: Callable[..., Evaluate]
    fixed: bool = False


def _one(compute: Callable[[Any], Any]) -> Callable[[Value], Evaluate]:
    def make(value: Value) -> Evaluate:
        read = value.evaluate

        def evaluate(request: Any) -> Any:
            found = read(request)
            return None if found is None else compute(found)

        return evaluate

    return make


def _two(compute: Callable[[Any, Any], Any]) -> Callable[[Value, Value], Evaluate]:
    def make(left: Value, right: Value) -> Evaluate:
        readLeft, readRight = left.evaluate, right.evaluate

        def evaluate(request: Any) -> Any:
            first, second = readLeft(request), readRight(request)
            return None if first is None or second is None else compute(first, second)

        return evaluate

    return make


def _wildcard(text: bytes, pattern: bytes) -> bool:
    """MOSN's ``match``: one star, at the end or at the beginning (pkg/cel/ext/externs.go)."""
    if pattern.endswith(b"*"):
        return text.startswith(pattern[:-1])
    if pattern.startswith(b"*"):
        return text.endswith(pattern[1:])
    return text == pattern


def _matches(text: Value, pattern: Value) -> Evaluate:
    compiled = Pattern(pattern.literal.decode("utf-8"))
    return _one(compiled.search)(text)


def _inNetwork(text: Value, network: Value) -> Evaluate:
    net = ip_network(network.literal.decode("utf-8"), strict=False)

    def contains(octets: bytes) -> bool:
        try:
            address = ip_address(octets.decode("ascii"))
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return address in net

    return _one(contains)(text)


FUNCTIONS: Final = {
    "startsWith": Function((TEXT, TEXT), FLAG, _two(bytes.startswith)),
    "endsWith": Function((TEXT, TEXT), FLAG, _two(bytes.endswith)),
    "contains": Function((TEXT, TEXT), FLAG, _two(bytes.__contains__)),
    "match": Function((TEXT, TEXT), FLAG, _two(_wildcard)),
    "matches": Function((TEXT, TEXT), FLAG, _matches, fixed=True),
    "inNetwork": Function((TEXT, TEXT), FLAG, _inNetwork, fixed=True),
    "toLower": Function((TEXT,), TEXT, _one(bytes.lower)),
    "toUpper": Function((TEXT,), TEXT, _one(bytes.upper)),
    "size": Function((TEXT,), NUMBER, _one(len)),
}
"""By name. Each may be called as ``f(a, b)`` and as ``a.f(b)``."""
