"""Connections that we opened, of a sequential protocol.

One carries one request at a time and goes back to its pool after it.
"""

from __future__ import annotations

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    HEAD,
    INFORMATIONAL,
    RESET,
    TRAILERS,
    IClientCodec,
)
from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.contracts.net import (
    IDLE,
    REMOTE_CLOSE,
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
)
from mosntx.contracts.stream import (
    LOCAL_RESET,
    PROTOCOL_ERROR,
    REUSE_RACE,
    UPSTREAM_RESET,
    IClientStreams,
    IConnectionOwner,
    IResponseSink,
)
from mosntx.protocol.errors import EncodeError

log = Logger()


@implementer(IBytesReceiver, IClientStreams, IConnectionEventHandler)
class SequentialClient:
    """A connection that we opened, of a sequential protocol: one stream, then another.

    :ivar cut: the connection has ended, or must end, because of a stream that was open.
    """

    __slots__ = (
        "_codec",
        "_ended",
        "_number",
        "_offered",
        "_owner",
        "_paused",
        "_requestOpen",
        "_sink",
        "_touched",
        "_tunnel",
        "active",
        "connection",
        "cut",
        "draining",
        "fresh",
        "streamsLeft",
    )

    connection: IConnection

    def __init__(self, codec: IClientCodec, owner: IConnectionOwner, maxStreams: int = 0) -> None:
        """:param maxStreams.

        Streams after which the connection is not used again; 0 = no such limit.
        """
        self._codec = codec
        self._owner = owner
        self._sink: IResponseSink | None = None
        self._number = 0
        self._requestOpen = False
        self._offered = False  # the response decides whether the stream becomes a tunnel
        self._tunnel = False
        self._touched = False
        self._paused = False
        self._ended = False  # by the upstream's FIN, before we closed it
        self.active = 0
        self.cut = False
        self.fresh = True
        self.draining = False
        self.streamsLeft = maxStreams or -1

    @property
    def reusable(self) -> bool:
        """Another stream may follow on this connection."""
        return (
            self._codec.reusable
            and not self.draining
            and self.streamsLeft != 0
            and not self.connection.closed
        )

    def connectionMade(self, connection: IConnection) -> None:
        """The connector has succeeded."""
        self.connection = connection

    def connectionEvent(self, connection: IConnection, event: int) -> None:
        """See `IConnectionEventHandler`: a connection that is closed as idle is of no use."""
        if event == IDLE:
            self.draining = True

    # IClientStreams

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`."""
        try:
            number, octets = self._codec.requestHead(head, end)
        except EncodeError:
            self._owner.checkin(self)
            sink.responseReset(LOCAL_RESET)
            return 0
        self._sink = sink
        self._number = number
        self._requestOpen = not end
        self._offered = not end and bool(getattr(head, "upgrade", b""))
        self._tunnel = self._offered and getattr(self._codec, "tunnel", False)
        self._touched = False
        self.active = 1
        self.streamsLeft -= 1
        self.connection.write(octets)
        return number

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        if self._requestOpen and number == self._number:
            octets = self._codec.requestData(number, data, end)
            if end:
                self._requestOpen = False
            if octets:
                self.connection.write(octets)
            if end and self._tunnel:
                self._endRequest()

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IClientStreams.sendTrailers`."""
        if self._requestOpen and number == self._number:
            self._requestOpen = False
            try:
                octets = self._codec.requestTrailers(number, trailers)
            except EncodeError:
                octets = self._codec.requestData(number, b"", True)
            if octets:
                self.connection.write(octets)

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams.reset`: nothing but closing can take a sequential request back."""
        if self.active and number == self._number:
            self._sink = None
            self.cut = True
            self._over(False)

    def pauseStream(self, number: int) -> None:
        """See `IClientStreams.pauseStream`."""
        if self.active and number == self._number and not self._paused:
            self._paused = True
            self.connection.pauseReading()

    def resumeStream(self, number: int) -> None:
        """See `IClientStreams.resumeStream`."""
        if self._paused and number == self._number:
            self._paused = False
            self.connection.resumeReading()

    # IBytesReceiver

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        self._touched = True
        headed = None
        for kind, _number, part, end in self._codec.receive(data):
            sink = self._sink
            if kind == FAILED:
                self._failed(sink)
                return
            if sink is None:
                continue
            if self._offered and kind == HEAD:
                self._offered = False
                self._tunnel = self._requestOpen = getattr(self._codec, "tunnel", False)
            if end:
                self._sink = None
                self._over(not self._requestOpen)
            if kind == HEAD:
                sink.responseHead(part, end)
                headed = None if end else sink
                continue
            headed = None
            if kind == DATA:
                sink.responseData(part, end)
            elif kind == TRAILERS:
                sink.responseTrailers(part)
            elif kind == INFORMATIONAL:
                sink.responseInformational(part)
            elif kind == RESET:
                self._broken(sink, part)
        if headed is not None:
            headed.responseFlush()

    def readClosed(self) -> None:
        """The upstream sends no more.

        Its response may end by that; the connection is of no further use.
        """
        self.draining = self._ended = True
        for kind, _number, part, end in self._codec.receiveEof():
            sink, self._sink = self._sink, None
            if sink is None:
                continue
            if kind in (RESET, FAILED):
                self._broken(sink, part if kind == RESET else PROTOCOL_ERROR)
            elif self._tunnel and self._requestOpen:
                self._sink = sink  # the other direction goes on
                sink.responseData(part, True)
            elif end:
                self._over(False)
                if kind == TRAILERS:
                    sink.responseTrailers(part)
                else:
                    sink.responseData(part, True)
        if not self.active:
            self.connection.close()

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        if self._sink is not None and event == REMOTE_CLOSE:
            self.readClosed()
        sink, self._sink = self._sink, None
        self.cut = self.cut or sink is not None
        self._owner.connectionGone(self, REMOTE_CLOSE if self._ended else event)
        if sink is not None:
            self.active = 0
            sink.responseReset(self._deathReason())

    def drain(self) -> None:
        """See `IBytesReceiver.drain`."""
        self.draining = True
        if not self.active:
            self.connection.close()

    def pauseProducing(self) -> None:
        """The upstream reads too slowly."""
        if self._sink is not None:
            self._sink.pauseRequest()

    def resumeProducing(self) -> None:
        """The upstream has read all that was buffered."""
        if self._sink is not None:
            self._sink.resumeRequest()

    def stopProducing(self) -> None:
        """The transport is gone; `connectionClosed` follows."""

    # ends

    def _endRequest(self) -> None:
        """A tunnel has nothing more for the upstream."""
        if self._ended:
            self._sink = None
            self._over(False)
        elif not self.connection.endWriting():  # there is no half of it
            sink, self._sink = self._sink, None
            self._over(False)
            if sink is not None:
                sink.responseData(b"", True)

    def _over(self, clean: bool) -> None:
        """The stream has ended; give the connection back, or close it."""
        self.active = 0
        self.fresh = False
        if self._paused:
            self._paused = False
            self.connection.resumeReading()
        if not clean:
            self.draining = True
        self._owner.checkin(self)

    def _deathReason(self) -> int:
        """Why a stream dies with its connection.

        Reused connections that never answered may have been closed while idle.
        """
        if self.fresh or self._touched:
            return UPSTREAM_RESET
        self._owner.stale(self)
        return REUSE_RACE

    def _broken(self, sink: IResponseSink, reason: int) -> None:
        """The response breaks off."""
        self._sink = None
        self.cut = True
        final = self._deathReason() if reason == UPSTREAM_RESET else reason
        self._over(False)
        sink.responseReset(final)

    def _failed(self, sink: IResponseSink | None) -> None:
        """The upstream broke the protocol: the connection is of no further use."""
        self.draining = True
        self._sink = None
        self._owner.protocolError(self)
        if self.active:
            self._over(False)
        else:
            self.connection.abort()
        if sink is not None:
            sink.responseReset(PROTOCOL_ERROR)
