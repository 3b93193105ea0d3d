"""Writing heads, fields and bodies; any `IRequestHead`, `IResponseHead` and `IHeaders` will do."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from mosntx.contracts.message import CONNECT_TUNNEL, IHeaders, Pair
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import TOKEN, CheckedHeaders
from mosntx.protocol.http1.fields import HOP_BY_HOP, WireHeaders
from mosntx.protocol.http1.framing import FORBIDDEN_TRAILERS, MAX_LENGTH_DIGITS
from mosntx.protocol.http1.heads import TARGET, RequestHead
from mosntx.protocol.status import phrase
from mosntx.protocol.websocket import KEY_FIELD

#: How a body is being sent.
NO_BODY = 0
IDENTITY = 1  # as many octets as Content-Length says
CHUNKS = 2
UNTIL_CLOSE = 3

CHUNKED_FIELD = b"\r\nTransfer-Encoding: chunked"
CLOSE_FIELD = b"\r\nConnection: close"
KEEP_ALIVE_FIELD = b"\r\nConnection: keep-alive"
NO_LENGTH_FIELD = b"\r\nContent-Length: 0"
UPGRADE_FIELD = b"\r\nConnection: Upgrade\r\nUpgrade: %b"
LAST_CHUNK = b"0\r\n\r\n"

_HOP_AND_LENGTH = HOP_BY_HOP | {b"content-length"}
_NOT_HOST = HOP_BY_HOP | {b"host"}
_NOT_LENGTH_HOST = _HOP_AND_LENGTH | {b"host"}
_DIGITS = re.compile(rb"[0-9]{1,%d}" % MAX_LENGTH_DIGITS)
#: Methods whose requests are expected to say that they have no body (RFC 9110 8.6).
_LENGTH_EXPECTED = frozenset((b"POST", b"PUT", b"PATCH"))


def chunk(data: bytes, end: bool) -> bytes:
    """Return ``data`` as a chunk, with the last chunk behind it when ``end``."""
    if not data:
        return LAST_CHUNK if end else b""
    tail = b"\r\n0\r\n\r\n" if end else b"\r\n"
    return b"".join((b"%x\r\n" % len(data), data, tail))


def writeFields(pairs: Sequence[Pair], skip: Collection[bytes]) -> bytes:
    """Return fields as ``CRLF name: value`` each.

    :param skip: names in lower case that are left out.
    :raises EncodeError: when a name or value would break the framing (attack case 18).
    """
    parts: list[bytes] = []
    for name, value in pairs:
        if name.lower() in skip:
            continue
        if not name or name.translate(None, TOKEN):
            raise EncodeError(502, "a field name is no token")
        parts += (b"\r\n", name, b": ", value)
    octets = b"".join(parts)
    lines = len(parts) // 4
    if octets.count(b"\n") != lines or octets.count(b"\r") != lines or b"\0" in octets:
        raise EncodeError(502, "a field value holds CR, LF or NUL")
    return octets


def _writeHeaders(headers: IHeaders, skip: frozenset[bytes]) -> bytes:
    """Return the fields of a head as `writeFields` does; what was checked is not looked at again.

    Those from HTTP/1 are, where their octets cannot be used: names keep their capitals.

    :raises EncodeError: as `writeFields`.
    """
    checked = isinstance(headers, CheckedHeaders) and type(headers) is not WireHeaders
    pairs = headers.without(skip) if checked else None  # type: ignore[attr-defined]
    if pairs is None:
        return writeFields(headers.items(), skip)
    return b"".join([b"\r\n%b: %b" % pair for pair in pairs])


def block(headers: IHeaders, withoutLength: bool) -> bytes:
    """Return the field block for ``headers``: its own octets when they still hold.

    :raises EncodeError: as `writeFields`.
    """
    if (
        type(headers) is WireHeaders
        and not headers.changed
        and not (withoutLength and b"content-length" in headers.index)
    ):
        return headers.wire
    skip = _HOP_AND_LENGTH if withoutLength else HOP_BY_HOP
    return _writeHeaders(headers, skip) + b"\r\n\r\n"


def declaredLength(headers: IHeaders) -> int | None:
    """Return what Content-Length says, ``None`` without it.

    :raises EncodeError: when there are two, or it is no number.
    """
    if headers.get(b"content-length") is None:
        return None
    values = headers.getAll(b"content-length")
    if len(values) > 1 or _DIGITS.fullmatch(values[0]) is None:
        raise EncodeError(502, "Content-Length is not one number")
    return int(values[0])


def trailerBlock(trailers: IHeaders) -> bytes:
    """Return the last chunk and the trailers; forbidden ones are left out."""
    if (
        type(trailers) is WireHeaders
        and not trailers.changed
        and FORBIDDEN_TRAILERS.isdisjoint(trailers.index)  # filters may have added some
    ):
        return b"0" + trailers.wire
    return b"0" + writeFields(trailers.items(), FORBIDDEN_TRAILERS) + b"\r\n\r\n"


def informational(head: Any) -> bytes:
    """Return an interim response (RFC 9110 15.2); ``b''`` for 101 and what is no interim status."""
    status = head.status
    if not 100 <= status < 200 or status == 101:
        return b""
    return b"HTTP/1.1 %d %b" % (status, phrase(status)) + block(head.headers, withoutLength=True)


def request(head: Any, end: bool, key: bytes = b"") -> tuple[bytes, int, int]:
    """Write the head of a request whose octets can not be used again.

    :param key: of a WebSocket handshake that brings none of its own.
    :return: octets, how the body goes, and its length.
    :raises EncodeError: when HTTP/1 cannot say it.
    """
    method, target = _target(head)
    headers = head.headers
    length = declaredLength(headers)
    fields = _hostField(head)
    withoutLength = False
    offer = b"" if end else offerOf(head)
    if offer:
        sending = NO_BODY
        withoutLength = length is not None
        fields += b"" if offer == CONNECT_TUNNEL else UPGRADE_FIELD % offer
        fields += b"\r\nSec-WebSocket-Key: " + key if key else b""
    elif end:
        sending = NO_BODY
        if length or (length is None and method in _LENGTH_EXPECTED):
            withoutLength = True
            fields += NO_LENGTH_FIELD
    elif length is None:
        sending = CHUNKS
        fields += CHUNKED_FIELD
    else:
        sending = IDENTITY
    octets = b"".join(
        (method, b" ", target, b" HTTP/1.1", fields, _requestBlock(head, withoutLength, key))
    )
    return octets, sending, length or 0


def offerOf(head: Any) -> bytes:
    """Return the protocol that a request offers to change to, ``b''`` for none.

    :raises EncodeError: when it is no token.
    """
    offer: bytes = getattr(head, "upgrade", b"")
    if offer.translate(None, TOKEN):
        raise EncodeError(400, "the protocol to change to is no token")
    return offer


def switching(head: Any, line: bytes, offer: bytes) -> bytes:
    """Return the head of the response that accepts ``offer`` (RFC 9110 15.2.2, 9.3.6)."""
    fields = b"" if offer == CONNECT_TUNNEL else UPGRADE_FIELD % offer
    return b"".join((line, fields, block(head.headers, withoutLength=True)))


def _target(head: Any) -> tuple[bytes, bytes]:
    # A head without a scheme is an RPC protocol's: its method is not HTTP's (spec/proxy.md 8.1).
    method = head.method if head.scheme else b"POST"
    target = head.authority if method == b"CONNECT" else head.path or b"/"
    if not method or method.translate(None, TOKEN):
        raise EncodeError(400, "the method is no token")
    if method != b"CONNECT" and TARGET.fullmatch(target) is None:
        raise EncodeError(400, "the path can not be written in HTTP/1.1")
    return method, target


def _hostField(head: Any) -> bytes:
    """Return the Host field when it is not among the fields that `_requestBlock` writes."""
    if isinstance(head, RequestHead) and head.headers.get(b"host") is not None:
        return b""
    host = head.authority or head.headers.get(b"host") or b""
    return writeFields([(b"Host", host)], ())


def _requestBlock(head: Any, withoutLength: bool, key: bytes) -> bytes:
    headers = head.headers
    if isinstance(head, RequestHead):
        return block(headers, withoutLength)
    skip = _NOT_LENGTH_HOST if withoutLength else _NOT_HOST
    if key:
        skip |= {KEY_FIELD}
    cookies = headers.getAll(b"cookie") if headers.get(b"cookie") is not None else ()
    if len(cookies) < 2:
        return _writeHeaders(headers, skip) + b"\r\n\r\n"
    # HTTP/2 may cut the Cookie field in crumbs; HTTP/1 wants one (RFC 9113 8.2.3).
    skip |= {b"cookie"}
    crumbs = writeFields([(b"Cookie", b"; ".join(cookies))], ())
    return writeFields(headers.items(), skip) + crumbs + b"\r\n\r\n"
