"""Routes chosen by ``dsl_expressions``: what the attributes of expressions are of a request.

The names are MOSN's (pkg/cel/extract): ``request.path`` is the path without the query,
``request.url_path`` with it. What only later phases know (sizes, times, the destination) is not
offered, for a route is chosen by the head.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mosntx.config.expressions.compiler import ATTRIBUTES, compileExpression
from mosntx.config.schema import DslExpression
from mosntx.contracts.message import IRequestHead
from mosntx.router.paths import query
from mosntx.router.variables import cookieValue, queryValue

#: What an expression is asked about: head, path as the virtual host sees it, client's address.
Subject = tuple[IRequestHead, bytes, str]

_PROTOCOLS = {"Http1": b"http", "Http2": b"h2"}


def _header(subject: Subject, name: bytes) -> bytes | None:
    head = subject[0]
    value: bytes | None = head.headers.get(name.lower() if head.path else name)
    return value


def _urlPath(subject: Subject) -> bytes | None:
    return subject[1] + query(subject[0].path) if subject[1] else None


def _isRpc(head: IRequestHead) -> bool:
    return not (head.path or head.authority)


def _sourceIp(subject: Subject) -> bytes | None:
    host = subject[2].rpartition(":")[0].strip("[]").partition("%")[0]
    return host.encode("utf-8") or None


def _protocol(subject: Subject) -> bytes:
    name: str = subject[0].protocol
    return _PROTOCOLS.get(name) or name.encode("utf-8")


READERS: Mapping[str, Callable[..., Any]] = {
    "api.operation": lambda of: of[0].method or None if _isRpc(of[0]) else None,
    "api.service": lambda of: of[0].service or None,
    "context.protocol": _protocol,
    "request.cookies": lambda of, name: cookieValue(of[0], name),
    "request.headers": _header,
    "request.host": lambda of: of[0].authority or None,
    "request.method": lambda of: None if _isRpc(of[0]) else of[0].method or None,
    "request.path": lambda of: of[1] or None,
    "request.query": lambda of: query(of[0].path)[1:] or None,
    "request.query_params": lambda of, name: queryValue(of[0], name),
    "request.referer": lambda of: _header(of, b"referer"),
    "request.scheme": lambda of: of[0].scheme or None,
    "request.url_path": _urlPath,
    "request.useragent": lambda of: _header(of, b"user-agent"),
    "source.address": lambda of: of[2].encode("utf-8") or None,
    "source.ip": _sourceIp,
}
"""How each of `ATTRIBUTES` is read."""
assert READERS.keys() == ATTRIBUTES.keys()


class ExpressionsMatcher:
    """All of several expressions are true."""

    __slots__ = ("_expressions",)

    def __init__(self, expressions: Sequence[DslExpression]) -> None:
        """:raises ValueError: when one is none; it says which, and at which column."""
        compiled = []
        for number, each in enumerate(expressions):
            try:
                compiled.append(compileExpression(each.expression, READERS))
            except ValueError as error:
                raise ValueError(f"dsl_expressions[{number}]: {error}") from None
        self._expressions = tuple(compiled)

    def matches(self, head: IRequestHead, path: bytes, source: str = "") -> bool:
        """See `mosntx.router.routes.Matcher.matches`."""
        subject = (head, path, source)
        return all(holds(subject) for holds in self._expressions)
