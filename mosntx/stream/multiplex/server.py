"""Accepted connections of a multiplexed protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    HEAD,
    HEARTBEAT,
    MESSAGE,
    RESET,
    TRAILERS,
    IProtocol,
)
from mosntx.contracts.message import IHeaders, IResponseHead
from mosntx.contracts.net import IBytesReceiver, IConnection
from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IExchangeFactory,
    IHeartbeatAnswer,
    IRequestSink,
    IServerStreams,
)
from mosntx.net.timers import Timer, TimerWheel
from mosntx.protocol.errors import EncodeError

log = Logger()

#: Seconds that an idle connection stays open once draining has begun, see
#: `mosntx.stream.sequential`.
DRAIN_GRACE = 1.0

#: Requests of one client that may wait for their answers; then it is read no more until half of
#: them are over. Each costs about 2 KiB besides its octets, so this is 20 MiB; MOSN has no limit.
MAX_OPEN = 10000

# Who has paused reading, in the set of stream numbers that have: those are greater than 0.
_SLOW_CLIENT = -1
_TOO_MANY = -2


@implementer(IBytesReceiver, IServerStreams)
class ServerConnection:
    """An accepted connection of a multiplexed protocol.

    A request that fails by a mistake of ours is answered as such; the others never notice.
    """

    __slots__ = (
        "_closed",
        "_codec",
        "_draining",
        "_factory",
        "_goAway",
        "_graceTimer",
        "_heartbeats",
        "_paused",
        "_sinks",
        "_wheel",
        "connection",
        "protocol",
    )

    def __init__(
        self,
        connection: IConnection,
        protocol: IProtocol,
        factory: IExchangeFactory,
        wheel: TimerWheel,
        heartbeats: IHeartbeatAnswer | None = None,
        goAway: bool = False,
    ) -> None:
        """:param heartbeats: decides on answers to heartbeats; without one all is well.

        :param goAway: tell the client when draining begins. Not every client understands it.
        """
        self.connection = connection
        self.protocol = protocol
        self._codec: Any = protocol.serverCodec()
        self._factory = factory
        self._wheel = wheel
        self._heartbeats = heartbeats
        self._goAway = goAway
        self._sinks: dict[int, IRequestSink] = {}
        self._paused: set[int] = set()
        self._closed = False
        self._draining = False
        self._graceTimer: Timer | None = None

    @property
    def active(self) -> int:
        """Exchanges under way: such a connection is not idle."""
        return len(self._sinks)

    # IBytesReceiver

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        codec, sinks, newExchange = self._codec, self._sinks, self._factory.newExchange
        for kind, number, part, end in codec.receive(data):
            if self._closed:
                return
            try:
                if kind == MESSAGE:
                    sink = newExchange(self, number)
                    if not part.oneway:
                        sinks[number] = sink
                    sink.requestMessage(part)
                else:
                    self._part(kind, number, part, end)
            except Exception:
                self._broken(number)
        octets = codec.bytesToSend()
        if octets:
            self.connection.write(octets)
        if len(sinks) > MAX_OPEN:
            self._pause(_TOO_MANY)

    def _part(self, kind: int, number: int, part: Any, end: bool) -> None:
        """Hand on what is not a whole request. Clients that go away do so by closing."""
        if kind == HEARTBEAT:
            self._heartbeat(part)
        elif kind == FAILED:
            self._fail(part)
        elif kind == HEAD:
            sink = self._sinks[number] = self._factory.newExchange(self, number)
            sink.requestHead(part, end)
        elif number in self._sinks:
            sink = self._sinks[number]
            if kind == DATA:
                sink.requestData(part, end)
            elif kind == TRAILERS:
                sink.requestTrailers(part)
            elif kind == RESET:
                self._ended(number)
                sink.requestReset(part)

    def _broken(self, number: int) -> None:
        """A mistake of ours while a part was handed on: it is the end of this stream only."""
        log.failure("connection {id}: stream {number} failed", id=self.connection.id, number=number)
        sink = self._sinks.get(number)
        if sink is not None:
            self.reset(number, LOCAL_RESET)
            self._isolated(sink.requestReset, LOCAL_RESET)

    def _isolated(self, tell: Callable[..., object], *args: Any) -> None:
        """Tell one sink something; what it raises must not concern the others."""
        try:
            tell(*args)
        except Exception:
            log.failure("connection {id}: an exchange failed", id=self.connection.id)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self._closed = True
        if self._graceTimer is not None:
            self._graceTimer.cancel()
            self._graceTimer = None
        self._cancelAll(DOWNSTREAM_GONE)

    def drain(self) -> None:
        """See `IBytesReceiver.drain`: tell the peer, answer what has begun, then close."""
        if self._draining or self._closed:
            return
        self._draining = True
        self._codec.drain()
        farewell = self._codec.goAway() if self._goAway else b""
        if farewell:
            self.connection.write(farewell)
        self._graceTimer = self._wheel.schedule(DRAIN_GRACE, self._graceOver)

    def pauseProducing(self) -> None:
        """The client reads too slowly: it may ask nothing more, and no exchange may send."""
        self._pause(_SLOW_CLIENT)
        for sink in list(self._sinks.values()):
            self._isolated(sink.pauseResponse)

    def resumeProducing(self) -> None:
        """The client has read all that was buffered."""
        self.resumeStream(_SLOW_CLIENT)
        for sink in list(self._sinks.values()):
            self._isolated(sink.resumeResponse)

    def stopProducing(self) -> None:
        """The transport is gone; `connectionClosed` follows."""

    # IServerStreams

    def sendInformational(self, number: int, head: IResponseHead) -> None:
        """See `IServerStreams.sendInformational`: frames have none."""

    def sendHead(self, number: int, head: IResponseHead, end: bool) -> None:
        """See `IServerStreams.sendHead`."""
        if number in self._sinks:
            try:
                octets = self._codec.responseHead(number, head, end)
            except EncodeError as error:
                self._unsaid(number, error)
                return
            if octets:
                self.connection.write(octets)
            if end:
                del self._sinks[number]
                if self._paused or self._draining:
                    self._afterEnd(number)

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IServerStreams.sendData`."""
        if number in self._sinks:
            try:
                octets = self._codec.responseData(number, data, end)
            except EncodeError as error:
                self._unsaid(number, error)
                return
            if octets:
                self.connection.write(octets)
            if end:
                self._ended(number)

    def flush(self, number: int) -> None:
        """See `IServerStreams.flush`: frames go out whole."""

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IServerStreams.sendTrailers`."""
        if number in self._sinks:
            try:
                octets = self._codec.responseTrailers(number, trailers)
            except EncodeError as error:
                self._unsaid(number, error)
                return
            if octets:
                self.connection.write(octets)
            self._ended(number)

    def reset(self, number: int, reason: int) -> None:
        """See `IServerStreams.reset`."""
        if number in self._sinks:
            octets = self._codec.responseReset(number, reason)
            if octets:
                self.connection.write(octets)
            self._ended(number)

    def pauseStream(self, number: int) -> None:
        """See `IServerStreams.pauseStream`.

        A message is here as a whole, so it is the connection that waits. One-way requests may do
        this too, after their end: whoever paused them resumes them.
        """
        self._pause(number)

    def resumeStream(self, number: int) -> None:
        """See `IServerStreams.resumeStream`."""
        paused = self._paused
        if number in paused:
            paused.discard(number)
            if not paused:
                self.connection.resumeReading()

    # pauses and ends

    def _pause(self, who: int) -> None:
        if not self._paused:
            self.connection.pauseReading()
        self._paused.add(who)

    def _ended(self, number: int) -> None:
        del self._sinks[number]
        if self._paused or self._draining:
            self._afterEnd(number)

    def _afterEnd(self, number: int) -> None:
        """A stream is over: let the client ask on, or close."""
        sinks = self._sinks
        if self._paused:
            self.resumeStream(number)
            if len(sinks) <= MAX_OPEN // 2:
                self.resumeStream(_TOO_MANY)
        if self._draining and not sinks and self._graceTimer is None:
            self._close()

    def _graceOver(self) -> None:
        self._graceTimer = None
        if not self._sinks:
            self._close()

    def _unsaid(self, number: int, error: EncodeError) -> None:
        """The protocol cannot say this response: say that there is none."""
        log.error("connection {id}: response not sent: {why}", id=self.connection.id, why=error)
        self.reset(number, LOCAL_RESET)

    def _heartbeat(self, frame: Any) -> None:
        """Answer by the health of what stands behind, or at once when nobody wants to say."""
        if self._heartbeats is None:
            self.answerHeartbeat(frame, 0)
        else:
            self._heartbeats.heartbeat(self, frame)

    def answerHeartbeat(self, frame: Any, status: int) -> None:
        """Acknowledge a heartbeat; ``status`` 0 says that all is well."""
        if not self._closed:
            octets = self._codec.heartbeatAck(frame, status)
            if octets:
                self.connection.write(octets)

    def _fail(self, error: Exception) -> None:
        """The client broke the protocol: nothing after this can be understood."""
        self._factory.protocolError(self.connection, error)
        farewell = self._codec.bytesToSend()
        if farewell:
            self.connection.write(farewell)
        self._cancelAll(PROTOCOL_ERROR)
        self._close()

    def _cancelAll(self, reason: int) -> None:
        """Nobody can be answered any more."""
        sinks, self._sinks = self._sinks, {}
        for sink in sinks.values():
            self._isolated(sink.requestReset, reason)

    def _close(self) -> None:
        self._closed = True
        if self._graceTimer is not None:
            self._graceTimer.cancel()
            self._graceTimer = None
        self.connection.close(True)
