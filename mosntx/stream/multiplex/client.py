"""Connections that we opened, of a multiplexed protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.codec import (
    FAILED,
    GOAWAY,
    HEARTBEAT,
    HEARTBEAT_ACK,
    MESSAGE,
    RESET,
    IClientCodec,
)
from mosntx.contracts.message import IHeaders, IRequestHead
from mosntx.contracts.net import IDLE, IBytesReceiver, IConnection, IConnectionEventHandler
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IClientStreams,
    IFrameConnectionOwner,
    IResponseSink,
)
from mosntx.protocol.errors import EncodeError
from mosntx.stream.keepalive import Keepalive

log = Logger()


@implementer(IBytesReceiver, IClientStreams, IConnectionEventHandler)
class ClientConnection:
    """A connection that we opened, of a multiplexed protocol.

    What a sink raises is logged and the end of its stream; the others never notice.

    :ivar draining: no new streams; the owner has been told, unless it said so itself.
    :ivar late: answers that nobody waited for any more, or never had.
    """

    __slots__ = (
        "_codec",
        "_heartbeats",
        "_held",
        "_owner",
        "_sinks",
        "_unsent",
        "connection",
        "draining",
        "fresh",
        "keepalive",
        "late",
    )

    connection: IConnection

    def __init__(
        self, codec: IClientCodec, owner: IFrameConnectionOwner, keepalive: Keepalive | None = None
    ) -> None:
        """:param keepalive: sends heartbeats; started when the connection is there."""
        self._codec: Any = codec
        self._owner = owner
        self._sinks: dict[int, IResponseSink] = {}
        self._heartbeats: dict[int, Callable[[int | None], object]] = {}
        self._unsent: set[int] = set()  # streams whose request is not complete
        self._held: list[IResponseSink] | None = None  # those paused while the upstream is slow
        self.draining = False
        self.fresh = True
        self.late = 0
        self.keepalive = keepalive

    @property
    def active(self) -> int:
        """Streams open now."""
        return len(self._sinks)

    @property
    def reusable(self) -> bool:
        """Streams may be opened."""
        return not self.draining and not self.connection.closed

    def connectionMade(self, connection: IConnection) -> None:
        """The connector has succeeded."""
        self.connection = connection
        if self.keepalive is not None:
            self.keepalive.start(self)

    def connectionEvent(self, connection: IConnection, event: int) -> None:
        """See `IConnectionEventHandler`: a connection that is closed as idle is of no use."""
        if event == IDLE:
            self._leave()

    # IClientStreams

    def open(self, sink: IResponseSink, head: IRequestHead, end: bool) -> int:
        """See `IClientStreams.open`. A one-way request has no stream: nothing comes for it."""
        if self.draining:  # it has ended since it was given out
            sink.responseReset(CONNECTION_FAILED)
            return 0
        codec, sinks, held = self._codec, self._sinks, self._held
        while codec.nextId in sinks or codec.nextId in self._heartbeats:  # wrapped around
            codec.skipId()
        number: int
        try:
            number, octets = codec.requestHead(head, end)
        except EncodeError:
            sink.responseReset(LOCAL_RESET)
            return 0
        self.fresh = False
        if not head.oneway:
            sinks[number] = sink
        if octets:
            self.connection.write(octets)
        if not end:
            self._unsent.add(number)
        if held is not None:  # too slow already before this one
            held.append(sink)
            sink.pauseRequest()
        return number

    def sendData(self, number: int, data: bytes, end: bool) -> None:
        """See `IClientStreams.sendData`."""
        if number in self._unsent:
            self._send(number, self._codec.requestData, (number, data, end), end)

    def sendTrailers(self, number: int, trailers: IHeaders) -> None:
        """See `IClientStreams.sendTrailers`."""
        if number in self._unsent:
            self._send(number, self._codec.requestTrailers, (number, trailers), True)

    def _send(self, number: int, encode: Callable[..., bytes], args: Any, end: bool) -> None:
        """Send a part of a request that did not come as a whole."""
        if end:
            self._unsent.discard(number)
        try:
            octets = encode(*args)
        except EncodeError:
            self._unsent.discard(number)
            sink = self._sinks.pop(number, None)
            if sink is not None:
                sink.responseReset(LOCAL_RESET)
                self._ended()
            return
        if octets:
            self.connection.write(octets)

    def heartbeat(self, answered: Callable[[int | None], object]) -> int:
        """Ask the peer whether it lives.

        :param answered: called once with the status of the answer (0 = all is well), or with
            ``None`` when the connection ends first.
        :returns: a number for `forgetHeartbeat`.
        """
        if self.connection.closed:
            answered(None)
            return 0
        codec = self._codec
        while codec.nextId in self._sinks or codec.nextId in self._heartbeats:
            codec.skipId()
        number: int
        number, octets = codec.heartbeat()
        self._heartbeats[number] = answered
        self.connection.write(octets)
        return number

    def forgetHeartbeat(self, number: int) -> None:
        """Wait no longer for an answer; one that still comes is dropped."""
        self._heartbeats.pop(number, None)

    def reset(self, number: int, reason: int) -> None:
        """See `IClientStreams.reset`: the answer will be dropped when it comes."""
        if self._sinks.pop(number, None) is not None or number in self._unsent:
            self._unsent.discard(number)
            octets = self._codec.reset(number, reason)
            if octets:
                self.connection.write(octets)
            self._ended()

    def pauseStream(self, number: int) -> None:
        """See `IClientStreams.pauseStream`: a message comes as a whole, and others must go on."""

    def resumeStream(self, number: int) -> None:
        """See `IClientStreams.resumeStream`."""

    # IBytesReceiver

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        codec = self._codec
        for kind, number, part, _end in codec.receive(data):
            if kind == MESSAGE:
                sink = None if number in self._unsent else self._sinks.pop(number, None)
                if sink is None:
                    self.late += 1
                    self._owner.lateAnswer(self)
                    continue
                try:
                    sink.responseMessage(part)
                except Exception:
                    self._broken(sink)
            else:
                self._part(kind, number, part)
        octets = codec.bytesToSend()
        if octets:
            self.connection.write(octets)
        if self.draining:
            self._ended()

    def _part(self, kind: int, number: int, part: Any) -> None:
        """See to what is not a whole response."""
        if kind == HEARTBEAT_ACK:
            answered = self._heartbeats.pop(number, None)
            if answered is not None:
                self._isolated(answered, part.heartbeatStatus)
        elif kind == HEARTBEAT:
            octets = self._codec.heartbeatAck(part, 0)
            if octets:
                self.connection.write(octets)
        elif kind == GOAWAY:
            self._leave()
        elif kind == FAILED:
            peer = self.connection.peer
            log.info(
                "connection {id} to {peer} is closed: {error}",
                peer=peer,
                error=part,
                id=self.connection.id,
            )
            self._owner.protocolError(self)
            self._dead(PROTOCOL_ERROR)
            self.connection.abort()
        elif kind == RESET:
            sink = self._sinks.pop(number, None)
            if sink is not None:
                self._unsent.discard(number)
                self._isolated(sink.responseReset, part)

    def _broken(self, sink: IResponseSink) -> None:
        """A mistake of ours while a response was handed on: it is the end of this stream only."""
        log.failure("connection {id}: a stream failed", id=self.connection.id)
        self._isolated(sink.responseReset, LOCAL_RESET)

    def _isolated(self, tell: Callable[..., object], *args: Any) -> None:
        """Tell one sink something; what it raises must not concern the others."""
        try:
            tell(*args)
        except Exception:
            log.failure("connection {id}: an exchange failed", id=self.connection.id)

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self.draining = True
        self._owner.connectionGone(self, event)
        self._dead(CONNECTION_FAILED if self.fresh else CONNECTION_TERMINATION)

    def drain(self) -> None:
        """See `IBytesReceiver.drain`."""
        self._leave()
        self._ended()

    def giveUp(self) -> None:
        """The upstream is dead, though its connection does not know yet."""
        self._leave()
        self.connection.abort()

    def pauseProducing(self) -> None:
        """The upstream reads too slowly: those who send to it are to wait."""
        held = self._held = list(self._sinks.values())
        for sink in list(held):
            self._isolated(sink.pauseRequest)

    def resumeProducing(self) -> None:
        """The upstream has read all that was buffered."""
        held, self._held = self._held or [], None
        for sink in held:
            self._isolated(sink.resumeRequest)

    def stopProducing(self) -> None:
        """The transport is gone; `connectionClosed` follows."""

    # ends

    def _leave(self) -> None:
        """Open no more streams, and tell the owner."""
        if not self.draining:
            self.draining = True
            if self.keepalive is not None:
                self.keepalive.stop()
            self._owner.goneAway(self)

    def _ended(self) -> None:
        """Close a connection of no further use once its last stream has ended."""
        if self.draining and not self._sinks and not self._unsent and not self.connection.closed:
            self.connection.close()

    def _dead(self, reason: int) -> None:
        """No answer will come any more."""
        self.draining = True
        if self.keepalive is not None:
            self.keepalive.stop()
        sinks, self._sinks = self._sinks, {}
        heartbeats, self._heartbeats = self._heartbeats, {}
        self._unsent.clear()
        for sink in sinks.values():
            self._isolated(sink.responseReset, reason)
        for answered in heartbeats.values():
            self._isolated(answered, None)
        self.resumeProducing()
