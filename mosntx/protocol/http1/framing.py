"""Rules of framing and of hops, common to both ends (RFC 9110 7.6, RFC 9112 2, 3, 6)."""

from __future__ import annotations

import re

from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.http1.fields import HOP_BY_HOP, FieldParser, WireHeaders
from mosntx.protocol.http1.heads import validAuthority
from mosntx.protocol.http1.limits import Http1Limits
from mosntx.protocol.websocket import WEBSOCKET

#: Protocols that a client may change to. Others would go round our rules for requests, h2c first
#: of all (attack case 22); their offers are taken for not made.
UPGRADES = frozenset((WEBSOCKET,))

#: Fields that a Connection option never removes: without them the next hop would see another
#: message or another client (attack case 23).
PROTECTED = frozenset(
    (
        b"authorization",
        b"cache-control",
        b"content-encoding",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"expect",
        b"forwarded",
        b"host",
        b"location",
        b"origin",
        b"proxy-authorization",
        b"range",
        b"set-cookie",
        b"trailer",
        b"transfer-encoding",
        b"via",
        b"www-authenticate",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    )
)

#: Fields that mean nothing good behind a body (RFC 9110 6.5.1; attack case 16).
FORBIDDEN_TRAILERS = (
    HOP_BY_HOP
    | PROTECTED
    | frozenset(
        (
            b"accept-encoding",
            b"age",
            b"expires",
            b"if-match",
            b"if-modified-since",
            b"if-none-match",
            b"if-range",
            b"if-unmodified-since",
            b"max-forwards",
            b"pragma",
            b"proxy-authenticate",
            b"retry-after",
            b"vary",
        )
    )
)

#: The request line of nearly every request: origin form in HTTP/1.1.
ORIGIN_LINE = re.compile(
    rb"(?!CONNECT )([!#$%&'*+\-.^_`|~0-9A-Za-z]+) (/[!-\"$-~\x80-\xff]*) HTTP/1\.1"
)

_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-\"$-~\x80-\xff]+) HTTP/([0-9])\.([0-9])"
)
_ABSOLUTE = re.compile(rb"[Hh][Tt][Tt][Pp][Ss]?://([^/?]*)([/?].*)?")
#: Digits of a Content-Length; 10^19 octets are more than anybody has.
MAX_LENGTH_DIGITS = 19

_BARE = re.compile(rb"(?<!\r)\n|\0")


def parseRequestLine(line: bytes) -> tuple[bytes, bytes, bytes, bool]:
    """Read a request line in any form (RFC 9112 3).

    :return: method, path, authority or ``b''``, and whether it is HTTP/1.1.
    :raises ProtocolError: 400 or 505.
    """
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise ProtocolError(400, "malformed request line")
    method, target, major, minor = match.groups()
    if major != b"1" or minor not in b"01":
        raise ProtocolError(505, "only HTTP/1.1 and HTTP/1.0 are spoken here")
    http11 = minor == b"1"
    if method == b"CONNECT":
        if b":" not in target[-6:] or target.endswith(b":") or not validAuthority(target):
            raise ProtocolError(400, "CONNECT needs a host and a port")
        return method, b"", target.lower(), http11
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return method, target, b"", http11
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is None or not validAuthority(absolute[1]):
        raise ProtocolError(400, "malformed request target")
    path = absolute[2] or b"/"
    if path.startswith(b"?"):
        path = b"/" + path
    return method, path, absolute[1].lower(), http11


def connectionOptions(headers: WireHeaders) -> frozenset[bytes]:
    """Return the Connection options in lower case."""
    value = headers.joined(b"connection").lower()
    return frozenset([option.strip(b" \t") for option in value.split(b",")])


def offered(headers: WireHeaders) -> bytes:
    """Return the protocol of `UPGRADES` that the Upgrade field offers, ``b''`` without one."""
    for offer in headers.joined(b"upgrade").lower().split(b","):
        if offer.strip(b" \t") in UPGRADES:
            return offer.strip(b" \t")
    return b""


def stripHopByHop(headers: WireHeaders, options: frozenset[bytes]) -> None:
    """Forget the fields that end at this hop, and those that ``options`` names and may name."""
    names = HOP_BY_HOP.intersection(headers.index)
    if options:
        names |= (options - PROTECTED).intersection(headers.index)
    headers.forget(names)


def cutChunked(headers: WireHeaders) -> bool:
    """Forget ``Transfer-Encoding: chunked`` in its usual spelling."""
    return headers.index.get(b"transfer-encoding") == b"chunked" and headers.cut(
        b"transfer-encoding", b"\r\nTransfer-Encoding: chunked\r\n"
    )


def checkChunked(headers: WireHeaders, http11: bool) -> None:
    """Refuse every Transfer-Encoding but ``chunked`` alone (attack cases 2 and 5).

    :raises ProtocolError: 400, or 501 when the coding is not known.
    """
    coding = headers.joined(b"transfer-encoding").lower()
    if not http11:
        raise ProtocolError(400, "transfer-encoding in HTTP/1.0")
    if coding != b"chunked":
        codings = [part.strip(b" \t") for part in coding.split(b",")]
        if codings.count(b"chunked") > 1 or not all(codings):
            raise ProtocolError(400, "malformed transfer-encoding")
        raise ProtocolError(501, "unknown transfer-encoding")


def bareOctet(octets: bytes | bytearray, start: int = 0) -> int:
    """Return the offset of the first LF without CR before it, or NUL, from ``start`` on; or -1."""
    match = _BARE.search(octets, start)
    return -1 if match is None else match.start()


def parseLength(value: bytes, status: int) -> int:
    """Return a Content-Length of which llhttp has checked that it is a number.

    :param status: status when it has more digits than any real length. Python refuses to read very
        long ones, which leading zeros can make.
    :raises ProtocolError: with that status.
    """
    if len(value) > MAX_LENGTH_DIGITS:
        raise ProtocolError(status, "content-length too long")
    return int(value)


class HeadLimits:
    """Judges the size of heads in a way that does not depend on how the octets were cut.

    Of all faults in a head, the one that shows first in the octets is reported.

    :param limits: the figures.
    :param lineStatus: status for a start line that is too long.
    :param blockStatus: status for a field block that is too large.
    :param badStatus: status for stray octets.
    """

    __slots__ = ("_blockStatus", "_lineStatus", "_size", "badStatus", "maxLine", "quick")

    def __init__(
        self, limits: Http1Limits, lineStatus: int, blockStatus: int, badStatus: int
    ) -> None:
        self.maxLine = limits.max_request_line
        self._size = limits.max_header_size
        self._lineStatus = lineStatus
        self._blockStatus = blockStatus
        self.badStatus = badStatus
        #: A head whose last field ends before this offset is within the limits.
        self.quick = min(self.maxLine, self._size - 4)

    def check(self, head: bytes | bytearray, start: int = 0) -> None:
        """Refuse a whole head, or the beginning of one.

        :param start: nothing stray stands before this offset.
        :raises ProtocolError: for the first fault.
        """
        bare = bareOctet(head, start)
        found = bare if bare >= 0 else len(head)
        eol = head.find(b"\r\n", 0, self.maxLine + 2)
        if eol < 0:
            if found > self.maxLine + 1:
                raise LimitError(self._lineStatus, "start line too long")
        elif found > eol + self._size:
            raise LimitError(self._blockStatus, "header fields too large")
        if bare >= 0:
            raise ProtocolError(self.badStatus, "stray LF or NUL in the head")


def parseTrailers(parser: FieldParser, block: bytes, limits: Http1Limits) -> WireHeaders | None:
    """Return the trailers of a block without forbidden ones; ``None`` when none is left.

    :raises ProtocolError: as `FieldParser.parse`.
    """
    if not block:
        return None
    trailers = parser.parse(block, limits.max_trailers)
    forbidden = FORBIDDEN_TRAILERS.intersection(trailers.index)
    if forbidden:
        trailers.forget(forbidden)
    return trailers if trailers.index else None
