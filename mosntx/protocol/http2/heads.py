"""Heads of HTTP/2 messages, and how they are read from and written as field lists."""

from __future__ import annotations

import re
from operator import attrgetter

from zope.interface import implementer

from mosntx.contracts.message import IHeaders, ILocalReply, IRequestHead, IResponseHead

#: Host and port (RFC 9110 4.2.3), without what could be taken for user, path or list.
AUTHORITY = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+;=%-]+)(?::([0-9]{0,5}))?", re.ASCII
)
#: A path as HTTP/1 can say it too, or ``*``: no space, control or # (attack case 48).
PATH = re.compile(rb"/[!-\"$-~\x80-\xff]*|\*")

#: Methods that may be sent twice (RFC 9110 9.2.2).
_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"))

#: Seconds for each unit of ``grpc-timeout`` (gRPC over HTTP/2, "Timeout").
_UNITS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")


def validAuthority(authority: bytes) -> bool:
    """Say whether ``authority`` is a host, with or without a port that exists."""
    match = AUTHORITY.fullmatch(authority)
    return match is not None and int(match[1] or b"0") < 65536


def grpcTimeout(text: bytes) -> float | None:
    """Return the seconds that a ``grpc-timeout`` allows, ``None`` when it is none."""
    match = _TIMEOUT.fullmatch(text)
    return None if match is None else int(match[1]) * _UNITS[match[2]]


@implementer(IRequestHead)
class Http2RequestHead:
    """See `IRequestHead`. Fields are without pseudo fields and without Host.

    :param method: ``GET`` for an extended CONNECT: what it would be in HTTP/1.1.
    :param path: origin form, ``*`` for OPTIONS, ``b''`` for CONNECT.
    :param authority: host and port in lower case.
    :param contentLength: octets of the body when the client declares them.
    :param upgrade: see `IRequestHead`: the protocol of an extended CONNECT (RFC 8441).
    """

    __slots__ = (
        "_authority",
        "_path",
        "contentLength",
        "expectContinue",
        "headers",
        "method",
        "scheme",
        "upgrade",
    )

    protocol = "Http2"
    oneway = False

    def __init__(
        self,
        method: bytes,
        path: bytes,
        authority: bytes,
        headers: IHeaders,
        scheme: bytes = b"http",
        contentLength: int | None = None,
        upgrade: bytes = b"",
    ) -> None:
        self.method = method
        self._path = path
        self._authority = authority
        self.headers = headers
        self.scheme = scheme
        self.contentLength = contentLength
        self.expectContinue = False
        self.upgrade = upgrade

    def _setPath(self, path: bytes) -> None:
        if PATH.fullmatch(path) is None:
            raise ValueError("a path begins with a slash and holds no space, control or #")
        self._path = path

    def _setAuthority(self, authority: bytes) -> None:
        if not validAuthority(authority):
            raise ValueError("an authority is a host, with or without a port")
        self._authority = authority.lower()

    # C getters: these are read several times for each request.
    path = property(attrgetter("_path"), _setPath, doc="See `IRequestHead`.")
    authority = property(attrgetter("_authority"), _setAuthority, doc="See `IRequestHead`.")

    @property
    def service(self) -> bytes:
        """See `IRequestHead`."""
        return self.headers.get(b"service") or b""

    @property
    def timeout(self) -> float | None:
        """See `IRequestHead`: what ``grpc-timeout`` says."""
        text = self.headers.get(b"grpc-timeout")
        return None if text is None else grpcTimeout(text)

    @property
    def replayable(self) -> bool:
        """See `IRequestHead`."""
        return self.method in _IDEMPOTENT

    def __repr__(self) -> str:
        return f"<Http2RequestHead {self.method!r} {self._path!r}>"


@implementer(IResponseHead)
class Http2ResponseHead:
    """See `IResponseHead`.

    :param contentLength: octets of the body when the upstream declares them.
    """

    __slots__ = ("_status", "contentLength", "headers")

    def __init__(self, status: int, headers: IHeaders, contentLength: int | None = None) -> None:
        self._status = status
        self.headers = headers
        self.contentLength = contentLength

    def _setStatus(self, status: int) -> None:
        if not 100 <= status <= 999:
            raise ValueError("a status has three digits")
        self._status = status

    status = property(attrgetter("_status"), _setStatus, doc="See `IResponseHead`.")

    def __repr__(self) -> str:
        return f"<Http2ResponseHead {self._status}>"


@implementer(ILocalReply)
class Http2LocalReply:
    """See `ILocalReply`."""

    __slots__ = ("body", "head")

    def __init__(self, head: Http2ResponseHead, body: bytes) -> None:
        self.head = head
        self.body = body
