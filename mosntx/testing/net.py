"""Verified fakes of the NET/IO layer: connections, receivers, transports, connectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.contracts.net import (
    CONNECTED,
    DRAINING,
    EVENT_NAMES,
    LOCAL_CLOSE,
    REMOTE_CLOSE,
    WRITE_BLOCKED,
    WRITE_RESUMED,
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
    IConnector,
    IListenerEventHandler,
)


@implementer(IConnectionEventHandler, IListenerEventHandler)
class EventRecorder:
    """Remembers the events of connections and listeners.

    :ivar events: in order: names of connection events, and ``(event of a listener, detail)``.
    """

    def __init__(self) -> None:
        self.events: list[Any] = []

    def connectionEvent(self, connection: IConnection, event: int) -> None:
        """See `IConnectionEventHandler`."""
        self.events.append(EVENT_NAMES[event])

    def listenerOpened(self, listener: Any) -> None:
        """See `IListenerEventHandler`."""
        self.events.append(("opened", listener.name))

    def connectionAccepted(self, listener: Any, connection: IConnection) -> None:
        """See `IListenerEventHandler`."""
        self.events.append(("accepted", connection.id))

    def connectionRefused(self, listener: Any, reason: str) -> None:
        """See `IListenerEventHandler`."""
        self.events.append(("refused", reason))

    def listenerDraining(self, listener: Any) -> None:
        """See `IListenerEventHandler`."""
        self.events.append(("draining", listener.name))

    def listenerClosed(self, listener: Any) -> None:
        """See `IListenerEventHandler`."""
        self.events.append(("closed", listener.name))


@implementer(IBytesReceiver)
class FakeReceiver:
    """Remembers what happens to it.

    :ivar received: all octets.
    :ivar log: names of the calls in order.
    :ivar connection: an `IConnection`, which told it so or which a test has set.
    :ivar paused: may not write now.
    :ivar closedBy: the event that ended the connection, ``None`` before.
    """

    def __init__(self) -> None:
        self.received = b""
        self.log: list[str] = []
        self.connection: Any = None
        self.paused = False
        self.closedBy: int | None = None

    def connectionMade(self, connection: IConnection) -> None:
        """See `IBytesReceiver`."""
        self.log.append("connectionMade")
        self.connection = connection

    def bytesReceived(self, data: bytes) -> None:
        """See `IBytesReceiver.bytesReceived`."""
        self.log.append("bytesReceived")
        self.received += data

    def drain(self) -> None:
        """See `IBytesReceiver.drain`."""
        self.log.append("drain")

    def connectionClosed(self, event: int) -> None:
        """See `IBytesReceiver.connectionClosed`."""
        self.log.append("connectionClosed")
        self.closedBy = event

    def pauseProducing(self) -> None:
        """Write no more."""
        self.log.append("pauseProducing")
        self.paused = True

    def resumeProducing(self) -> None:
        """Write again."""
        self.log.append("resumeProducing")
        self.paused = False

    def stopProducing(self) -> None:
        """Not called by connections."""
        self.log.append("stopProducing")


class HalfClosingReceiver(FakeReceiver):
    """A receiver that can answer after the peer's FIN."""

    def readClosed(self) -> None:
        """See `IBytesReceiver`."""
        self.log.append("readClosed")


@implementer(IConnection)
class FakeConnection:
    """A connection without transport: a test plays the peer.

    :ivar written: octets that reached the peer.
    :ivar reading: octets are taken from the peer.
    :ivar closing: `close` was called; ``lingering``: with ``linger``; ``quiet``: its seconds.
    :ivar aborted: `abort` was called.
    :ivar writeEnded: `endWriting` was called; ``halfCloseable``: it can be.
    :ivar continued: calls of `continueReading`.
    :ivar receiver: after `handOver`.
    """

    def __init__(self, number: int = 1, peer: str = "192.0.2.1:4711") -> None:
        self.id = number
        self.local = "192.0.2.254:80"
        self.peer = peer
        self.tls = False
        self.bytesRead = self.bytesWritten = 0
        self.closed = False
        self.closeEvent = -1
        self.written = b""
        self.reading = True
        self.closing = self.lingering = self.aborted = self.writeEnded = False
        self.halfCloseable = True
        self.quiet = 0.0
        self.continued = 0
        self.receiver: Any = None
        self.handlers: list[IConnectionEventHandler] = []
        self._blocked = False

    # IConnection

    def write(self, data: bytes) -> None:
        """See `IConnection.write`."""
        if not (self.closing or self.closed or self.writeEnded):
            self.written += data
            self.bytesWritten += len(data)

    def pauseReading(self) -> None:
        """See `IConnection.pauseReading`."""
        self.reading = False

    def resumeReading(self) -> None:
        """See `IConnection.resumeReading`."""
        self.reading = True

    def continueReading(self) -> None:
        """See `IConnection.continueReading`."""
        self.continued += 1

    def close(self, linger: bool = False, quiet: float = 0.0) -> None:
        """See `IConnection.close`; `lose` does the rest."""
        if not (self.closing or self.closed):
            self.closing = True
            self.lingering = linger
            self.quiet = quiet

    def endWriting(self) -> bool:
        """See `IConnection.endWriting`."""
        if self.halfCloseable and not (self.closing or self.closed):
            self.writeEnded = True
        return self.halfCloseable

    def abort(self) -> None:
        """See `IConnection.abort`; `lose` does the rest."""
        if not self.closed:
            self.closing = self.aborted = True

    def drain(self) -> None:
        """See `IConnection.drain`."""
        if not (self.closing or self.closed):
            self._emit(DRAINING)
            if self.receiver is not None:
                self.receiver.drain()

    def handOver(self, receiver: IBytesReceiver, pending: bytes) -> None:
        """See `IConnection.handOver`."""
        if self.receiver is not None:
            raise RuntimeError("handed over before")
        self.receiver = receiver
        if self.closed:
            receiver.connectionClosed(self.closeEvent)
            return
        made = getattr(receiver, "connectionMade", None)
        if made is not None:
            made(self)
        if pending:
            receiver.bytesReceived(pending)

    def addEventHandler(self, handler: IConnectionEventHandler) -> None:
        """See `IConnection.addEventHandler`."""
        self.handlers.append(handler)

    # the peer and the network

    def clear(self) -> bytes:
        """Forget what was written, and return it."""
        written, self.written = self.written, b""
        return written

    def deliver(self, data: bytes) -> None:
        """Octets come from the peer; lost once the connection is being closed."""
        if not (self.closing or self.closed):
            self.bytesRead += len(data)
            self.receiver.bytesReceived(data)

    def peerFinished(self) -> None:
        """The peer sends its FIN."""
        readClosed = getattr(self.receiver, "readClosed", None)
        if readClosed is not None:
            readClosed()
        else:
            self.lose(REMOTE_CLOSE)

    def block(self) -> None:
        """The write buffer passes its high-water mark."""
        if not (self._blocked or self.closing or self.closed):
            self._blocked = True
            self._emit(WRITE_BLOCKED)
            self.receiver.pauseProducing()

    def unblock(self) -> None:
        """The write buffer is empty."""
        if self._blocked and not (self.closing or self.closed):
            self._blocked = False
            self._emit(WRITE_RESUMED)
            self.receiver.resumeProducing()

    def lose(self, event: int | None = None) -> None:
        """The connection is gone.

        :param event: ``None`` = `LOCAL_CLOSE` after `close` or `abort`, else `REMOTE_CLOSE`.
        """
        if self.closed:
            return
        if event is None:
            event = LOCAL_CLOSE if self.closing else REMOTE_CLOSE
        self.closed = True
        self.closeEvent = event
        self._emit(event)
        if self.receiver is not None:
            self.receiver.connectionClosed(event)

    def _emit(self, event: int) -> None:
        for handler in self.handlers:
            handler.connectionEvent(self, event)


@define(eq=False)
class FakeAttempt:
    """One call of `FakeConnector.connect`."""

    address: str
    timeout: float
    receiver: IBytesReceiver
    connection: FakeConnection
    deferred: Deferred[IConnection] = field(init=False)
    cancelled: bool = False

    def succeed(self) -> FakeConnection:
        """The connection is there; it is handed over."""
        self.connection._emit(CONNECTED)
        self.connection.handOver(self.receiver, b"")
        self.deferred.callback(self.connection)
        return self.connection

    def fail(self, error: Exception) -> None:
        """It cannot be made: `ConnectFailed` or `ConnectTimeout`."""
        self.deferred.errback(error)


@implementer(IConnector)
class FakeConnector:
    """Remembers attempts; a test lets them succeed or fail.

    :ivar attempts: all of them, in order.
    """

    def __init__(self) -> None:
        self.attempts: list[FakeAttempt] = []

    def connect(
        self,
        address: str,
        timeout: float,
        receiver: IBytesReceiver,
        eventHandlers: Sequence[IConnectionEventHandler] = (),
    ) -> Deferred[IConnection]:
        """See `IConnector.connect`."""
        connection = FakeConnection(len(self.attempts) + 1, address)
        connection.handlers.extend(eventHandlers)
        attempt = FakeAttempt(address, timeout, receiver, connection)

        def cancelled(deferred: Deferred[IConnection]) -> None:
            attempt.cancelled = True

        attempt.deferred = Deferred(cancelled)
        self.attempts.append(attempt)
        return attempt.deferred


@implementer(ITCPTransport)
class FakeTransport(StringTransport):
    """Twisted's `StringTransport` as a TCP socket with a send buffer.

    :ivar dataBuffer: octets that the peer has not taken; a test may set it, and `offset`.
    :ivar writeFinished: `loseWriteConnection` was called.
    """

    bufferSize = 65536
    dataBuffer = b""
    offset = 0
    writeFinished = False
    noDelay = keepAlive = False

    def __init__(self, protocol: Any) -> None:
        here, there = IPv4Address("TCP", "192.0.2.254", 80), IPv4Address("TCP", "192.0.2.1", 4711)
        super().__init__(here, there)  # type: ignore[no-untyped-call]  # Twisted's
        self._protocol = protocol
        protocol.makeConnection(self)

    def loseWriteConnection(self) -> None:
        """See ``ITCPTransport``."""
        self.writeFinished = True

    def getTcpNoDelay(self) -> bool:
        """See ``ITCPTransport``."""
        return self.noDelay

    def setTcpNoDelay(self, enabled: bool) -> None:
        """See ``ITCPTransport``."""
        self.noDelay = enabled

    def getTcpKeepAlive(self) -> bool:
        """See ``ITCPTransport``."""
        return self.keepAlive

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """See ``ITCPTransport``."""
        self.keepAlive = enabled

    def end(self, error: Exception | None = None) -> None:
        """The socket is gone.

        :param error: ``None`` = an orderly end.
        """
        self.connected = False
        self._protocol.connectionLost(Failure(error if error is not None else ConnectionDone()))
