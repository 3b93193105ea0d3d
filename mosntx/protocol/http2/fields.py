"""Field lists to heads and back, with the rules of RFC 9113 section 8.

Everything is checked here once for either engine, for what one lets pass the other does not: so
both read the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from mosntx.contracts.message import CONNECT_TUNNEL, IHeaders, Pair
from mosntx.protocol.errors import EncodeError, LimitError, ProtocolError
from mosntx.protocol.headers import TOKEN, CheckedHeaders, Headers
from mosntx.protocol.http2.heads import (
    PATH,
    Http2RequestHead,
    Http2ResponseHead,
    validAuthority,
)
from mosntx.protocol.websocket import KEY_FIELD, WEBSOCKET

#: What a field name may hold: a token without capitals (RFC 9113 8.2.1).
_LOWER = TOKEN.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS = re.compile(rb"[0-9]{1,18}")

#: Fields of one connection, which HTTP/2 does not have (RFC 9113 8.2.2).
CONNECTION_FIELDS = frozenset(
    (
        b"connection",
        b"proxy-connection",
        b"keep-alive",
        b"transfer-encoding",
        b"upgrade",
        b"http2-settings",
    )
)
_FORBIDDEN = CONNECTION_FIELDS - {b"http2-settings"}
#: Trailers that would change how the message is framed or routed (RFC 9110 6.5.1).
FORBIDDEN_TRAILERS = CONNECTION_FIELDS | {b"content-length", b"host", b"te", b"trailer"}

#: Octets that each field counts besides its own (RFC 9113 6.5.2).
FIELD_COST = 32

#: Names that need a closer look than their octets.
SPECIAL = FORBIDDEN_TRAILERS | {b"cookie", b"expect", KEY_FIELD}

_NOTHING: frozenset[bytes] = frozenset()  # one for all, where a new one would cost 200 octets

#: Two values in a row, with a NUL between them, of which one ends or begins with a space.
_SPACES = (b"\0 ", b" \0", b"\0\t", b"\t\0")


class FieldList(CheckedHeaders):
    """Fields as a peer of HTTP/2 has sent them: most pass with the very list that was read.

    :ivar special: those of their names that stand in `SPECIAL`.
    """

    __slots__ = ("special",)

    special: frozenset[bytes]

    @classmethod
    def of(cls, pairs: list[Pair], special: frozenset[bytes]) -> FieldList:
        """Make headers of ``pairs``, which the caller has checked and does not use any more."""
        headers = cls.trusted(pairs)
        headers.special = special
        return headers

    def without(self, names: frozenset[bytes]) -> Sequence[Pair] | None:
        """See `CheckedHeaders.without`. Whoever writes leaves out none but special names."""
        if self.special.isdisjoint(names):
            return self.lowerPairs()
        return super().without(names)

    def _indexed(self) -> dict[bytes, bytes]:
        if self.changed:
            return super()._indexed()
        index = self._index = dict(reversed(self.items()))  # no name has to be made lower case
        return index


class FieldReader:
    """Reads field lists of one place.

    :param maxFields: most fields of a message.
    :param status: tells the failure: 400 for requests, 502 for responses.
    :param maxSize: octets of a field list, with `FIELD_COST` for each field.
    """

    __slots__ = ("_known", "_maxFields", "_maxSize", "_status")

    #: Names found to be good before; what a peer can make us keep is bounded by this.
    MAX_KNOWN = 1024

    def __init__(self, maxFields: int, status: int, maxSize: int) -> None:
        self._maxFields = maxFields
        self._maxSize = maxSize
        self._status = status
        self._known: set[bytes] = set()

    def _pairs(self, fields: Sequence[Any], start: int) -> tuple[list[Pair], frozenset[bytes]]:
        """Return the ordinary fields, checked, and which special names are among them.

        :raises ProtocolError: when one of them is malformed.
        """
        known = self._known
        status = self._status
        count = len(fields)
        if count - start > self._maxFields:
            raise LimitError(431 if status == 400 else status, "too many header fields")
        if not count:
            return [], _NOTHING
        # No loop: what follows looks at all names, and at all values, in one call each.
        names, values = zip(*fields, strict=True)
        octets = b"\0".join((b"", *values, b""))
        size = len(octets) - count - 1 + len(b"".join(names))
        if size + FIELD_COST * count > self._maxSize:
            raise LimitError(431 if status == 400 else status, "the header fields are too large")
        if start:
            names = names[start:]
        if not known.issuperset(names):
            for name in names:
                if name not in known:
                    self._learn(name)
        for spaces in _SPACES:
            if spaces in octets:
                raise ProtocolError(status, "a field value begins or ends with a space")
        if b"\r" in octets or b"\n" in octets or octets.count(b"\0") != count + 1:
            raise ProtocolError(status, "a field value holds CR, LF or NUL")
        special = SPECIAL.intersection(names) or _NOTHING
        return list(fields[start:] if start else fields), special

    def _learn(self, name: bytes) -> None:
        if not name or name.translate(None, _LOWER):
            raise ProtocolError(self._status, "a field name is no token in lower case")
        if len(self._known) >= self.MAX_KNOWN:
            self._known.clear()
        self._known.add(name)

    def _pseudo(self, fields: Sequence[Any], allowed: frozenset[bytes]) -> dict[bytes, bytes]:
        """Return the pseudo fields, which stand in front (RFC 9113 8.3)."""
        pseudo: dict[bytes, bytes] = {}
        for name, value in fields:
            if name[:1] != b":":
                break
            if name not in allowed or name in pseudo:
                raise ProtocolError(self._status, "a pseudo field twice or out of place")
            pseudo[name] = value
        return pseudo

    def _declared(self, pairs: list[Pair]) -> int | None:
        """Check the fields that say more than their octets; return the Content-Length."""
        length: int | None = None
        for name, value in pairs:
            if name in _FORBIDDEN or (name == b"te" and value.lower() != b"trailers"):
                raise ProtocolError(self._status, "a field of the connection in HTTP/2")
            if name == b"content-length":
                if _DIGITS.fullmatch(value) is None or length not in (None, int(value)):
                    raise ProtocolError(self._status, "Content-Length is not one number")
                length = int(value)
        return length

    def request(self, fields: Sequence[Any]) -> Http2RequestHead:
        """Return the head of a request (RFC 9113 8.3.1).

        :raises ProtocolError: when it is malformed; with 501 for a CONNECT to another protocol than
            WebSocket.
        """
        pseudo = self._pseudo(fields, _REQUEST)
        pairs, special = self._pairs(fields, len(pseudo))
        length = self._declared(pairs) if special else None
        authority = pseudo.get(b":authority", b"")
        if b"host" in special:
            authority, pairs = _withoutHost(authority, pairs, self._status)
        if authority and not validAuthority(authority):
            raise ProtocolError(400, "malformed authority")
        method = pseudo.get(b":method", b"")
        if not method or method.translate(None, TOKEN):
            raise ProtocolError(400, "the method is no token")
        if not authority and (method == b"CONNECT"):
            raise ProtocolError(400, "CONNECT without authority")
        method, path, scheme, upgrade = _target(method, pseudo)
        if b"cookie" in special:
            pairs = _joinCookies(pairs)
        head = Http2RequestHead(
            method, path, authority.lower(), FieldList.of(pairs, special), scheme, length, upgrade
        )
        if b"expect" in special:
            head.expectContinue = (head.headers.get(b"expect") or b"").lower() == b"100-continue"
            pairs = [pair for pair in pairs if pair[0] != b"expect"]
            head.headers = FieldList.of(pairs, special)
        return head

    def response(self, fields: Sequence[Any]) -> Http2ResponseHead:
        """Return the head of a response (RFC 9113 8.3.2).

        :raises ProtocolError: when it is malformed.
        """
        pseudo = self._pseudo(fields, _RESPONSE)
        pairs, special = self._pairs(fields, len(pseudo))
        text = pseudo.get(b":status", b"")
        if len(text) != 3 or not text.isdigit() or text < b"100":
            raise ProtocolError(self._status, "no status of three digits")
        length = self._declared(pairs) if special else None
        return Http2ResponseHead(int(text), FieldList.of(pairs, special), length)

    def trailers(self, fields: Sequence[Any]) -> Headers:
        """Return trailers; those that would change the message are dropped (RFC 9110 6.5.1).

        :raises ProtocolError: when they are malformed.
        """
        if self._pseudo(fields, frozenset()):  # it has raised when there was one
            raise ProtocolError(self._status, "a pseudo field in trailers")
        pairs, _special = self._pairs(fields, 0)
        self._declared(pairs)
        return Headers.trusted([pair for pair in pairs if pair[0] not in FORBIDDEN_TRAILERS])


_REQUEST = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
_RESPONSE = frozenset((b":status",))


def _target(method: bytes, pseudo: dict[bytes, bytes]) -> tuple[bytes, bytes, bytes, bytes]:
    """Return method, path, scheme and the offer of a CONNECT.

    An extended one is what a GET is in HTTP/1.1.
    """
    path, scheme = pseudo.get(b":path"), pseudo.get(b":scheme")
    upgrade = pseudo.get(b":protocol")
    if method == b"CONNECT" and upgrade is None:
        if path is not None or scheme is not None:
            raise ProtocolError(400, "CONNECT with a path or a scheme")
        return method, b"", b"http", CONNECT_TUNNEL
    if upgrade is not None and (method != b"CONNECT" or not upgrade):
        raise ProtocolError(400, ":protocol without CONNECT")
    if not path or not scheme:
        raise ProtocolError(400, "path or scheme missing")
    if PATH.fullmatch(path) is None or (path == b"*" and method != b"OPTIONS"):
        raise ProtocolError(400, "malformed path")
    if upgrade is None:
        return method, path, scheme.lower(), b""
    if upgrade.lower() != WEBSOCKET:
        raise ProtocolError(501, "a CONNECT to a protocol that is not known here")
    return b"GET", path, scheme.lower(), WEBSOCKET


def _withoutHost(authority: bytes, pairs: list[Pair], status: int) -> tuple[bytes, list[Pair]]:
    """Take Host out: it is the authority where there is none, else it must say the same."""
    hosts = {value.lower() for name, value in pairs if name == b"host"}
    if len(hosts) > 1 or (authority and authority.lower() not in hosts):
        raise ProtocolError(status, "Host and :authority differ")
    return authority or hosts.pop(), [pair for pair in pairs if pair[0] != b"host"]


def _joinCookies(pairs: list[Pair]) -> list[Pair]:
    """Join the crumbs of Cookie, which filters and other protocols want whole (8.2.3)."""
    crumbs = [value for name, value in pairs if name == b"cookie"]
    if len(crumbs) == 1:
        return pairs
    joined = [pair for pair in pairs if pair[0] != b"cookie"]
    joined.append((b"cookie", b"; ".join(crumbs)))
    return joined


# writing


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
        if not lower or lower.translate(None, _LOWER):
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
