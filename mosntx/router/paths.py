"""The path of a request as routes see it: decoded and normalised (spec/router.md 1).

Only routes look at this form. What is sent on are the client's own octets, unless a rewrite made
a new path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_from_bytes

#: A percent-encoded octet; anything else that begins with ``%`` stays as it is (MOSN's fasthttp).
_ENCODED = re.compile(rb"%([0-9A-Fa-f]{2})")
#: Any percent sign, and what it encodes.
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})?")
#: What escaping makes of the two that are kept.
_KEPT_ESCAPED = re.compile(rb"%25(2F|25)")
#: Octets that no header value and no request target may hold as they are.
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
#: A host, an IPv6 address in brackets, and perhaps a port (RFC 3986 3.2.2 and 3.2.3, no commas).
_AUTHORITY = re.compile(
    rb"(?:[a-z0-9!$%&'()*+.;=_~-]+|\[[0-9a-f.:]+\])(?::(?P<port>\d{0,5}))?", re.IGNORECASE
)
MAX_PORT = 65535
#: ``pchar`` and ``/`` of RFC 3986 3.3, besides letters, digits and ``-._~``.
_SAFE = "/:@!$&'()*+,;="


def matchPath(target: bytes) -> bytes:
    """Return the path of a request target, decoded, with ``//``, ``/./``, ``/../`` resolved.

    The query is left out. ``%2F`` is decoded like everything else, and before ``..`` is resolved,
    so no spelling of a path gets past a rule for it. The result begins with ``/``, or is empty when
    ``target`` is.
    """
    path = target
    if b"?" in path:
        path = path[: path.index(b"?")]
    if b"%" in path:
        path = _ENCODED.sub(_decode, path)
    elif b"//" not in path and b"/." not in path and path[:1] == b"/":
        return path
    return resolvePath(path) if target else b""


def resolvePath(path: bytes) -> bytes:
    """Return a decoded path with ``//``, ``/./`` and ``/../`` resolved; none leads above ``/``."""
    if b"//" not in path and b"/." not in path and path[:1] == b"/":
        return path
    kept: list[bytes] = []
    parts = path.split(b"/")
    for part in parts:
        if part == b"..":
            if kept:
                kept.pop()
        elif part and part != b".":
            kept.append(part)
    resolved = b"/" + b"/".join(kept)
    if kept and parts[-1] in (b"", b".", b".."):
        resolved += b"/"
    return resolved


def escapePath(path: bytes) -> bytes:
    """Return a decoded path as a request target or Location may hold it (RFC 3986 3.3)."""
    return quote_from_bytes(path, safe=_SAFE).encode("ascii")


def query(target: bytes) -> bytes:
    """Return ``?`` and the query of a request target as sent, ``b''`` when it has none."""
    mark = target.find(b"?")
    return b"" if mark < 0 else target[mark:]


def headerSafe(path: bytes) -> bytes:
    """Return a decoded path for a header value: escaped only when it would break the header."""
    return escapePath(path) if _CONTROL.search(path) else path


def isAuthority(octets: bytes) -> bool:
    """Whether octets could be a host with or without port, and so may be sent as one."""
    match = _AUTHORITY.fullmatch(octets)
    return match is not None and int(match["port"] or 0) <= MAX_PORT


class PathForm:
    """How routes see paths, and how what they make of one is sent on: `PATH_FORMS`.

    :ivar refuses: a path with an encoded slash is answered with 400.
    """

    __slots__ = ("_keeps", "refuses")

    def __init__(self, keeps: bool = False, refuses: bool = False) -> None:
        """:param keeps: ``%2F`` is no slash."""
        self._keeps = keeps
        self.refuses = refuses

    def match(self, target: bytes) -> bytes:
        """As `matchPath`.

        A form that keeps leaves ``%2F`` and ``%25``, in upper case, as they are, and writes a
        lone ``%`` as ``%25``: otherwise ``%252F`` would look like a kept slash.
        """
        if not self._keeps:
            return matchPath(target)
        path = _PERCENT.sub(_decodeOthers, target.partition(b"?")[0])
        return resolvePath(path) if target else b""

    def escape(self, path: bytes) -> bytes:
        """As `escapePath`, for what `match` gives."""
        escaped = escapePath(path)
        return _KEPT_ESCAPED.sub(rb"%\1", escaped) if self._keeps else escaped

    def isRefused(self, target: bytes) -> bool:
        """Whether a request target is to be answered with 400."""
        return self.refuses and b"%2f" in target.partition(b"?")[0].lower()


#: Values of ``encoded_slash``.
DECODING: Final = PathForm()
PATH_FORMS: Final[Mapping[str, PathForm]] = {
    "decode": DECODING,
    "keep": PathForm(keeps=True),
    "reject": PathForm(refuses=True),
}


def _decode(match: re.Match[bytes]) -> bytes:
    return bytes((int(match[1], 16),))


def _decodeOthers(match: re.Match[bytes]) -> bytes:
    if match[1] is None:
        return b"%25"
    return match[0].upper() if match[1].upper() in (b"2F", b"25") else _decode(match)
