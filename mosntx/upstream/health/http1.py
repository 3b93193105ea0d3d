"""A request whose status tells how the host is (MOSN pkg/upstream/healthcheck/httpchecker.go)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.config.address import parseAddress
from mosntx.config.schema import HttpCheck
from mosntx.contracts.codec import FAILED, HEAD, RESET, IProtocol
from mosntx.contracts.message import IResponseHead
from mosntx.contracts.net import IBytesReceiver, IConnection, IConnector
from mosntx.contracts.upstream import IHost
from mosntx.net.connector import ConnectFailed
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.upstream.health.probe import CONNECT_LIMIT, IProbe
from mosntx.upstream.health.tcp import Deaf

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
    where = parseAddress(address)
    path = config.path if config.path.startswith("/") else f"/{config.path}"
    if where.network == "unix":
        netloc = "localhost"
    else:
        name = f"[{where.host}]" if ":" in where.host else where.host
        netloc = address = f"{name}:{config.port or where.port}"
    return Question(address, f"http://{netloc}{path}", config.method or "GET", config.domain)


@implementer(IProbe)
class Http1Probe:
    """See `IProbe`. Whatever keeps a status from coming is a bad answer, as in MOSN."""

    __slots__ = ("_config", "_connector", "_protocol", "_question")

    def __init__(
        self, config: HttpCheck, address: str, connector: IConnector, protocol: IProtocol
    ) -> None:
        """:raises ValueError: when the host cannot be asked: its address, method or domain."""
        self._config = config
        self._connector = connector
        self._protocol = protocol
        self._question = firstQuestion(config, address)
        protocol.clientCodec().requestHead(self._question.head(), True)

    def check(self, host: IHost) -> Deferred[bool]:
        """See `IHealthChecker.check`."""
        asking = _Asking(self._connector, self._protocol, self._good)
        asking.ask(self._question)
        return asking.answer

    def close(self) -> None:
        """See `IProbe.close`: nothing is kept."""

    def _good(self, status: int) -> bool:
        codes = self._config.codes
        if not codes:
            return status == 200
        return any(code.start <= status <= code.end for code in codes)


class _Asking:
    """One check: a request, and those that redirects lead to.

    :ivar answer: fires with whether the last status was good.
    """

    __slots__ = (
        "_attempt",
        "_codec",
        "_connection",
        "_connector",
        "_good",
        "_protocol",
        "_question",
        "_reader",
        "_redirects",
        "answer",
    )

    def __init__(self, connector: IConnector, protocol: IProtocol, good: Any) -> None:
        """:param good: says whether a status is that of a healthy host."""
        self.answer: Deferred[bool] = Deferred(self._cancelled)
        self._connector = connector
        self._protocol = protocol
        self._good = good
        self._redirects = 0
        self._codec: Any = None
        self._connection: IConnection | None = None
        self._attempt: Deferred[Any] | None = None

    def ask(self, question: Question) -> None:
        """Ask on a new connection."""
        self._question = question
        self._codec = self._protocol.clientCodec()
        receiver = self._reader = _Reader(self)
        attempt: Deferred[Any] = self._connector.connect(question.address, CONNECT_LIMIT, receiver)
        self._attempt = attempt
        attempt.addCallbacks(self._connected, self._refused)

    def receive(self, data: bytes) -> None:
        """Octets of the response have come."""
        for event in self._codec.receive(data):
            if event[0] == HEAD:
                self._responded(event[2])
                return
            if event[0] in (FAILED, RESET):
                self.finish(False)
                return

    def finish(self, good: bool) -> None:
        """The check is over."""
        self._leave()
        if not self.answer.called:
            self.answer.callback(good)

    def _connected(self, connection: IConnection) -> None:
        self._attempt = None
        self._connection = connection
        try:
            _number, octets = self._codec.requestHead(self._question.head(), True)
        except (ValueError, EncodeError):  # only after a redirect; the first was tried before
            self.finish(False)
        else:
            connection.write(octets)

    def _refused(self, failure: Failure) -> None:
        self._attempt = None
        if failure.check(ConnectFailed):
            self.finish(False)
        elif not self.answer.called:
            self.answer.errback(failure)

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
            self._leave()
            self.ask(question)

    def _cancelled(self, _answer: Deferred[bool]) -> None:
        self._leave()

    def _leave(self) -> None:
        """Give up the present connection; nothing that it still says counts."""
        self._reader.asking = None
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()


@implementer(IBytesReceiver)
class _Reader(Deaf):
    """One connection of a check.

    :ivar asking: ``None`` once nobody wants to hear more.
    """

    __slots__ = ("asking",)

    def __init__(self, asking: _Asking) -> None:
        self.asking: _Asking | None = asking

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        if self.asking is not None:
            self.asking.receive(data)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`: there was no status."""
        if self.asking is not None:
            self.asking.finish(False)
