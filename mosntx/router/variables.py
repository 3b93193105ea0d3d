"""Variables of a request that routes and header lists name (spec/admin-observability.md 5.3).

A route is chosen by the request head alone, so only what the head says can be matched. Values of
added headers may name more: the wiring says which, with `Variables`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from mosntx.contracts.message import IRequestHead
from mosntx.router.paths import DECODING, PathForm, matchPath, query

#: Reads a variable of a request head; ``None`` when it is not set.
HeadVariable = Callable[[IRequestHead], bytes | None]
#: Reads a variable of an exchange.
ExchangeVariable = Callable[[Any], bytes | None]


def cookieValue(head: IRequestHead, name: bytes) -> bytes | None:
    """Return the value of a cookie of the request (RFC 6265 4.2), ``None`` without it."""
    for field in head.headers.getAll(b"cookie"):
        for pair in field.split(b";"):
            key, equals, value = pair.partition(b"=")
            if equals and key.strip() == name:
                value = value.strip()
                quoted = len(value) > 1 and value[:1] == value[-1:] == b'"'
                return bytes(value[1:-1] if quoted else value)
    return None


def queryValue(head: IRequestHead, name: bytes) -> bytes | None:
    """Return the first value of a query parameter, decoded; ``None`` without it."""
    for pair in query(head.path)[1:].split(b"&"):
        key, _, value = pair.partition(b"=")
        if unquote_to_bytes(key.replace(b"+", b" ")) == name:
            return unquote_to_bytes(value.replace(b"+", b" "))
    return None


def _path(head: IRequestHead) -> bytes | None:
    return matchPath(head.path) or None


def _pathOriginal(head: IRequestHead) -> bytes | None:
    return head.path.partition(b"?")[0] or None


def _uri(head: IRequestHead) -> bytes | None:
    return head.path or None


def _query(head: IRequestHead) -> bytes | None:
    return query(head.path)[1:] or None


def _method(head: IRequestHead) -> bytes | None:
    return head.method if head.path or head.authority else None


def _rpcMethod(head: IRequestHead) -> bytes | None:
    return None if head.path or head.authority else head.method or None


def _rpcService(head: IRequestHead) -> bytes | None:
    return None if head.path else head.service or None


def _authority(head: IRequestHead) -> bytes | None:
    return head.authority or None


def _scheme(head: IRequestHead) -> bytes | None:
    return head.scheme or None


def _protocol(head: IRequestHead) -> bytes | None:
    name: str = head.protocol
    return name.encode("utf-8")


_HEAD_VARIABLES: dict[str, HeadVariable] = {
    "x-mosn-host": _authority,
    "authority": _authority,
    "x-mosn-path": _path,
    "PATH": _path,
    "Http1_request_path": _path,
    "x-mosn-path-original": _pathOriginal,
    "Http1_request_path_original": _pathOriginal,
    "x-mosn-querystring": _query,
    "ARG": _query,
    "Http1_request_arg": _query,
    "URI": _uri,
    "Http1_request_uri": _uri,
    "x-mosn-method": _method,
    "Http1_request_method": _method,
    "x-mosn-scheme": _scheme,
    "scheme": _scheme,
    "Http1_request_scheme": _scheme,
    "Http2_request_scheme": _scheme,
    "x-mosn-rpc-service": _rpcService,
    "x-mosn-rpc-method": _rpcMethod,
    "protocol": _protocol,
    "downstream_protocol": _protocol,
}

_HEADER_PREFIXES = ("request_header_", "Http1_request_header_", "Http2_request_header_")
_COOKIE_PREFIXES = ("Http1_cookie_", "Http2_cookie_")
_ARGUMENT_PREFIX = "Http1_request_arg_"


def headVariable(name: str, form: PathForm = DECODING) -> HeadVariable | None:
    """Return what reads the variable ``name`` of a request head, ``None`` when no head says it."""
    plain = _HEAD_VARIABLES.get(name)
    if plain is _path and form is not DECODING:
        return lambda head: form.match(head.path) or None
    if plain is not None:
        return plain
    for prefix in _HEADER_PREFIXES:
        if name.startswith(prefix) and len(name) > len(prefix):
            return _header(name[len(prefix) :].encode("utf-8"))
    for prefix in _COOKIE_PREFIXES:
        if name.startswith(prefix) and len(name) > len(prefix):
            cookie = name[len(prefix) :].encode("utf-8")
            return lambda head: cookieValue(head, cookie)
    if name.startswith(_ARGUMENT_PREFIX) and len(name) > len(_ARGUMENT_PREFIX):
        argument = name[len(_ARGUMENT_PREFIX) :].encode("utf-8")
        return lambda head: queryValue(head, argument)
    return None


def _header(name: bytes) -> HeadVariable:
    lower = name.lower()

    def read(head: IRequestHead) -> bytes | None:
        value: bytes | None = head.headers.get(lower if head.path else name)
        return value

    return read


class Variables:
    """The variables that values of added headers may name as ``%name%``.

    :param resolve: reads one at request time: ``resolve(exchange, name)``.
    :param known: whether ``resolve`` knows a name. Other names are looked for in the request head;
        what nobody knows is literal text (MOSN).
    """

    __slots__ = ("_known", "_resolve")

    def __init__(
        self,
        resolve: Callable[[Any, str], bytes | None] | None = None,
        known: Callable[[str], bool] | None = None,
    ) -> None:
        self._resolve = resolve
        self._known = known

    def ofExchange(self, name: str) -> ExchangeVariable | None:
        """Return what reads a variable of an exchange, ``None`` when there is no such variable."""
        resolve = self._resolve
        if resolve is not None and (self._known is None or self._known(name)):
            return lambda exchange: resolve(exchange, name)
        ofHead = headVariable(name)
        return None if ofHead is None else (lambda exchange: ofHead(exchange.request))
