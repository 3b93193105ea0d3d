"""Connections that we opened, of framed streams."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionLost
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    GOAWAY,
    HEAD,
    HEARTBEAT_ACK,
    INFORMATIONAL,
    PUSH,
    RESET,
    TRAILERS,
    IFramedClientCodec,
)
from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.contracts.net import IDLE, IBytesReceiver, IConnection, IConnectionEventHandler
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    REFUSED,
    REUSE_RACE,
    IClientStreams,
    IFrameConnectionOwner,
    IResponseSink,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.errors import EncodeError
from mosntx.stream.framed.base import HIGH_WATER, FramedConnection
from mosntx.stream.framed.settling import SETTINGS_TIMEOUT, Settling
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive

log = Logger()

#: Events that are not parts of a response, though the number of one may also be that of a stream.
_OF_CONNECTION = frozenset([PUSH, GOAWAY, HEARTBEAT_ACK])


@implementer(IBytesReceiver, IClientStreams, IConnectionEventHandler)
class FramedClient(FramedConnection[IResponseSink]):
    """A connection that we opened, of framed streams.

    A stream is in the table until its response has ended; what is left of its request then is not
    sent. A tunnel is in the table until both directions have ended.

    :ivar draining: no new streams; the owner has been told, unless it said so itself.
    """

    __slots__ = (
        "_new",
        "_owner",
        "_served",
        "_settling",
        "_streamsLeft",
        "_unsent",
        "draining",
        "fresh",
    )

    def __init__(
        self,
        codec: IFramedClientCodec,
        owner: IFrameConnectionOwner,
        wheel: TimerWheel,
        turn: WriteTurn,
        keepalive: Keepalive | None = None,
        maxStreams: int = 0,
        settingsTimeout: float = SETTINGS_TIMEOUT,
    ) -> None:
        """:param keepalive: sends heartbeats; started when the connection is there.

        :param maxStreams: streams after which no more are opened; 0 = no such limit.
        :param settingsTimeout: seconds that `settled` takes at most.
        """
        super().__init__(codec, wheel, turn, keepalive)
        self._owner = owner
        self._unsent: set[int] = set()  # streams whose request is not complete
        self._new: set[int] = set()  # streams opened since the last octet came
        self._settling = Settling(wheel, settingsTimeout)
        self._served = False  # a response has ended on it
        self._streamsLeft = maxStreams or -1
        self.draining = False
        self.fresh = True

    @property
    def active(self) -> int:
        """Streams open now."""
        return len(self._sinks)

    @property
    def reusable(self) -> bool:
        """Streams may be opened, as soon as the upstream takes them."""
        return not self.draining and not self._closed

    @property
    def capacity(self) -> int:
        """Streams that may be opened now."""
        return 0 if self.draining or self._closed else self._codec.capacity

    @property
    def takesOffers(self) -> bool | None:
        """See `IClientStreams`."""
        takes: bool | None = self._codec.takesOffers
        return takes

    def settled(self) -> Deferred[FramedClient]:
        """See `IClientStreams`."""
        return fail(ConnectionLost()) if self._closed else self._settling.wait()

    def connectionMade(self, connection: IConnection) -> None:
        """The connector has succeeded: the client speaks first."""
        self.connection = connection
        if self.keepalive is not None:
            self.keepalive.start(self)
        self._turn.mark(self)

    def connectionEvent(self, connection: IConnection, event: int) -> None:
        """See `IConnectionEventHandler`: a connection that is closed as idle is of no use."""
        if event == IDLE:
            self._leave()

    # IClientStreams

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`. A one-way request has no stream: nothing comes for it."""
        if self.capacity <= 0:  # it has left since it was given out
            sink.responseReset(REFUSED)
            return 0
        codec = self._codec
        number: int
        try:
            number, _ = codec.requestHead(head, end)
        except EncodeError:
            sink.responseReset(LOCAL_RESET)
            return 0
        self.fresh = False
        if not head.oneway:
            self._sinks[number] = sink
            self._new.add(number)
        if not end:
            self._unsent.add(number)
            offer = getattr(head, "upgrade", b"")
            if offer:
                self._offers[number] = offer
            if codec.corked:  # too slow already before this one
                self._slow.add(number)
                sink.pauseRequest()
        self._turn.mark(self)
        self._streamsLeft -= 1
        if self._streamsLeft == 0:
            self._leave()
        return number

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        if number in self._unsent:
            codec = self._codec
            codec.requestData(number, data, end)
            self._turn.mark(self)
            if end:
                self._unsent.discard(number)
                if number in self._halves:
                    self._tunnelOver(number)
            elif codec.queuedTotal > HIGH_WATER and codec.queued(number) > HIGH_WATER:
                self._congested(number)

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IClientStreams.sendTrailers`. Those that cannot be said leave only the end."""
        if number in self._unsent:
            self._unsent.discard(number)
            try:
                self._codec.requestTrailers(number, trailers)
            except EncodeError:
                self._codec.requestData(number, b"", True)
            self._turn.mark(self)

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams.reset`."""
        if number in self._sinks or number in self._unsent:
            self._codec.reset(number, reason)
            self._forget(number)
            self._turn.mark(self)
            if not self.draining:
                self._owner.checkin(self)

    def prioritise(self, number: int, value: bytes) -> None:
        """See `IClientStreams`."""
        if number in self._sinks:
            self._codec.prioritise(number, value)
            self._turn.mark(self)

    # IBytesReceiver

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        turn, codec, sinks = self._turn, self._codec, self._sinks
        codec.now = self._wheel.seconds()
        self._new.clear()
        headed: dict[int, IResponseSink] = {}  # whose head may be held back, waiting for data
        turn.enter()
        try:
            for kind, number, part, end in codec.receive(data):
                sink = sinks.get(number)
                if kind == HEAD and not end and sink is not None:
                    headed[number] = sink
                elif headed and kind != HEARTBEAT_ACK:
                    headed.pop(number, None)
                try:
                    self._part(kind, number, sink, part, end)
                except Exception:
                    self._broken(number, sink)
            for number, sink in headed.items():
                if number in self._sinks:
                    self._isolated(sink.responseFlush)
            if self._settling and codec.takesOffers is not None:
                self._settling.settled(self)
            turn.mark(self)
            if not self.draining:  # one may have ended, or the upstream takes more
                self._owner.checkin(self)
        finally:
            turn.leave()

    def _part(
        self, kind: int, number: int, sink: IResponseSink | None, part: Any, end: bool
    ) -> None:
        """Hand one part to its sink."""
        if sink is None or kind in _OF_CONNECTION:
            self._ofConnection(kind, number, sink, part)
            return
        if kind == HEAD and self._offers:
            self._decided(number, part.status)
        if end:
            self._completed(number)
        if kind == HEAD:
            sink.responseHead(part, end)
        elif kind == DATA:
            sink.responseData(part, end)
        elif kind == TRAILERS:
            sink.responseTrailers(part)
        elif kind == INFORMATIONAL:
            sink.responseInformational(part)
        elif kind == RESET:
            self._forget(number)
            sink.responseReset(part)

    def _ofConnection(self, kind: int, number: int, sink: IResponseSink | None, part: Any) -> None:
        """See to what is not a part of a response."""
        if kind == HEARTBEAT_ACK:
            self._heartbeatAnswered(number)
        elif kind == RESET:
            self._forget(number)
        elif kind == PUSH:
            self._pushed(sink, *part)
        elif kind == GOAWAY:
            self._leave()  # the codec resets what the upstream has not looked at
        elif kind == FAILED:
            log.info(
                "connection {id} to {peer} is closed: {error}",
                peer=self.connection.peer,
                error=part,
                id=self.connection.id,
            )
            self._owner.protocolError(self)
            self._drainCodec()
            self.connection.close()
            self._dead(PROTOCOL_ERROR)

    def _pushed(self, sink: IResponseSink | None, promised: int, head: IRequestHead) -> None:
        """The upstream will push: somebody takes it, or it need not."""
        take = getattr(sink, "responsePush", None)
        taker = None
        try:
            taker = None if take is None else take(promised, head)
        finally:
            self._codec.acceptPush(promised, taker is not None)
        if taker is not None:
            self._sinks[promised] = taker

    def _broken(self, number: int, sink: IResponseSink | None) -> None:
        """A mistake of ours while a response was handed on: it is the end of this stream only."""
        log.failure("connection {id}: stream {number} failed", id=self.connection.id, number=number)
        if number in self._sinks:
            self._codec.reset(number, LOCAL_RESET)
            self._forget(number)
        if sink is not None:
            self._isolated(sink.responseReset, LOCAL_RESET)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self.draining = self._closed = True
        self._owner.connectionGone(self, event)
        self._dead(CONNECTION_FAILED if self.fresh else CONNECTION_TERMINATION)

    def drain(self) -> None:
        """See `IBytesReceiver.drain`."""
        self._leave()
        self._turn.mark(self)

    def giveUp(self) -> None:
        """See `FramedConnection.giveUp`."""
        self._leave()
        self.connection.abort()

    # ends

    def _pauseSink(self, sink: IResponseSink) -> None:
        sink.pauseRequest()

    def _resumeSink(self, sink: IResponseSink) -> None:
        sink.resumeRequest()

    def _tunnelOver(self, number: int) -> None:
        """Both directions have ended, ours last."""
        self._forget(number)
        self._turn.mark(self)  # nothing may be left on a connection that drains
        if not self.draining:
            self._owner.checkin(self)

    def _completed(self, number: int) -> None:
        """The response has ended. Nobody wants what is left of the request (RFC 9113 8.1).

        Only a tunnel goes on in the other direction.
        """
        self._served = True
        if number in self._offers:
            if number in self._unsent:
                self._halves.add(number)
            else:  # its last octets may still wait
                self._forget(number)
            return
        if number in self._unsent or (self._codec.queuedTotal and self._codec.queued(number)):
            self._codec.reset(number, LOCAL_RESET)
        self._forget(number)

    def _forget(self, number: int) -> None:
        self._sinks.pop(number, None)
        self._unsent.discard(number)
        self._slow.discard(number)
        self._new.discard(number)
        if self._offers:
            self._forgetOffer(number)

    def _leave(self) -> None:
        """Open no more streams, and tell the owner."""
        if not self.draining:
            self.draining = True
            if self.keepalive is not None:
                self.keepalive.stop()
            self._owner.goneAway(self)

    def _closeIfDone(self) -> None:
        """Close a connection of no further use once its last stream has ended."""
        busy = self._sinks or self._unsent or self._codec.queuedTotal
        if self.draining and not busy:
            self._codec.goAway()
            self._drainCodec()
            self._closed = True
            self.connection.close()

    def _dead(self, reason: int) -> None:
        """No answer will come any more.

        A connection that had served, and of which nothing was heard since a stream was opened, may
        have been closed by the upstream before it got the request.
        """
        self.draining = self._closed = True
        self._stopHeartbeats()
        sinks, self._sinks = self._sinks, {}
        raced = self._new if self._served and reason == CONNECTION_TERMINATION else set()
        self._new = set()
        self._unsent.clear()
        self._offers.clear()
        self._halves.clear()
        self._slow.clear()
        if raced:
            self._owner.stale(self)
        self._settling.failAll(ConnectionLost())
        self._turn.enter()
        try:
            for number, sink in sinks.items():
                self._isolated(sink.responseReset, REUSE_RACE if number in raced else reason)
        finally:
            self._turn.leave()
