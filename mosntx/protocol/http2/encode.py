"""Heads and trailers to field lists, with the rules of RFC 9113 section 8; see `fields`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mosntx.contracts.message import CONNECT_TUNNEL, IHeaders, Pair
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import TOKEN, CheckedHeaders
from mosntx.protocol.http2.fields import CONNECTION_FIELDS, FORBIDDEN_TRAILERS, LOWER, FieldList
from mosntx.protocol.http2.heads import PATH
from mosntx.protocol.websocket import KEY_FIELD


def fieldPairs(headers: IHeaders, skip: frozenset[bytes]) -> Sequence[Pair]:
    """Return fields as HTTP/2 wants them, without those that ``skip`` names.

    :raises EncodeError: when one cannot be said.
    """
    if isinstance(headers, CheckedHeaders):
        checked = headers.without(skip)
        if checked is not None:
            return checked
    pairs: list[Pair] = []
    for pair in headers.items():
        name, value = pair
        lower = name.lower()
        if lower in skip:
            continue
        if not lower or lower.translate(None, LOWER):
            raise EncodeError(502, "a field name is no token")
        if value and (value[0] in b" \t" or value[-1] in b" \t"):
            value = value.strip(b" \t")
        pairs.append(pair if name == lower and value is pair[1] else (lower, value))
    octets = b"".join([pair[1] for pair in pairs])
    if b"\r" in octets or b"\n" in octets or b"\0" in octets:
        raise EncodeError(502, "a field value holds CR, LF or NUL")
    return pairs


_SKIP_REQUEST = CONNECTION_FIELDS | {b"host", b"te"}
_SKIP_REQUEST_LENGTH = _SKIP_REQUEST | {b"content-length"}
_SKIP_OFFER = _SKIP_REQUEST_LENGTH | {KEY_FIELD}


def requestFields(head: Any, end: bool) -> list[Pair]:
    """Return the field list of a request, of whatever protocol it came in.

    :raises EncodeError: when HTTP/2 cannot say it.
    """
    # A head without a scheme is an RPC protocol's: its method is not HTTP's (spec/proxy.md 8.1).
    method = head.method if head.scheme else b"POST"
    headers = head.headers
    if not method or method.translate(None, TOKEN):
        raise EncodeError(400, "the method is no token")
    authority = head.authority or headers.get(b"host") or b""
    fields: list[Pair] = [(b":method", method)]
    upgrade = b"" if end else getattr(head, "upgrade", b"")
    if upgrade and upgrade != CONNECT_TUNNEL:
        return _extendedConnect(head, authority, upgrade)
    if method != b"CONNECT":
        path = head.path or b"/"
        if PATH.fullmatch(path) is None:
            raise EncodeError(400, "the path can not be written in HTTP/2")
        fields += ((b":scheme", head.scheme or b"http"), (b":path", path))
    if authority:
        fields.append((b":authority", authority))
    if type(headers) is FieldList and not (headers.changed or headers.special):
        fields += headers.items()  # neither Content-Length nor TE is among them
        return fields
    length = headers.get(b"content-length")
    skip = _SKIP_REQUEST_LENGTH if end and length not in (None, b"0") else _SKIP_REQUEST
    fields += fieldPairs(headers, skip)
    if b"trailers" in (headers.get(b"te") or b"").lower():
        fields.append((b"te", b"trailers"))
    return fields


def _extendedConnect(head: Any, authority: bytes, upgrade: bytes) -> list[Pair]:
    """Return the field list of a request that offers another protocol (RFC 8441 4)."""
    if PATH.fullmatch(head.path) is None:
        raise EncodeError(400, "the path can not be written in HTTP/2")
    return [
        (b":method", b"CONNECT"),
        (b":protocol", upgrade),
        (b":scheme", head.scheme),
        (b":path", head.path),
        (b":authority", authority),
        *fieldPairs(head.headers, _SKIP_OFFER),
    ]


def responseFields(head: Any) -> list[Pair]:
    """Return the field list of a response, of whatever protocol it came in.

    :raises EncodeError: when HTTP/2 cannot say it.
    """
    status = head.status
    if not 100 <= status <= 999 or status == 101:
        raise EncodeError(502, "no status of HTTP/2")
    return [(b":status", b"%d" % status), *fieldPairs(head.headers, CONNECTION_FIELDS)]


def trailerFields(trailers: IHeaders) -> list[Pair]:
    """Return the field list of trailers.

    :raises EncodeError: when HTTP/2 cannot say them.
    """
    return list(fieldPairs(trailers, FORBIDDEN_TRAILERS))
