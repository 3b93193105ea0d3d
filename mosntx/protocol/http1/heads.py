"""Heads of HTTP/1 messages and local replies."""

from __future__ import annotations

import re
from operator import attrgetter

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, ILocalReply, IRequestHead, IResponseHead
from mosntx.protocol.status import PHRASES, phrase

#: Host and port (RFC 9110 4.2.3), without what could be taken for user, path or list.
AUTHORITY = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::([0-9]{0,5}))?", re.ASCII
)

#: A request target in origin form, or ``*``. Octets from 0x80 are passed as they are, as MOSN does.
TARGET = re.compile(rb"/[!-\"$-~\x80-\xff]*|\*")

#: Methods that may be sent twice (RFC 9110 9.2.2).
IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))

_LINES = {status: b"HTTP/1.1 %d %b" % (status, text) for status, text in PHRASES.items()}


def statusLine(status: int) -> bytes:
    """Return the status line for ``status``, without its CRLF."""
    return _LINES.get(status) or b"HTTP/1.1 %d %b" % (status, phrase(status))


def validAuthority(authority: bytes) -> bool:
    """Say whether ``authority`` is a host, with or without a port that exists."""
    match = AUTHORITY.fullmatch(authority)
    return match is not None and int(match[1] or b"0") < 65536


@implementer(IRequestHead)
class RequestHead:
    """See `IRequestHead`.

    Assigning ``path`` or ``authority`` changes what is written; ``authority`` sets the Host field.

    :param method: a token.
    :param path: origin form, ``*`` for OPTIONS, ``b''`` for CONNECT.
    :param authority: host and port in lower case, ``b''`` when the request names none.
    :param line: the request line as received, as long as it says what the attributes say, in
        HTTP/1.1; else ``b''``.
    :param contentLength: octets of the body when the fields as received declare them.

    ``expectContinue`` tells that the client waits for a 100, ``upgrade`` names the protocol that
    it offers to change to, one of ``UPGRADES``; both fields are gone from ``headers``.
    """

    __slots__ = (
        "_authority",
        "_method",
        "_path",
        "contentLength",
        "expectContinue",
        "headers",
        "line",
        "scheme",
        "upgrade",
    )

    protocol = "Http1"
    oneway = False
    timeout = None

    def __init__(
        self,
        method: bytes,
        path: bytes,
        authority: bytes,
        headers: IHeaders,
        line: bytes = b"",
        contentLength: int | None = None,
    ) -> None:
        self._method = method
        self._path = path
        self._authority = authority
        self.headers = headers
        self.line = line
        self.contentLength = contentLength
        self.scheme = b"http"
        self.expectContinue = False
        self.upgrade = b""

    def _setPath(self, path: bytes) -> None:
        if TARGET.fullmatch(path) is None:
            raise ValueError("a path begins with a slash and holds no space, control or #")
        self._path = path
        self.line = b""

    def _setAuthority(self, authority: bytes) -> None:
        if not validAuthority(authority):
            raise ValueError("an authority is a host, with or without a port")
        self.headers.set(b"Host", authority)
        self._authority = authority.lower()
        self.line = b""

    # C getters: these are read several times for each request.
    method = property(attrgetter("_method"), doc="See `IRequestHead`.")
    path = property(attrgetter("_path"), _setPath, doc="See `IRequestHead`.")
    authority = property(attrgetter("_authority"), _setAuthority, doc="See `IRequestHead`.")

    @property
    def service(self) -> bytes:
        """See `IRequestHead`."""
        return self.headers.get(b"service") or b""

    @property
    def replayable(self) -> bool:
        """See `IRequestHead`."""
        return self._method in IDEMPOTENT

    def __repr__(self) -> str:
        return f"<RequestHead {self._method!r} {self._path!r}>"


@implementer(IResponseHead)
class ResponseHead:
    """See `IResponseHead`. ``status`` is assignable.

    :param line: the status line to write, in HTTP/1.1; made from ``status`` when empty.
    :param contentLength: octets of the body when the fields as received declare them.
    """

    __slots__ = ("_status", "contentLength", "headers", "line")

    def __init__(
        self,
        status: int,
        headers: IHeaders,
        line: bytes = b"",
        contentLength: int | None = None,
    ) -> None:
        self._status = status
        self.headers = headers
        self.line = line or statusLine(status)
        self.contentLength = contentLength

    def _setStatus(self, status: int) -> None:
        if not 100 <= status <= 999:
            raise ValueError("a status has three digits")
        self._status = status
        self.line = statusLine(status)

    status = property(attrgetter("_status"), _setStatus, doc="See `IResponseHead`.")

    def __repr__(self) -> str:
        return f"<ResponseHead {self._status}>"


@implementer(ILocalReply)
class LocalReply:
    """See `ILocalReply`."""

    __slots__ = ("body", "head")

    def __init__(self, head: ResponseHead, body: bytes) -> None:
        self.head = head
        self.body = body
