"""A request whose status tells how the host is (MOSN pkg/upstream/healthcheck/httpchecker.go)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast
from urllib.parse import quote, urljoin, urlsplit

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from zope.interface import implementer

from mosntx.config.schema import HttpCheck
from mosntx.contracts.codec import HEAD, IProtocol
from mosntx.contracts.message import IResponseHead
from mosntx.contracts.net import IConnector
from mosntx.contracts.upstream import IHost
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.upstream.health.asking import Asking, placeOf
from mosntx.upstream.health.probe import IProbe

#: Redirects that are followed (Go's http client, which MOSN asks with).
MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_KEEP_METHOD: Final = frozenset((307, 308))
#: Octets of a configured path that need no escape.
_PLAIN: Final = "/?&=%:@!$'()*+,;~"


@frozen
class Question:
    """One request.

    :ivar address: where to connect to.
    :ivar url: what is asked for, to find the way from redirects.
    :ivar host: the Host field, when it is not what the URL says.
    """

    address: str
    url: str
    method: str = "GET"
    host: str = ""

    def head(self) -> RequestHead:
        """Return the head of the request.

        :raises ValueError: when HTTP cannot say it.
        """
        parts = urlsplit(self.url)
        path = quote(parts.path or "/", safe=_PLAIN)
        if parts.query:
            path = f"{path}?{quote(parts.query, safe=_PLAIN)}"
        authority = (self.host or parts.netloc).encode("ascii")
        fields = Headers([(b"Host", authority), (b"User-Agent", b"mosntx")])
        return RequestHead(self.method.encode("ascii"), path.encode(), authority.lower(), fields)

    def redirected(self, status: int, location: str) -> Question:
        """Return what a redirect says to ask instead.

        :raises ValueError: when it says nothing that can be asked.
        """
        url = urljoin(self.url, location)
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname or parts.username is not None:
            raise ValueError(f"a redirect to {url!r}")
        keeps = status in _KEEP_METHOD or self.method == "HEAD"
        method = self.method if keeps else "GET"
        if parts.netloc == urlsplit(self.url).netloc:
            return evolve(self, url=url, method=method)
        where = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return Question(f"{where}:{parts.port or 80}", url, method)


def firstQuestion(config: HttpCheck, address: str) -> Question:
    """Return what a host is asked.

    :param address: of the host; its port counts when the configuration names none.
    :raises ValueError: when the address is none.
    """
    address, netloc = placeOf(address, config.port)
    path = config.path if config.path.startswith("/") else f"/{config.path}"
    return Question(address, f"http://{netloc}{path}", config.method or "GET", config.domain)


@implementer(IProbe)
class HttpProbe:
    """See `IProbe`. Whatever keeps a status from coming is a bad answer, as in MOSN.

    Each check has a connection of its own, in HTTP/2 too (prior knowledge, RFC 9113 3.3).
    """

    __slots__ = ("_config", "_connector", "_protocol", "_question")

    def __init__(
        self, config: HttpCheck, address: str, connector: IConnector, protocol: IProtocol
    ) -> None:
        """Make the request ready.

        :param protocol: HTTP/1 or HTTP/2.
        :raises ValueError: when the host cannot be asked: its address, method or domain.
        """
        self._config = config
        self._connector = connector
        self._protocol = protocol
        self._question = firstQuestion(config, address)
        protocol.clientCodec().requestHead(self._question.head(), True)

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        asking = _HttpAsking(self._connector, self._protocol, self._good)
        asking.ask(self._question)
        return asking.answer

    def close(self) -> None:
        """See `IProbe.close`: nothing is kept."""

    def _good(self, status: int) -> bool:
        codes = self._config.codes
        if not codes:
            return status == 200
        return any(code.start <= status <= code.end for code in codes)


class _HttpAsking(Asking):
    """One check: a request, and those that redirects lead to."""

    __slots__ = ("_good", "_question", "_redirects")

    def __init__(
        self, connector: IConnector, protocol: IProtocol, good: Callable[[int], bool]
    ) -> None:
        """:param good: says whether a status is that of a healthy host."""
        super().__init__(connector, protocol)
        self._good = good
        self._redirects = 0

    def ask(self, question: Question) -> None:
        """Ask on a new connection."""
        self._question = question
        self.connect(question.address)

    def request(self, codec: Any) -> bytes:
        """See `Asking.request`."""
        _number, octets = codec.requestHead(self._question.head(), True)
        return cast(bytes, octets)

    def heard(self, kind: int, part: Any, end: bool) -> None:
        """See `Asking.heard`: the status is enough."""
        if kind == HEAD:
            self._responded(part)

    def _responded(self, head: IResponseHead) -> None:
        status = head.status
        location = head.headers.get(b"location")
        if status not in _REDIRECTS or not location:
            self.finish(self._good(status))
            return
        self._redirects += 1
        try:
            question = self._question.redirected(status, location.decode("latin-1"))
        except ValueError:
            self.finish(False)
            return
        if self._redirects > MOST_REDIRECTS:
            self.finish(False)
        else:
            self.ask(question)
