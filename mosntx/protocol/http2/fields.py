"""Field lists to heads, with the rules of RFC 9113 section 8; the way back is `encode`.

Everything is checked here once for either engine, for what one lets pass the other does not: so
both read the same messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hpack import HeaderTuple

from mosntx.contracts.message import CONNECT_TUNNEL, Pair
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.headers import TOKEN, CheckedHeaders, Headers
from mosntx.protocol.http2.heads import (
    PATH,
    Http2RequestHead,
    Http2ResponseHead,
    validAuthority,
)
from mosntx.protocol.websocket import KEY_FIELD, WEBSOCKET

#: What a field name may hold: a token without capitals (RFC 9113 8.2.1).
LOWER = TOKEN.translate(None, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
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

#: What engines make of fields that may be remembered. A field that is never to be indexed is of
#: another class (RFC 7541 7.1.3), though it equals the others.
_PLAIN = frozenset((tuple, HeaderTuple))

_SCHEMES = frozenset((b"http", b"https"))

#: Two values in a row, with a NUL between them, of which one ends or begins with a space.
_SPACES = (b"\0 ", b" \0", b"\0\t", b"\t\0")


class FieldList(CheckedHeaders):
    """Fields as a peer of HTTP/2 has sent them: most pass with the very list that was read.

    :ivar special: those of their names that stand in `SPECIAL`.
    """

    __slots__ = ("special",)

    special: frozenset[bytes]

    @classmethod
    def of(
        cls, pairs: list[Pair], special: frozenset[bytes], index: dict[bytes, bytes] | None = None
    ) -> FieldList:
        """Make headers of ``pairs``, which the caller has checked and nobody alters any more.

        :param index: of the first values, if there is one already; it is not altered either.
        """
        headers = cls.__new__(cls)
        headers._pairs = pairs
        headers._index = index
        headers.changed = False
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


class _Fields:
    """The ordinary fields of a message, checked: shared by all messages that have the same ones.

    :param size: octets of the field list that they came in.

    ``length`` is the Content-Length that they declare, ``index`` has the first values.
    """

    __slots__ = ("index", "length", "pairs", "size", "special")

    def __init__(self, pairs: list[Pair], size: int) -> None:
        self.pairs = pairs
        self.size = size
        self.special = SPECIAL.intersection([pair[0] for pair in pairs]) or _NOTHING
        self.index: dict[bytes, bytes] | None = None
        self.length: int | None = None

    def headers(self) -> FieldList:
        """Return them as headers."""
        return FieldList.of(self.pairs, self.special, self.index)


class FieldReader:
    """Reads field lists of one place.

    Clients and hosts send the same fields again and again, apart from the path and from a date that
    changes once a second. So lists that were good are remembered without their pseudo fields:
    checking one costs several times as much as finding it. Fields that are never to be indexed are
    secrets, and not kept.

    :param maxFields: most fields of a message.
    :param status: tells the failure: 400 for requests, 502 for responses.
    :param maxSize: octets of a field list, with `FIELD_COST` for each field.
    """

    __slots__ = ("_authority", "_known", "_maxFields", "_maxSize", "_room", "_seen", "_status")

    #: Names found to be good before; what a peer can make us keep is bounded by this.
    MAX_KNOWN = 1024

    #: Lists that are remembered, and octets of the longest, with `FIELD_COST` for each field.
    MAX_SEEN = 256
    MAX_SEEN_OCTETS = 1536

    def __init__(self, maxFields: int, status: int, maxSize: int) -> None:
        self._maxFields = maxFields
        self._maxSize = maxSize
        #: Octets of pseudo fields that are within the size whatever is remembered.
        self._room = maxSize - self.MAX_SEEN_OCTETS - 5 * (len(b":authority") + FIELD_COST)
        self._status = status
        self._known: set[bytes] = set()
        self._seen: dict[tuple[Any, ...], _Fields] = {}
        self._authority = b""  # the last one that was good

    def _ordinary(
        self, fields: Sequence[Any], pseudo: dict[bytes, bytes], told: bool = True
    ) -> _Fields:
        """Return the ordinary fields, checked.

        :param told: the caller looks at each octet of the pseudo fields, and they are short.
        :raises ProtocolError: when one of all fields is malformed.
        """
        key = tuple(fields[len(pseudo) :])
        for field in key:
            if type(field) not in _PLAIN:
                return self._check(fields, pseudo)
        seen = self._seen.get(key)
        if seen is not None and told:
            return seen
        checked = self._check(fields, pseudo)
        if checked.size <= self.MAX_SEEN_OCTETS:
            if len(self._seen) >= self.MAX_SEEN:
                self._seen.clear()
            checked.index = dict(reversed(checked.pairs))
            self._seen[key] = checked
        return checked

    def _check(self, fields: Sequence[Any], pseudo: dict[bytes, bytes]) -> _Fields:
        """Look at each octet of all fields."""
        known = self._known
        status = self._status
        start = len(pseudo)
        count = len(fields)
        if count - start > self._maxFields:
            raise LimitError(431 if status == 400 else status, "too many header fields")
        if not count:
            return _Fields([], 0)
        # No loop: what follows looks at all names, and at all values, in one call each.
        names, values = zip(*fields, strict=True)
        octets = b"\0".join((b"", *values, b""))
        size = len(octets) - count - 1 + len(b"".join(names)) + FIELD_COST * count
        if size > self._maxSize:
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
        checked = _Fields(list(fields[start:]), size)
        if checked.special:
            checked.length = self._declared(checked.pairs)
        return checked

    def _learn(self, name: bytes) -> None:
        if not name or name.translate(None, LOWER):
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
        told = (
            b":protocol" not in pseudo
            and pseudo.get(b":scheme") in _SCHEMES
            and len(b"".join(pseudo.values())) <= self._room
        )
        ordinary = self._ordinary(fields, pseudo, told)
        pairs, special = ordinary.pairs, ordinary.special
        authority = pseudo.get(b":authority", b"")
        if b"host" in special:
            authority, pairs = _withoutHost(authority, pairs, self._status)
        if authority != self._authority:
            if authority and not validAuthority(authority):
                raise ProtocolError(400, "malformed authority")
            self._authority = authority
        method = pseudo.get(b":method", b"")
        if not method or method.translate(None, TOKEN):
            raise ProtocolError(400, "the method is no token")
        if not authority and (method == b"CONNECT"):
            raise ProtocolError(400, "CONNECT without authority")
        method, path, scheme, upgrade = _target(method, pseudo)
        if b"cookie" in special:
            pairs = _joinCookies(pairs)
        same = pairs is ordinary.pairs
        headers = ordinary.headers() if same else FieldList.of(pairs, special)
        head = Http2RequestHead(
            method, path, authority.lower(), headers, scheme, ordinary.length, upgrade
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
        ordinary = self._ordinary(fields, pseudo)
        text = pseudo.get(b":status", b"")
        if len(text) != 3 or not text.isdigit() or text < b"100":
            raise ProtocolError(self._status, "no status of three digits")
        return Http2ResponseHead(int(text), ordinary.headers(), ordinary.length)

    def trailers(self, fields: Sequence[Any]) -> Headers:
        """Return trailers; those that would change the message are dropped (RFC 9110 6.5.1).

        :raises ProtocolError: when they are malformed.
        """
        if self._pseudo(fields, frozenset()):  # it has raised when there was one
            raise ProtocolError(self._status, "a pseudo field in trailers")
        pairs = self._ordinary(fields, {}).pairs
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
