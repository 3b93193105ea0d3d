"""Accepted connections of a sequential protocol.

Requests may be pipelined; the codec hands out the next one only after `IServerCodec.next`, so
answers are in order by construction.
"""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    HEAD,
    RESET,
    TRAILERS,
    Event,
    IProtocol,
)
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead
from mosntx.contracts.net import (
    IBytesReceiver,
    IConnection,
)
from mosntx.contracts.stream import (
    PROTOCOL_ERROR,
    IExchangeFactory,
    IServerStreams,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.errors import EncodeError, ProtocolError
from mosntx.stream.sequential.endings import ServerEndings

log = Logger()

#: Octets of further pipelined requests that may wait in the codec before the client is read no
#: more: one full read. A codec may say another limit, ``backlogLimit``.
MAX_BACKLOG = 65536

#: Seconds that an idle connection stays open once draining has begun. A client in use sends its
#: next request within this time and is told ``Connection: close`` in the answer; closing at once
#: would lose a request that is already on its way.
DRAIN_GRACE = 1.0


@implementer(IBytesReceiver, IServerStreams)
class SequentialServer(ServerEndings):
    """An accepted connection of a sequential protocol."""

    __slots__ = (
        "_backlogLimit",
        "_blocked",
        "_delivering",
        "_draining",
        "_factory",
        "_heldBack",
        "_heldHead",
        "_offered",
        "_streamPaused",
        "protocol",
    )

    def __init__(
        self,
        connection: IConnection,
        protocol: IProtocol,
        factory: IExchangeFactory,
        wheel: TimerWheel,
    ) -> None:
        ServerEndings.__init__(self, connection, protocol.serverCodec(), wheel)
        self.protocol = protocol
        self._backlogLimit: int = getattr(self._codec, "backlogLimit", MAX_BACKLOG)
        self._factory = factory
        self._blocked = False
        self._delivering = False
        self._heldBack = False
        self._heldHead = b""
        self._offered = False  # the response decides whether this becomes a tunnel
        self._streamPaused = False
        self._draining = False

    @property
    def active(self) -> int:
        """Exchanges under way: such a connection is not idle."""
        return int(self._busy)

    # IBytesReceiver

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        if self._closed:
            return
        codec = self._codec
        events = codec.receive(data)
        if events:
            self._deliver(events)
        elif not self._closed:
            self._watchWait()
        if codec.backlog > self._backlogLimit and not self._heldBack:
            self._heldBack = True
            self.connection.pauseReading()

    def drain(self) -> None:
        """See `IBytesReceiver.drain`: the response under way, or the next, is the last."""
        self._draining = True
        self._codec.drain()
        if not self._busy and self._graceTimer is None:
            self._graceTimer = self._wheel.schedule(DRAIN_GRACE, self._graceOver)

    def pauseProducing(self) -> None:
        """The client reads too slowly."""
        self._blocked = True
        if self._sink is not None:
            self._sink.pauseResponse()

    def resumeProducing(self) -> None:
        """The client has read all that was buffered."""
        self._blocked = False
        if self._sink is not None:
            self._sink.resumeResponse()
        elif self._busy and not self._delivering:
            self._deliver([])

    def stopProducing(self) -> None:
        """See `IBytesReceiver`: never called."""

    # IServerStreams

    def sendInformational(self, number: int, head: IResponseHead) -> None:
        """See `IServerStreams.sendInformational`."""
        if self._responseOpen and number == self._number:
            octets = self._codec.responseInformational(number, head)
            if octets:
                self.connection.write(octets)

    def sendHead(self, number: int, head: IResponseHead, end: bool) -> None:
        """See `IServerStreams.sendHead`. A head that the protocol cannot say becomes a 502."""
        if not self._responseOpen or number != self._number:
            return
        try:
            octets = self._codec.responseHead(number, head, end)
        except EncodeError as error:
            log.error("connection {id}: response not sent: {why}", id=self.connection.id, why=error)
            local = self.protocol.localReply(None, 502, b"the response cannot be sent on\n")
            octets = self._codec.responseHead(number, local.head, False)
            octets += self._codec.responseData(number, local.body, True)
            end = True
        if self._offered:
            self._decided(octets, end)
        elif end:
            self.connection.write(octets)
            self._responseEnded()
        else:
            self._heldHead = octets  # goes out with the first data: one write less

    def flush(self, number: int) -> None:
        """See `IServerStreams.flush`."""
        if self._heldHead:
            octets, self._heldHead = self._heldHead, b""
            self.connection.write(octets)

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IServerStreams.sendData`."""
        if self._responseOpen and number == self._number:
            octets = self._codec.responseData(number, data, end)
            if self._heldHead:
                octets = self._heldHead + octets
                self._heldHead = b""
            if octets:
                self.connection.write(octets)
            if end:
                self._responseEnded()

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IServerStreams.sendTrailers`."""
        if self._responseOpen and number == self._number:
            self.flush(number)
            try:
                octets = self._codec.responseTrailers(number, trailers)
            except EncodeError:
                octets = self._codec.responseData(number, b"", True)
            if octets:
                self.connection.write(octets)
            self._responseEnded()

    def reset(self, number: int, reason: int) -> None:
        """See `IServerStreams.reset`."""
        if number != self._number or not self._responseOpen:
            if number == self._number and self._tunnel and self._requestOpen:
                self._giveUpRequest()
            return
        self._sink = None
        self.flush(number)
        octets = self._codec.responseReset(number, reason)
        if octets:
            self.connection.write(octets)
            self._responseEnded()
        else:
            self._responseOpen = False
            self.connection.abort()

    def pauseStream(self, number: int) -> None:
        """See `IServerStreams.pauseStream`."""
        if self._requestOpen and number == self._number and not self._streamPaused:
            self._streamPaused = True
            self.connection.pauseReading()

    def resumeStream(self, number: int) -> None:
        """See `IServerStreams.resumeStream`."""
        if self._streamPaused and number == self._number:
            self._streamPaused = False
            if not self._heldBack:
                self.connection.resumeReading()

    # how a request walks through

    def _deliver(self, events: list[Event]) -> None:
        """Hand parts to the exchange.

        Go on with pipelined requests as long as exchanges end at once.
        """
        self._delivering = True
        try:
            for event in events:
                self._part(*event)
            while not self._responseOpen and self._settled():
                events = self._codec.next()
                if self._heldBack or self._streamPaused:
                    self._resumeBacklog()
                if not events:
                    return
                for event in events:
                    self._part(*event)
        finally:
            self._delivering = False
            # Asked here, for nearly always there is nothing to do: no wait, and no timer of one.
            if (self._codec.waitLimit or self._waitTimer is not None) and not self._closed:
                self._watchWait()

    def _settled(self) -> bool:
        """Say whether an exchange has just ended on both halves, so that the next may begin.

        Close when none may.
        """
        if not self._busy or self._responseOpen or self._closed:
            return False
        if self._requestOpen:
            if not self._tunnel:
                self._close(True)
            return False
        if self._codec.closing or (self._draining and not self._codec.backlog):
            self._close(False)
            return False
        if self._blocked:  # the next response must not pile up behind this one
            return False
        self._busy = False
        return True

    def _part(self, kind: int, number: int, part: Any, end: bool) -> None:
        """Hand one part to the exchange."""
        if kind == HEAD:
            self._number = number
            self._busy = self._responseOpen = True
            self._requestOpen = not end
            self._offered = not end and bool(getattr(part, "upgrade", b""))
            sink = self._sink = self._factory.newExchange(self, number)
            sink.requestHead(part, end)
            if not end:
                self._expect(number, part)
            return
        if kind == FAILED:
            self._fail(part)
            return
        sink = self._sink  # type: ignore[assignment]
        if end:
            self._requestOpen = False
        if sink is not None:
            if kind == DATA:
                sink.requestData(part, end)
            elif kind == TRAILERS:
                sink.requestTrailers(part)
            elif kind == RESET:
                self._sink = None
                sink.requestReset(part)

    def _expect(self, number: int, head: IRequestHead) -> None:
        """Answer ``Expect: 100-continue``, unless it was refused already (RFC 9110 10.1.1)."""
        if getattr(head, "expectContinue", False) and self._responseOpen:
            octets = self._codec.responseInformational(number, self.protocol.interimHead(100))
            if octets:
                self.connection.write(octets)

    def _decided(self, octets: bytes, end: bool) -> None:
        """The offer of another protocol is answered: a tunnel, or a request like any other."""
        self._offered = False
        self.connection.write(octets)
        if not getattr(self._codec, "tunnel", False):
            self._requestOpen = False
            if end:
                self._responseEnded()
            return
        self._tunnel = True
        events = self._codec.next()
        if self._heldBack:
            self._heldBack = False
            if not self._streamPaused:
                self.connection.resumeReading()
        for event in events:
            self._part(*event)

    def _responseEnded(self) -> None:
        """The response has been written.

        With a complete request the connection is free for the next one.
        """
        self._responseOpen = False
        if self._tunnel and self._requestOpen and self._endResponse():
            return
        self._sink = None
        if not self._delivering:
            self._deliver([])

    def _resumeBacklog(self) -> None:
        """Read again when enough of what waited has been looked at."""
        if self._heldBack and self._codec.backlog <= self._backlogLimit:
            self._heldBack = False
            self.connection.resumeReading()
        if self._streamPaused:
            self._streamPaused = False
            if not self._heldBack:
                self.connection.resumeReading()

    def _fail(self, error: ProtocolError) -> None:
        """The client broke the protocol: tell it when nothing was sent yet, then close."""
        self._factory.protocolError(self.connection, error)
        sink, self._sink = self._sink, None
        self._responseOpen = False
        farewell = self._codec.bytesToSend()
        if sink is not None:
            sink.requestReset(PROTOCOL_ERROR)
        if farewell:
            self.connection.write(farewell)
        self._close(True)
