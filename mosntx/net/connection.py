"""The connection: events and octets on a Twisted transport (MOSN connection.go).

It is the Twisted protocol of every accepted and every opened connection, before and after anyone
knows what is spoken on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocol,
    ISSLTransport,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.net import (
    DRAINING,
    IDLE,
    LOCAL_CLOSE,
    READ_ERROR_CLOSE,
    REMOTE_CLOSE,
    WRITE_BLOCKED,
    WRITE_ERROR_CLOSE,
    WRITE_RESUMED,
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
    INetworkFilterFactory,
)
from mosntx.net.addresses import addressText
from mosntx.net.filters import FilterChain
from mosntx.net.octets import BUFFER_LIMIT, NO_EVENT, OctetPath, ignoreOctets
from mosntx.net.timers import Timer, TimerWheel
from mosntx.net.watches import IdleWatch, LingerWatch, WriteWatch

log = Logger()

#: Seconds that a lingering close waits for the peer to close too (nginx: lingering_timeout).
LINGER_TIMEOUT = 5.0

#: Seconds in which a draining connection must find its receiver.
DRAIN_WAIT = 1.0


def _forget(connection: Connection) -> None:
    """Stand where a callback was."""


@implementer(IConnection, IProtocol, IHalfCloseableProtocol)
class Connection(OctetPath):
    """See `IConnection`.

    :param number: its `IConnection.id`.
    :param made: called with the connection when it has its transport.
    :param gone: called with the connection when the transport is gone, last of all. Assignable.
    :param bufferLimit: octets, see `BUFFER_LIMIT`. The low-water mark is an empty buffer.
    :param idleTimeout: seconds, see `IdleWatch`; 0.0 = never.
    """

    __slots__ = (
        "_draining",
        "_finWaits",
        "_handlers",
        "_idleTimeout",
        "_idleWatch",
        "_made",
        "_readClosed",
        "_readClosedTold",
        "_timer",
        "_wheel",
        "_writeWatch",
        "closeEvent",
        "gone",
        "local",
        "peer",
        "tls",
    )

    def __init__(
        self,
        number: int,
        wheel: TimerWheel,
        made: Callable[[Connection], object],
        gone: Callable[[Connection], object],
        *,
        bufferLimit: int = BUFFER_LIMIT,
        idleTimeout: float = 0.0,
    ) -> None:
        OctetPath.__init__(self, number, bufferLimit)
        self.local = self.peer = ""
        self.tls = False
        self.closeEvent = NO_EVENT
        self.gone = gone
        self._made = made
        self._wheel = wheel
        self._idleTimeout = idleTimeout
        self._readClosed: Callable[[], object] | None = None
        self._readClosedTold = False
        self._handlers: tuple[IConnectionEventHandler, ...] = ()
        self._idleWatch: IdleWatch | None = None
        self._writeWatch: WriteWatch | None = None
        # of a drain without receiver, or of a lingering close
        self._timer: Timer | LingerWatch | None = None
        self._draining = False
        self._finWaits = False  # until the write buffer is empty

    # IConnection

    def close(self, linger: bool = False, quiet: float = 0.0) -> None:
        """See `IConnection.close`."""
        if self._isOver():
            return
        self._beginEnd(LOCAL_CLOSE)
        transport = self._transport
        if linger and not self._readEnded and hasattr(transport, "loseWriteConnection"):
            if self._paused:
                transport.resumeProducing()
            transport.loseWriteConnection()
            self._linger(quiet or LINGER_TIMEOUT)
        else:
            transport.loseConnection()

    def _linger(self, quiet: float) -> None:
        """Wait for the peer's end, or until it says nothing any more."""
        latest = self._wheel.seconds() + LINGER_TIMEOUT
        self._timer = watch = LingerWatch(self._transport, self._wheel, quiet, latest)
        self.dataReceived = watch.speaks

    def endWriting(self) -> bool:
        """See `IConnection.endWriting`."""
        if self._isOver():
            return True
        if self.tls or not hasattr(self._transport, "loseWriteConnection"):
            return False
        self._send = self._discard
        if self._writeWatch is not None and self._writeWatch.blocked:
            self._finWaits = True  # Twisted sends none when it has a producer to resume first
        else:
            self._transport.loseWriteConnection()
        return True

    def abort(self) -> None:
        """See `IConnection.abort`."""
        if self.closed:
            return
        if self._ending == NO_EVENT:
            self._beginEnd(LOCAL_CLOSE)
        self._transport.abortConnection()

    def drain(self) -> None:
        """See `IConnection.drain`."""
        if self._draining or self._isOver():
            return
        self._draining = True
        self.emit(DRAINING)
        if self._receiver is not None:
            self._receiver.drain()
        else:
            self._timer = self._wheel.schedule(DRAIN_WAIT, self.close)

    def handOver(self, receiver: IBytesReceiver, pending: bytes) -> None:
        """See `IConnection.handOver`.

        :raises RuntimeError: when the connection has a receiver.
        """
        if self._receiver is not None:
            raise RuntimeError(f"connection {self.id} has been handed over before")
        if self.closed:
            receiver.connectionClosed(self.closeEvent)
            return
        self._receiver = receiver
        if self._isOver():
            return
        self._receiveWith(receiver)
        self._readClosed = getattr(receiver, "readClosed", None)
        self._writeWatch = WriteWatch(self, self._wheel, self._transport)
        self._transport.registerProducer(self._writeWatch, True)
        made = getattr(receiver, "connectionMade", None)
        if made is not None:
            made(self)
        if pending and not self._isOver():
            self._receive(pending)
        if self._readEnded and not self._isOver():
            self._tellReadClosed()
        if self._draining and not self._isOver():
            self._stopTimer()
            receiver.drain()

    def addEventHandler(self, handler: IConnectionEventHandler) -> None:
        """See `IConnection.addEventHandler`."""
        self._handlers += (handler,)

    # for who made it

    def startFilters(self, factories: Sequence[INetworkFilterFactory]) -> None:
        """Make the network filters and show them the connection; without any, close it (MOSN)."""
        if not factories:
            self.close()
            return
        try:
            chain = FilterChain([factory.createFilter(self) for factory in factories])
        except Exception:
            log.failure("connection {id}: no network filter could be made", id=self.id)
            self.abort()
        else:
            self._filterWith(chain)

    def emit(self, event: int) -> None:
        """Tell the event handlers; their exceptions are logged."""
        for handler in self._handlers:
            try:
                handler.connectionEvent(self, event)
            except Exception:
                log.failure("connection {id}: an event handler failed", id=self.id)

    def descriptor(self) -> int:
        """Return the number of the socket's file descriptor, -1 when there is none."""
        fileno: Callable[[], int] | None = getattr(self._transport, "fileno", None)
        return -1 if fileno is None else fileno()

    def failed(self, event: int) -> None:
        """The connection never came to be, by ``event``."""
        self.closed = True
        self.closeEvent = event
        self.emit(event)
        self._letGo()

    # IProtocol, IHalfCloseableProtocol

    def makeConnection(self, transport: Any) -> None:
        """Take the transport: called by Twisted."""
        self._transport = transport
        self._send = transport.write
        self.local = addressText(transport.getHost())
        self.peer = addressText(transport.getPeer())
        self.tls = ISSLTransport.providedBy(transport)
        transport.bufferSize = self._bufferLimit
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)
        if self._idleTimeout > 0.0:
            self._idleWatch = IdleWatch(self, self._wheel, self._idleTimeout)
        self.connectionMade()

    def connectionMade(self) -> None:
        """The transport is ready."""
        self._made(self)

    def readConnectionLost(self) -> None:
        """The peer will send no more; Twisted reads no more."""
        if self._ending != NO_EVENT:
            self._transport.loseConnection()
        elif not self._readEnded:
            self._readEnded = True
            if self._chain is None or not self._chain.buffer:
                self._tellReadClosed()

    def writeConnectionLost(self) -> None:
        """Our FIN has gone out: a lingering close waits for the peer's."""

    def connectionLost(self, reason: Failure) -> None:
        """The transport is gone."""
        self._stopTimer()
        for watch in (self._idleWatch, self._writeWatch):
            if watch is not None:
                watch.stop()
        self._end(self._ending if self._ending != NO_EVENT else self._eventOf(reason))
        gone = self.gone
        self._letGo()
        gone(self)

    # for the watches

    def isBusy(self) -> bool:
        """Octets wait for a slow reader, or the receiver says that it is ``active``."""
        if self._writeWatch is not None and self._writeWatch.blocked:
            return True
        return bool(getattr(self._receiver, "active", 0))

    def idle(self) -> None:
        """Nothing has moved for the idle timeout."""
        self.emit(IDLE)
        self.close()

    def writeBlocked(self) -> None:
        """The write buffer has passed its high-water mark."""
        if self._receiver is not None and not self._isOver():
            self.emit(WRITE_BLOCKED)
            self._receiver.pauseProducing()

    def writeResumed(self) -> None:
        """The write buffer is empty again."""
        if self._receiver is not None and not self._isOver():
            self.emit(WRITE_RESUMED)
            if self._finWaits:
                self._finWaits = False
                self._transport.loseWriteConnection()
            else:
                self._receiver.resumeProducing()

    def writeStalled(self) -> None:
        """The peer has taken nothing for too long."""
        if self._ending == NO_EVENT:
            self._beginEnd(WRITE_ERROR_CLOSE)
        self._transport.abortConnection()

    # the end

    def _tellReadClosed(self) -> None:
        """See `OctetPath._tellReadClosed`."""
        if self._readClosedTold:
            return
        self._readClosedTold = True
        if self._readClosed is not None:
            self._readClosed()
        elif not self._isOver():
            self._beginEnd(REMOTE_CLOSE)
            self._end(REMOTE_CLOSE)
            self._transport.loseConnection()

    def _eventOf(self, reason: Failure) -> int:
        """Say what ended the connection when it was not our side.

        Twisted has one failure for reading and writing: where nobody read, writing has failed.
        """
        if reason.check(ConnectionDone):
            return REMOTE_CLOSE
        if reason.check(ConnectionAborted):
            return LOCAL_CLOSE
        return WRITE_ERROR_CLOSE if self._paused or self._readEnded else READ_ERROR_CLOSE

    def _beginEnd(self, event: int) -> None:
        """Take and give no more octets; what is buffered must be gone before long."""
        self._ending = event
        self.dataReceived = ignoreOctets
        self._send = self._discard
        self._stopTimer()
        if self._chain is not None:
            self._chain.stop()
        if self._idleWatch is not None:
            self._idleWatch.stop()
        if self._writeWatch is not None:
            self._transport.unregisterProducer()
        else:
            self._writeWatch = WriteWatch(self, self._wheel, self._transport)
        self._writeWatch.watch()

    def _end(self, event: int) -> None:
        """Tell everyone concerned, once: event handlers, filters in their order, the receiver."""
        if self.closed:
            return
        self.closed = True
        self.closeEvent = event
        self.emit(event)
        concerned: list[Any] = [] if self._chain is None else list(self._chain.begun)
        if self._receiver is not None:
            concerned.append(self._receiver)
        for each in concerned:
            try:
                each.connectionClosed(event)
            except Exception:
                log.failure("connection {id}: {each!r} failed at its end", id=self.id, each=each)

    def _letGo(self) -> None:
        """No cycles: connections must not have to wait for the garbage collector."""
        self.dataReceived = self._send = self._receive = ignoreOctets
        self._chain = self._receiver = self._idleWatch = self._writeWatch = self._readClosed = None
        self._handlers = ()
        self.gone = self._made = _forget

    def _stopTimer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
