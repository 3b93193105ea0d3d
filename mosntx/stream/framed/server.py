"""Accepted connections of framed streams."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    GOAWAY,
    HEAD,
    HEARTBEAT_ACK,
    PRIORITY,
    RESET,
    TRAILERS,
    Event,
    IProtocol,
)
from mosntx.contracts.message import IHeaders, IRequestHead, IResponseHead
from mosntx.contracts.net import IDLE, IBytesReceiver, IConnection, IConnectionEventHandler
from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IExchangeFactory,
    IRequestSink,
    IServerStreams,
)
from mosntx.net.timers import Timer, TimerWheel
from mosntx.protocol.errors import EncodeError
from mosntx.stream.framed.base import HIGH_WATER
from mosntx.stream.framed.taken import TakenConnection
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive

log = Logger()

#: Seconds between the two steps of a go-away. Requests that were on their way when the client got
#: the first one are answered; the second one says which was the last.
DRAIN_GRACE = 1.0

#: Seconds of silence after which a client that has all its answers, and the FIN behind them, is not
#: waited for any more. Its last WINDOW_UPDATE frames come within a round trip of our last octets;
#: while it still says something, it may still be reading.
LAST_WORDS = 1.0


@implementer(IBytesReceiver, IConnectionEventHandler, IServerStreams)
class FramedServer(TakenConnection):
    """An accepted connection of framed streams.

    A stream is in the table until its response has ended. Its request may end earlier or later;
    what comes of it after the response is dropped, and the client is told that it may stop. A
    tunnel is in the table until both directions have ended.
    """

    __slots__ = (
        "_answered",
        "_draining",
        "_factory",
        "_graceTimer",
        "_leaving",
        "_requests",
        "_waitTimer",
        "protocol",
    )

    def __init__(
        self,
        connection: IConnection,
        protocol: IProtocol,
        factory: IExchangeFactory,
        wheel: TimerWheel,
        turn: WriteTurn,
        keepalive: Keepalive | None = None,
    ) -> None:
        """:param keepalive: asks the client whether it lives; its connection ends if not."""
        super().__init__(protocol.serverCodec(), wheel, turn, keepalive)
        self.connection = connection
        self.protocol = protocol
        self._factory = factory
        self._requests: set[int] = set()  # streams whose request has not ended
        self._answered = 0  # the stream whose response began last
        self._draining = False
        self._leaving = False  # no request will come: close after the last response
        self._graceTimer: Timer | None = None
        self._waitTimer: Timer | None = None

    @property
    def active(self) -> int:
        """Exchanges under way, and one more while the client has not taken all of the others."""
        return len(self._sinks) + (1 if self._codec.queuedTotal else 0)

    def writeOut(self) -> None:
        """See `FramedConnection.writeOut`: what could not leave waits for the client."""
        super().writeOut()
        if self._waitTimer is None and self._codec.queuedTotal and not self._closed:
            self._watchWait()

    # IBytesReceiver

    def connectionMade(self, connection: IConnection) -> None:
        """The octets come from now on; the codec may speak first."""
        connection.addEventHandler(self)
        if self.keepalive is not None:
            self.keepalive.start(self)
        self._watchWait()
        self._turn.mark(self)

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        if self._closed:
            return
        turn, codec = self._turn, self._codec
        codec.now = self._wheel.seconds()
        turn.enter()
        try:
            self._deliver(codec.receive(data))
            turn.mark(self)
        finally:
            turn.leave()

    def _deliver(self, events: list[Event]) -> None:
        for event in events:
            if self._closed:
                return
            try:
                self._part(*event)
            except Exception:
                self._broken(event[1])
        if not self._closed:
            self._watchWait()

    def _part(self, kind: int, number: int, part: Any, end: bool) -> None:
        """Hand one part to its exchange."""
        if kind == HEAD:
            if not end:
                self._requests.add(number)
                offer = getattr(part, "upgrade", b"")
                if offer:
                    self._offers[number] = offer
            sink = self._sinks[number] = self._factory.newExchange(self, number)
            sink.requestHead(part, end)
            if not end:
                self._expect(number, part)
        elif kind == HEARTBEAT_ACK:  # its number is not a stream's
            self._heartbeatAnswered(number)
        elif number in self._sinks:
            sink = self._sinks[number]
            if end:
                self._requests.discard(number)
            if kind == DATA:
                sink.requestData(part, end)
                if end and number in self._halves:
                    self._forget(number)
            elif kind == TRAILERS:
                sink.requestTrailers(part)
            elif kind == RESET:
                self._forget(number)
                sink.requestReset(part)
            elif kind == PRIORITY:
                tell = getattr(sink, "requestPriority", None)
                if tell is not None:
                    tell(part)
        elif kind == GOAWAY:
            self._leaving = True
        elif kind == FAILED:
            self._fail(part)

    def _expect(self, number: int, head: IRequestHead) -> None:
        """Answer ``Expect: 100-continue``, unless it was answered already (RFC 9110 10.1.1)."""
        expected = getattr(head, "expectContinue", False)
        if expected and number in self._sinks and number != self._answered:
            self.sendInformational(number, self.protocol.interimHead(100))

    def _broken(self, number: int) -> None:
        """A mistake of ours while a part was handed on: it is the end of this stream only."""
        log.failure("connection {id}: stream {number} failed", id=self.connection.id, number=number)
        sink = self._sinks.get(number)
        self._codec.responseReset(number, LOCAL_RESET)
        self._forget(number)
        if sink is not None:
            self._isolated(sink.requestReset, LOCAL_RESET)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self._closed = True
        self._stopTimers()
        self._cancelAll(DOWNSTREAM_GONE)

    def drain(self) -> None:
        """See `IBytesReceiver.drain`: tell the client, answer what has begun, then close."""
        if self._draining or self._closed:
            return
        self._draining = True
        self._codec.drain()
        self._graceTimer = self._wheel.schedule(DRAIN_GRACE, self._graceOver)
        self._turn.mark(self)

    def giveUp(self) -> None:
        """See `FramedConnection.giveUp`."""
        counters = getattr(self.protocol, "counters", None)
        if counters is not None:
            counters.ended("ping")
        self.connection.abort()

    def connectionEvent(self, connection: IConnection, event: int) -> None:
        """See `IConnectionEventHandler`: a connection is closed as idle. Say which was the last."""
        if event == IDLE and not self._closed:
            self._codec.goAway()
            self._drainCodec()

    # IServerStreams

    def sendInformational(self, number: int, head: IResponseHead) -> None:
        """See `IServerStreams.sendInformational`."""
        if number in self._sinks:
            self._codec.responseInformational(number, head)
            self._turn.mark(self)

    def sendHead(self, number: int, head: IResponseHead, end: bool) -> None:
        """See `IServerStreams.sendHead`. A head that the protocol cannot say becomes a 502."""
        if number not in self._sinks:
            return
        self._answered = number
        try:
            self._codec.responseHead(number, head, end)
        except EncodeError as error:
            self._unsaid(number, error)
        else:
            if end:
                self._ended(number)
            elif self._offers and number in self._offers:
                self._decided(number, head.status)
                self._turn.mark(self)  # no data may follow for long

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IServerStreams.sendData`."""
        if number in self._sinks:
            codec = self._codec
            codec.responseData(number, data, end)
            if end and number in self._offers and number in self._requests:
                self._halves.add(number)
            elif end:
                self._ended(number)
                return
            self._turn.mark(self)
            if codec.queuedTotal > HIGH_WATER and codec.queued(number) > HIGH_WATER:
                self._congested(number)

    def flush(self, number: int) -> None:
        """See `IServerStreams.flush`."""
        self._turn.mark(self)

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IServerStreams.sendTrailers`."""
        if number in self._sinks:
            try:
                self._codec.responseTrailers(number, trailers)
            except EncodeError:
                self._codec.responseData(number, b"", True)
            self._ended(number)

    def reset(self, number: int, reason: int) -> None:
        """See `IServerStreams.reset`."""
        if number in self._sinks:
            self._codec.responseReset(number, reason)
            self._forget(number)
            self._turn.mark(self)

    def sendPush(self, number: int, head: IRequestHead) -> int:
        """Promise a response; see `IServerStreams`. Answered once `attach` was called.

        Not to a client that leaves, or that has been asked to.
        """
        if number not in self._sinks or self._draining or self._leaving:
            return 0
        promised: int = self._codec.push(number, head)
        self._turn.mark(self)
        return promised

    def attach(self, number: int, sink: IRequestSink) -> None:
        """See `IServerStreams`."""
        self._sinks[number] = sink

    # ends

    def _pauseSink(self, sink: IRequestSink) -> None:
        sink.pauseResponse()

    def _resumeSink(self, sink: IRequestSink) -> None:
        sink.resumeResponse()

    def _ended(self, number: int) -> None:
        """The response is complete. If the request is not, nobody wants the rest."""
        if number in self._requests:
            self._codec.responseReset(number, LOCAL_RESET)
        self._forget(number)
        self._turn.mark(self)

    def _forget(self, number: int) -> None:
        self._sinks.pop(number, None)
        self._requests.discard(number)
        self._slow.discard(number)
        if self._offers:
            self._forgetOffer(number)

    def _unsaid(self, number: int, error: EncodeError) -> None:
        """The protocol cannot say this head: say so instead."""
        log.error("connection {id}: response not sent: {why}", id=self.connection.id, why=error)
        local = self.protocol.localReply(None, 502, b"the response cannot be sent on\n")
        try:
            self._codec.responseHead(number, local.head, not local.body)
        except EncodeError:
            self.reset(number, LOCAL_RESET)
            return
        if local.body:
            self._codec.responseData(number, local.body, True)
        self._ended(number)

    def _fail(self, error: Exception) -> None:
        """The client broke the protocol: nothing after this can be understood."""
        self._isolated(self._factory.protocolError, self.connection, error)
        self._drainCodec()
        self._close()
        self._cancelAll(PROTOCOL_ERROR)

    def _cancelAll(self, reason: int) -> None:
        """Nobody can be answered any more."""
        sinks, self._sinks = self._sinks, {}
        self._requests.clear()
        self._offers.clear()
        self._halves.clear()
        self._slow.clear()
        self._turn.enter()
        try:
            for sink in sinks.values():
                self._isolated(sink.requestReset, reason)
        finally:
            self._turn.leave()

    # time

    def _watchWait(self) -> None:
        """Time the wait that the codec is in, or forget the timer of one that is over."""
        limit = self._codec.waitLimit
        if limit:
            if self._waitTimer is None:
                self._waitTimer = self._wheel.schedule(limit, self._waitedTooLong)
        elif self._waitTimer is not None:
            self._waitTimer.cancel()
            self._waitTimer = None

    def _waitedTooLong(self) -> None:
        """The client did not go on in time."""
        self._waitTimer = None
        self._codec.now = self._wheel.seconds()
        self._turn.enter()
        try:
            self._deliver(self._codec.timeout())
            self._turn.mark(self)
        finally:
            self._turn.leave()

    def _graceOver(self) -> None:
        """The second step of the go-away."""
        self._graceTimer = None
        self._leaving = True
        self._codec.goAway()
        self._turn.mark(self)

    def _closeIfDone(self) -> None:
        """See `FramedConnection._closeIfDone`: the client has been told and has its answers."""
        if (self._leaving or self._codec.closing) and not self.active:
            self._close(LAST_WORDS)

    def _close(self, quiet: float = 0.0) -> None:
        """:param quiet: see `IConnection.close`."""
        self._closed = True
        self._stopTimers()
        self.connection.close(True, quiet)

    def _stopTimers(self) -> None:
        self._stopHeartbeats()
        for timer in (self._graceTimer, self._waitTimer):
            if timer is not None:
                timer.cancel()
        self._graceTimer = self._waitTimer = None
