"""What both ends of a connection of framed streams have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from twisted.logger import Logger

from mosntx.contracts.message import accepts
from mosntx.contracts.net import IConnection
from mosntx.net.timers import TimerWheel
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive

log = Logger()

#: Octets of one stream that may wait for the peer's window; then whoever sends them is paused. As
#: much as one read brings, so that a stream is not paused by a single read.
HIGH_WATER = 65536

#: Octets that are left when it may go on: some, so that the peer gets them while the rest comes.
LOW_WATER = 16384

#: A request sink or a response sink.
T = TypeVar("T")


class FramedConnection(ABC, Generic[T]):
    """The table of streams, what is written, and who has to wait.

    What a sink raises is logged and the end of its stream; the others never notice.

    :ivar keepalive: sends heartbeats, if any.
    """

    __slots__ = (
        "_closed",
        "_codec",
        "_halves",
        "_heartbeats",
        "_offers",
        "_sinks",
        "_slow",
        "_turn",
        "_wheel",
        "connection",
        "keepalive",
    )

    connection: IConnection

    def __init__(
        self, codec: Any, wheel: TimerWheel, turn: WriteTurn, keepalive: Keepalive | None
    ) -> None:
        self._codec = codec
        self._wheel = wheel
        self._turn = turn
        self.keepalive = keepalive
        self._closed = False  # by the peer, or by us
        self._sinks: dict[int, T] = {}
        self._slow: set[int] = set()  # streams of which too much waits
        self._offers: dict[int, bytes] = {}  # tunnels, and streams that may become one
        self._halves: set[int] = set()  # tunnels whose response has ended, not their request
        self._heartbeats: dict[int, Callable[[int | None], object]] = {}

    @abstractmethod
    def _pauseSink(self, sink: T) -> None:
        """The peer takes too little: whoever feeds the stream is to wait."""

    @abstractmethod
    def _resumeSink(self, sink: T) -> None:
        """Undo `_pauseSink`."""

    @abstractmethod
    def _closeIfDone(self) -> None:
        """Close a connection of no further use once nothing is on it."""

    @abstractmethod
    def giveUp(self) -> None:
        """The peer is dead, though its connection does not know yet."""

    # writing

    def writeOut(self) -> None:
        """Write what is due: called by `WriteTurn`, once per read."""
        if not self._closed:
            self._drainCodec()
            if self._slow and not self._codec.corked:
                self._relieve()
            self._closeIfDone()

    def _drainCodec(self) -> None:
        codec, connection = self._codec, self.connection
        octets = codec.bytesToSend()
        while octets:
            connection.write(octets)
            octets = b"" if connection.closed else codec.bytesToSend()

    def _relieve(self) -> None:
        """Let those go on of whom little enough waits."""
        codec, slow = self._codec, self._slow
        for number in [each for each in slow if codec.queued(each) <= LOW_WATER]:
            slow.discard(number)
            sink = self._sinks.get(number)
            if sink is not None:
                self._isolated(self._resumeSink, sink)

    def _congested(self, number: int) -> None:
        """More than `HIGH_WATER` octets are queued. See what the peer takes, then who must wait.

        The sink may be told again: when it was told first it may have had nobody to pause.
        """
        codec = self._codec
        if number not in self._slow:
            self._drainCodec()
            if codec.queued(number) <= HIGH_WATER:
                return
            self._slow.add(number)
        sink = self._sinks.get(number)
        if sink is not None:
            self._isolated(self._pauseSink, sink)

    def pauseProducing(self) -> None:
        """The transport is full: data stays in the codec, and nobody may send more."""
        self._codec.corked = True
        for number, sink in list(self._sinks.items()):
            if number not in self._slow:
                self._slow.add(number)
                self._isolated(self._pauseSink, sink)

    def resumeProducing(self) -> None:
        """The peer has read all that was buffered."""
        self._codec.corked = False
        self._turn.mark(self)

    def stopProducing(self) -> None:
        """The transport is gone; ``connectionClosed`` follows."""

    # one stream

    def pauseStream(self, number: int) -> None:
        """See `IServerStreams.pauseStream`: the others go on."""
        self._codec.pauseData(number)

    def resumeStream(self, number: int) -> None:
        """See `IServerStreams.resumeStream`."""
        self._codec.resumeData(number)
        self._turn.mark(self)

    def _decided(self, number: int, status: int) -> None:
        """A response has come. Unless it accepts an offer, the stream is one like any other."""
        offer = self._offers.get(number)
        if offer is not None and not accepts(offer, status):
            del self._offers[number]

    def _forgetOffer(self, number: int) -> None:
        self._offers.pop(number, None)
        self._halves.discard(number)

    def _isolated(self, tell: Callable[..., object], *args: Any) -> None:
        """Tell one sink something; what it raises must not concern the others."""
        try:
            tell(*args)
        except Exception:
            log.failure("connection {id}: an exchange failed", id=self.connection.id)

    # heartbeats

    def heartbeat(self, answered: Callable[[int | None], object]) -> int:
        """Ask the peer whether it lives.

        :param answered: called once with 0 for an answer, or with ``None`` when the connection ends
            first.
        :returns: a number for `forgetHeartbeat`.
        """
        if self._closed:
            answered(None)
            return 0
        number: int = self._codec.ping()
        self._heartbeats[number] = answered
        self._turn.mark(self)
        return number

    def forgetHeartbeat(self, number: int) -> None:
        """Wait no longer for an answer; one that still comes is dropped."""
        self._heartbeats.pop(number, None)

    def _heartbeatAnswered(self, number: int) -> None:
        answered = self._heartbeats.pop(number, None)
        if answered is not None:
            self._isolated(answered, 0)

    def _stopHeartbeats(self) -> None:
        """The connection ends: no answer will come."""
        if self.keepalive is not None:
            self.keepalive.stop()
        heartbeats, self._heartbeats = self._heartbeats, {}
        for answered in heartbeats.values():
            self._isolated(answered, None)
