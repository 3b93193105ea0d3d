"""One check on a connection of its own: what checks by HTTP/1, HTTP/2 and gRPC have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.config.address import parseAddress
from mosntx.contracts.codec import FAILED, RESET, IProtocol
from mosntx.contracts.net import IBytesReceiver, IConnection, IConnector
from mosntx.net.connector import ConnectFailed
from mosntx.protocol.errors import EncodeError
from mosntx.upstream.health.probe import CONNECT_LIMIT
from mosntx.upstream.health.tcp import Deaf


def placeOf(address: str, port: int) -> tuple[str, str]:
    """Return where to connect to, and the name of that place in requests.

    :param address: of a host.
    :param port: to connect to; 0 or below = the host's own.
    :raises ValueError: when the address is none.
    """
    where = parseAddress(address)
    if where.network == "unix":
        return address, "localhost"
    name = f"[{where.host}]" if ":" in where.host else where.host
    place = f"{name}:{port if port > 0 else where.port}"
    return place, place


class Asking(ABC):
    """One check: connect, send a request, hear the answer.

    Whatever keeps the answer from coming is a bad answer, as in MOSN's HTTP check.

    :ivar answer: fires with whether the answer was good; cancelling it aborts the connection.
    """

    __slots__ = (
        "_attempt",
        "_codec",
        "_connection",
        "_connector",
        "_protocol",
        "_reader",
        "answer",
    )

    def __init__(self, connector: IConnector, protocol: IProtocol) -> None:
        self.answer: Deferred[bool] = Deferred(self._cancelled)
        self._connector = connector
        self._protocol = protocol
        self._codec: Any = None
        self._reader = _Reader(self)
        self._connection: IConnection | None = None
        self._attempt: Deferred[Any] | None = None

    @abstractmethod
    def request(self, codec: Any) -> bytes:
        """Give the request to a codec; return what the codec has returned.

        :raises ValueError: when the request cannot be said; so does `EncodeError`.
        """

    @abstractmethod
    def heard(self, kind: int, part: Any, end: bool) -> None:
        """A part of the answer has come; call `finish` when it was enough."""

    def connect(self, address: str) -> None:
        """Ask on a new connection; what the one before still says does not count."""
        self.leave()
        self._codec = self._protocol.clientCodec()
        receiver = self._reader = _Reader(self)
        attempt: Deferred[Any] = self._connector.connect(address, CONNECT_LIMIT, receiver)
        self._attempt = attempt
        attempt.addCallbacks(self._connected, self._refused)

    def receive(self, data: bytes) -> None:
        """Octets of the answer have come."""
        codec = self._codec
        for kind, _number, part, end in codec.receive(data):
            if kind in (FAILED, RESET):
                self.finish(False)
            else:
                self.heard(kind, part, end)
            if self._codec is not codec:  # over, or on another connection by now
                return
        self._write(codec.bytesToSend())

    def finish(self, good: bool, whole: bool = False) -> None:
        """The check is over.

        :param whole: the answer has come to its end: close the connection instead of aborting it.
        """
        if whole and self._connection is not None:
            self._connection.close()
            self._connection = None
        self.leave()
        if not self.answer.called:
            self.answer.callback(good)

    def leave(self) -> None:
        """Give up the present connection; nothing that it still says counts."""
        self._reader.asking = None
        self._codec = None
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    def _connected(self, connection: IConnection) -> None:
        self._attempt = None
        self._connection = connection
        try:
            octets = self.request(self._codec)
        except (ValueError, EncodeError):  # only after a redirect; the first was tried before
            self.finish(False)
        else:
            self._write(octets + self._codec.bytesToSend())

    def _write(self, octets: bytes) -> None:
        if octets and self._connection is not None:
            self._connection.write(octets)

    def _refused(self, failure: Failure) -> None:
        self._attempt = None
        if failure.check(ConnectFailed):
            self.finish(False)
        elif not self.answer.called:
            self.answer.errback(failure)

    def _cancelled(self, _answer: Deferred[bool]) -> None:
        self.leave()


@implementer(IBytesReceiver)
class _Reader(Deaf):
    """One connection of a check.

    :ivar asking: ``None`` once nobody wants to hear more.
    """

    __slots__ = ("asking",)

    def __init__(self, asking: Asking) -> None:
        self.asking: Asking | None = asking

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        if self.asking is not None:
            self.asking.receive(data)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`: there was no answer."""
        if self.asking is not None:
            self.asking.finish(False)
