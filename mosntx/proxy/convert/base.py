"""What stands between an exchange and an upstream of another protocol.

To the exchange it is the upstream's connection, to that connection it is the exchange. One is made
per attempt, and only when the protocols differ: whoever converts nothing pays one comparison.

What becomes of each part is in the file of the pair, and in docs/reference/conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead, IWholeResponse
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IClientStreams,
    IResponseSink,
)
from mosntx.protocol.errors import EncodeError

log = Logger()

#: Octets that are collected for a protocol of whole messages: what a frame of Bolt may hold by
#: default (`mosntx.protocol.bolt.limits`).
MAX_CONTENT = 64 * 1024 * 1024

#: Protocols whose messages are the same: a connection of one takes those of the other.
_FAMILIES = {"boltv2": "bolt", "Http2": "Http1"}


def familyOf(protocol: str) -> str:
    """Return the name that stands for all protocols with the same messages."""
    return _FAMILIES.get(protocol, protocol)


@implementer(IClientStreams, IResponseSink)
class ConvertedStreams:
    """The streams of an upstream as the exchange wants to see them; here everything passes.

    :param up: the connection of this attempt. Nothing has been opened on it.
    :param exchange: the `mosntx.contracts.filters.IExchange` that is served.
    """

    __slots__ = ("_exchange", "_number", "_sink", "_up")

    def __init__(self, up: IClientStreams, exchange: Any) -> None:
        self._up = up
        self._exchange = exchange
        # None as soon as the exchange is to hear nothing more.
        self._sink: IResponseSink | None = None
        self._number = 0  # 0 = nothing is open

    def request(self, head: Any, end: bool) -> Any:
        """Return the head that goes up.

        :raises EncodeError: when the upstream's protocol cannot say it. With a status below 500
            the client is told so, else the attempt fails. Only for upstreams of protocols of
            frames: others would wait for their connection to be given back.
        """
        return head

    def response(self, head: Any) -> Any:
        """Return the whole response that goes down for one that came whole.

        :raises EncodeError: when the client's protocol cannot say it.
        """
        return head

    # IClientStreams

    @property
    def connection(self) -> IConnection:
        """See `IClientStreams.connection`."""
        connection: IConnection = self._up.connection
        return connection

    @property
    def active(self) -> int:
        """See `IClientStreams.active`."""
        active: int = self._up.active
        return active

    @property
    def fresh(self) -> bool:
        """See `IClientStreams.fresh`."""
        fresh: bool = self._up.fresh
        return fresh

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`."""
        self._sink = sink
        try:
            converted = self.request(head, end)
        except EncodeError as error:
            self._refuse(error)
            return 0
        self._number = self._up.open(self, converted, end)
        return self._number

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        self._up.sendData(self._number, data, end)

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IClientStreams.sendTrailers`. They do not leave their protocol; the end does."""
        self.sendData(number, b"", True)

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams.reset`."""
        self._sink = None
        if self._number:
            self._up.reset(self._number, reason)

    def pauseStream(self, number: int) -> None:
        """See `IClientStreams.pauseStream`."""
        self._up.pauseStream(self._number)

    def resumeStream(self, number: int) -> None:
        """See `IClientStreams.resumeStream`."""
        self._up.resumeStream(self._number)

    # IResponseSink

    def responseInformational(self, head: IResponseHead) -> None:
        """See `IResponseSink.responseInformational`: they do not leave their protocol."""

    def responseHead(self, head: IResponseHead, end: bool) -> None:
        """See `IResponseSink.responseHead`."""
        if self._sink is not None:
            self._sink.responseHead(head, end)

    def responseData(self, data: bytes, end: bool) -> None:
        """See `IResponseSink.responseData`."""
        if self._sink is not None:
            self._sink.responseData(data, end)

    def responseTrailers(self, trailers: IHeaders) -> None:
        """See `IResponseSink.responseTrailers`. They do not leave their protocol; the end does."""
        self.responseData(b"", True)

    def responseMessage(self, head: IWholeResponse) -> None:
        """See `IResponseSink.responseMessage`."""
        try:
            converted = self.response(head)
        except EncodeError as error:
            self._notUnderstood(error)
            return
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.responseMessage(converted)

    def responseFlush(self) -> None:
        """See `IResponseSink.responseFlush`."""
        if self._sink is not None:
            self._sink.responseFlush()

    def responseReset(self, reason: int) -> None:
        """See `IResponseSink.responseReset`."""
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.responseReset(reason)

    def pauseRequest(self) -> None:
        """See `IResponseSink.pauseRequest`."""
        if self._sink is not None:
            self._sink.pauseRequest()

    def resumeRequest(self) -> None:
        """See `IResponseSink.resumeRequest`."""
        if self._sink is not None:
            self._sink.resumeRequest()

    # failures

    def _refuse(self, error: EncodeError, flag: int = 0) -> None:
        """The request cannot go up. A client at fault is told, else the attempt has failed."""
        log.warn(
            "{listener}: a request cannot be converted: {error}",
            listener=self._exchange.listener.name,
            error=error,
        )
        if error.status < 500:
            text = error.reason.encode("ascii", "replace")
            self._exchange.reply(error.status, text, flag, "no_conversion")
        else:
            self.responseReset(LOCAL_RESET)

    def _notUnderstood(self, error: Exception) -> None:
        """The response cannot go down: its upstream counts as one that broke the protocol."""
        log.warn(
            "{listener}: a response of {host} cannot be converted: {error}",
            listener=self._exchange.listener.name,
            host=self._exchange.host,
            error=error,
        )
        self.responseReset(PROTOCOL_ERROR)


#: Makes what stands between an upstream's connection and an exchange.
Conversion = Callable[[IClientStreams, Any], ConvertedStreams]
#: ``(family of the client's protocol, family of the upstream's)`` -> conversion.
Conversions = Mapping[tuple[str, str], Conversion]


def conversionFor(conversions: Conversions, client: str, upstream: str) -> Conversion | None:
    """Return what converts between two protocols, ``None`` when there is nothing to convert.

    :raises LookupError: when nothing converts between them.
    """
    pair = familyOf(client), familyOf(upstream)
    return None if pair[0] == pair[1] else conversions[pair]
