"""What a route changes in requests and responses (spec/router.md 9)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from mosntx.config.patterns import Substitution
from mosntx.config.schema import HeaderToAdd, Match, RouteAction
from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.router.paths import DECODING, PathForm, headerSafe, isAuthority, query
from mosntx.router.variables import ExchangeVariable, Variables

#: Where the path goes that a rewrite replaced (MOSN pkg/types/constant.go).
ORIGINAL_PATH = b"x-mosn-original-path"
#: Cluster types whose hosts' names are worth sending as Host (``auto_host_rewrite``).
NAMED_TYPES = frozenset({"STRICT_DNS", "LOGICAL_DNS"})

#: RFC 9110 5.6.2.
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_UNSAFE_VALUE = re.compile(rb"[\r\n\0]")
#: A whole value that names a variable.
_VARIABLE = re.compile(r"%([^%]+)%")
#: Fields that frame the message; whoever encodes it writes them.
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

_APPEND, _SET, _REMOVE = range(3)


class _Lists(Protocol):
    """The header lists that routes, virtual hosts and router configurations have alike."""

    @property
    def request_headers_to_add(self) -> tuple[HeaderToAdd, ...]: ...
    @property
    def request_headers_to_remove(self) -> tuple[str, ...]: ...
    @property
    def response_headers_to_add(self) -> tuple[HeaderToAdd, ...]: ...
    @property
    def response_headers_to_remove(self) -> tuple[str, ...]: ...


def _fieldName(name: str) -> bytes:
    octets = name.lower().encode("utf-8")
    if not _TOKEN.fullmatch(octets):
        raise ValueError(f"{name!r} is no name of a header")
    if octets in _FRAMING:
        raise ValueError(f"{name!r} frames the message and cannot be changed by a route")
    return octets


class HeaderChanges:
    """Adding and removing header fields, in order.

    A change is ``(kind, name, value, variable)``; with a variable the value is read at each use.
    """

    __slots__ = ("_changes",)

    def __init__(
        self, changes: Iterable[tuple[int, bytes, bytes, ExchangeVariable | None]]
    ) -> None:
        self._changes = tuple(changes)

    def __bool__(self) -> bool:
        return bool(self._changes)

    def apply(self, exchange: Any, headers: IHeaders) -> None:
        """Change ``headers``. What a variable says is cleared of octets that no value may hold."""
        for kind, name, value, variable in self._changes:
            if kind == _REMOVE:
                headers.remove(name)
                continue
            if variable is not None:
                value = (variable(exchange) or b"").translate(None, b"\r\n\0")
            if kind == _APPEND:
                before = headers.get(name)
                if before:
                    value = before + b"," + value
            headers.set(name, value)


def _fieldValue(field: HeaderToAdd, variables: Variables) -> tuple[bytes, ExchangeVariable | None]:
    """The literal value, and what reads the variable that it names, if it names one."""
    named = _VARIABLE.fullmatch(field.value)
    variable = variables.ofExchange(named[1]) if named else None
    value = field.value.encode("utf-8")
    if _UNSAFE_VALUE.search(value):
        raise ValueError(f"the value of header {field.key!r} holds a line break or NUL")
    return value, variable


def compileHeaders(
    levels: Sequence[tuple[Sequence[HeaderToAdd], Sequence[str]]], variables: Variables
) -> HeaderChanges:
    """Return the changes of several levels, each ``(to add, to remove)``, the route's first.

    :raises ValueError: for a name or a literal value that no header can have.
    """
    changes: list[tuple[int, bytes, bytes, ExchangeVariable | None]] = []
    for added, removed in levels:
        for field in added:
            kind = _APPEND if field.append else _SET
            changes.append((kind, _fieldName(field.key), *_fieldValue(field, variables)))
        changes.extend((_REMOVE, _fieldName(name), b"", None) for name in removed)
    return HeaderChanges(changes)


#: A change of the request head. Host first, then path.
HeadChange = Callable[[Any, IRequestHead], None]


def _rewritable(head: IRequestHead, form: PathForm) -> bytes:
    """The path as routes see it; empty for RPC, CONNECT and ``OPTIONS *``, which name no path."""
    target = head.path
    return form.match(target) if target[:1] == b"/" else b""


def _replacePath(head: IRequestHead, before: bytes, after: bytes, form: PathForm) -> None:
    if after[:1] != b"/":
        after = b"/" + after
    head.headers.set(ORIGINAL_PATH, headerSafe(before))
    head.path = form.escape(after) + query(head.path)


def _prefixRewrite(matched: str, replacement: str, folds: bool, form: PathForm) -> HeadChange:
    prefix, new = matched.encode("utf-8"), replacement.encode("utf-8")
    if folds:
        prefix = prefix.lower()

    def rewrite(exchange: Any, head: IRequestHead) -> None:
        path = _rewritable(head, form)
        if path and (path.lower() if folds else path).startswith(prefix):
            _replacePath(head, path, new + path[len(prefix) :], form)

    return rewrite


def _regexRewrite(substitution: Substitution, form: PathForm) -> HeadChange:
    def rewrite(exchange: Any, head: IRequestHead) -> None:
        path = _rewritable(head, form)
        if path:
            new = substitution.replace(path)
            if new != path:
                _replacePath(head, path, new, form)

    return rewrite


def _hostRewrite(action: RouteAction) -> HeadChange | None:
    host = action.host_rewrite.encode("utf-8")
    if host:
        if not isAuthority(host):
            raise ValueError(f"host_rewrite {action.host_rewrite!r} is no host")

        def constant(exchange: Any, head: IRequestHead) -> None:
            head.authority = host

        return constant
    header = action.auto_host_rewrite_header.lower().encode("utf-8")
    if not header and not action.auto_host_rewrite:
        return None
    automatic = action.auto_host_rewrite

    def fromRequest(exchange: Any, head: IRequestHead) -> None:
        value = head.headers.get(header) if header else None
        if value is not None and isAuthority(value):
            head.authority = value
        elif automatic and exchange.cluster.type in NAMED_TYPES and exchange.host.hostname:
            head.authority = exchange.host.hostname.encode("utf-8")

    return fromRequest


def _hostField(value: bytes, variable: ExchangeVariable | None) -> HeadChange:
    """A ``host`` among the headers to add: Host has one value, so it replaces the host."""

    def change(exchange: Any, head: IRequestHead) -> None:
        host = value if variable is None else variable(exchange)
        if host and isAuthority(host):
            head.authority = host

    return change


def _pathRewrite(action: RouteAction, match: Match, form: PathForm) -> HeadChange | None:
    if action.prefix_rewrite:
        # A rule by pattern has no prefix; MOSN takes the pattern's text for one.
        matched = getattr(match, match.kind) if match.kind in ("prefix", "path", "regex") else ""
        folds = match.kind == "prefix" and match.ignore_case
        return _prefixRewrite(matched, action.prefix_rewrite, folds, form) if matched else None
    rewrite = action.regex_rewrite
    if rewrite is None or len(rewrite.pattern.regex) < 2:
        return None
    return _regexRewrite(Substitution(rewrite.pattern.regex, rewrite.substitution), form)


class RequestRewrite:
    """Everything a route changes in a request, in MOSN's order: headers, host, path."""

    __slots__ = ("_changes", "_headers")

    def __init__(self, headers: HeaderChanges, changes: Iterable[HeadChange]) -> None:
        self._headers = headers
        self._changes = tuple(changes)

    def __call__(self, exchange: Any, head: IRequestHead) -> None:
        """See `IRoute.rewriteRequest`."""
        self._headers.apply(exchange, head.headers)
        for change in self._changes:
            change(exchange, head)


class ResponseRewrite:
    """Everything a route changes in a response."""

    __slots__ = ("_headers",)

    def __init__(self, headers: HeaderChanges) -> None:
        self._headers = headers

    def __call__(self, exchange: Any, head: Any) -> None:
        """See `IRoute.rewriteResponse`."""
        self._headers.apply(exchange, head.headers)


def compileRequestRewrite(
    action: RouteAction | None,
    match: Match,
    outer: Sequence[_Lists],
    variables: Variables,
    form: PathForm = DECODING,
) -> RequestRewrite | None:
    """Return what the route changes in requests, ``None`` for nothing.

    :param outer: virtual host and router configuration.
    :param form: how paths are seen.
    :raises ValueError: when a value cannot be used.
    """
    levels: list[_Lists] = [*([action] if action else []), *outer]
    fields = [
        (
            [field for field in level.request_headers_to_add if field.key != "host"],
            level.request_headers_to_remove,
        )
        for level in levels
    ]
    headers = compileHeaders(fields, variables)
    changes: list[HeadChange | None] = [
        _hostField(*_fieldValue(field, variables))
        for level in levels
        for field in level.request_headers_to_add
        if field.key == "host"
    ]
    if action is not None:
        changes += [_hostRewrite(action), _pathRewrite(action, match, form)]
    effective = [change for change in changes if change is not None]
    return RequestRewrite(headers, effective) if headers or effective else None


def compileResponseRewrite(
    action: RouteAction | None, outer: Sequence[_Lists], variables: Variables
) -> ResponseRewrite | None:
    """Return what the route changes in responses; as `compileRequestRewrite`."""
    levels: list[_Lists] = [*([action] if action else []), *outer]
    headers = compileHeaders(
        [(level.response_headers_to_add, level.response_headers_to_remove) for level in levels],
        variables,
    )
    return ResponseRewrite(headers) if headers else None
