"""Twisted's stream transports, sending at the end of a turn instead of after a round of epoll.

Thin subclasses, used by listeners and connectors on epoll reactors, Twisted's own among them; on
other reactors the stock transports stay. Whatever is unusual (closing, half-closing, producers that
wait, descriptors, a kernel that takes only a part) is left to Twisted's methods: all of them ask
for a ``doWrite`` by ``startWriting``, and that is where these classes come in. Nothing of Twisted
is changed: ``Port.transport`` is its documented way to choose another transport, and a connector
makes its transport in a method of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from errno import ENOBUFS
from typing import TYPE_CHECKING, Any

from twisted.internet import main, tcp, unix
from twisted.python.failure import Failure

from mosntx.net.turns import turnOf

try:
    from twisted.internet.epollreactor import EPollReactor
except ImportError:  # another system than Linux
    EPollReactor = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    _Base = tcp.Connection
else:
    _Base = object

#: The most octets read at once. Below glibc's threshold for memory of its own mapping (128 KiB),
#: from which on a read was measured to take three times as long.
READ_LIMIT = 128 * 1024 - 64

#: How many times the usual size a read may be: what comes over the mark of a paused writer.
READ_GROWTH = 4

#: Seconds that a protocol may take with a full read and still get larger ones: bodies take a tenth
#: of it. A flood of tiny frames takes 100 ms for 32 KiB, in which nobody else has a turn.
READ_SECONDS = 0.002


class DirectWrites(_Base):
    """Mixed in before a stream transport of Twisted's.

    A transport with something to send waits in the `Turn` of its reactor, or, when the kernel has
    refused octets, for epoll; never for both. While it connects, epoll is what it waits for.

    Two writes and two reads are all that most requests ask of transports, so the usual write has a
    short way, without a look at what Twisted's transports can do besides. It needs none: whoever
    wants something else calls `startWriting`, and that bars the short way until it is done.
    """

    def __init__(self, *args: Any) -> None:
        # Of the instance, though Twisted has some of them in the class: where an attribute is found
        # there, CPython 3.11 looks through both, each time.
        self._barred = True  # the short way
        self._waits = False  # in the turn
        self._wait: Callable[[DirectWrites], object] | None = None  # `Turn.add`
        self._armed = False  # epoll is to say when the kernel takes more
        self._sendmsgQueue: Any = ()  # descriptors to be sent, of unix transports
        super().__init__(*args)

    def write(self, data: bytes) -> None:
        """See ``ITransport``."""
        barred = self._barred
        if (
            not data
            or type(data) is not bytes
            or not self.connected
            or (barred and (self.TLS or self._writeDisconnected))
        ):
            super().write(data)  # type: ignore[no-untyped-call]  # Twisted's
            return
        self._tempDataBuffer.append(data)
        self._tempDataLen = size = self._tempDataLen + len(data)
        if size > self.bufferSize and self.producer is not None:
            self._overMark()
        elif barred:
            self.startWriting()
        elif not self._waits:
            self._waits = True
            wait = self._wait
            wait(self)  # type: ignore[misc]  # not None behind the bar

    def _overMark(self) -> None:
        """See what the kernel takes before a producer has to pause because much waits.

        At the end of the turn it would be late: the producer had stopped all that feed it by then,
        for octets that nobody but ourselves holds back. Only `write` does this, which is what
        connections use: ``writeSequence`` tells producers at once, as Twisted's tests demand.
        """
        if not self._isUnusual():
            self._sendPlain()  # an error will be there at the end of the turn, too
        self._maybePauseProducer()  # type: ignore[no-untyped-call]  # Twisted's
        if self._tempDataLen:
            self.startWriting()

    def startWriting(self) -> None:
        """Have `doWrite` called: at the end of the turn, or when the kernel takes more."""
        self._barred = True
        if self._waits or self._armed:
            return
        if self.connected:
            if self._wait is None:
                self._wait = turnOf(self.reactor).add
            self._waits = True
            self._wait(self)
        else:
            self._arm()

    def stopWriting(self) -> None:
        """Have `doWrite` called no more."""
        self._waits = False
        if self._armed:
            self._armed = False
            self.reactor.removeWriter(self)

    def turnEnds(self) -> None:
        """Do what a reactor does for a writable socket."""
        if not self._waits:  # stopped since
            return
        self._waits = False
        try:
            why = self.doWrite() if self._barred else self._sendPlain()
        except BaseException as error:
            self.connectionLost(Failure(error))
            raise
        if why:
            self.connectionLost(Failure(why))

    def doWrite(self) -> Any:
        """See ``IWriteDescriptor``; arms epoll if octets are left."""
        if self._isUnusual() or self._tempDataLen > self.SEND_LIMIT:
            why = super().doWrite()  # type: ignore[no-untyped-call]  # Twisted's
        else:
            why = self._sendPlain()
        if not why:
            if self.dataBuffer:
                self._arm()
            elif not self._tempDataLen:
                self._barred = self._isUnusual()
        return why

    def _isUnusual(self) -> bool:
        """Say whether there is more to do than to send what was written."""
        return bool(
            self.dataBuffer
            or self.disconnecting
            or self._writeDisconnecting
            or self.TLS
            or self._sendmsgQueue
            or (self.producer is not None and (self.producerPaused or not self.streamingProducer))
        )

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """See ``IConsumer``. One that has to be asked is asked by Twisted's way of sending."""
        if not streaming:
            self._barred = True
        super().registerProducer(producer, streaming)  # type: ignore[no-untyped-call]  # Twisted's

    def _sendPlain(self) -> Any:
        """Send what was written when there is nothing else to do: Twisted's `doWrite` in short."""
        pieces = self._tempDataBuffer
        if not pieces:  # sent since
            return None
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        try:
            sent = self.socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            if error.errno != ENOBUFS:
                return main.CONNECTION_LOST
            sent = 0
        pieces.clear()
        self._tempDataLen = 0
        if sent != len(data):
            self.dataBuffer = data
            self.offset = sent
            self._barred = True
            self._arm()
        return None

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self.reactor.addWriter(self)


class AdaptiveReads(_Base):
    """Mixed in before a TCP transport of Twisted's: a peer that sends much is read in large parts.

    Reads begin with ``bufferSize`` octets. One that is full doubles the next, up to `READ_GROWTH`
    times that; one that would have fitted in the usual size, or of which the protocol had more than
    `READ_SECONDS` to do, ends it.
    """

    def __init__(self, *args: Any) -> None:
        self._grown = 0  # octets of the next read, when they are more than usual
        super().__init__(*args)

    def doRead(self) -> Any:
        """See ``IReadDescriptor``."""
        size = self._grown or self.bufferSize
        try:
            data = self.socket.recv(size)
        except BlockingIOError:
            return None
        except OSError:
            return main.CONNECTION_LOST
        if not data:
            return main.CONNECTION_DONE
        if len(data) == size:
            clock: Any = self.reactor
            began = clock.seconds()
            self.protocol.dataReceived(data)
            quick = clock.seconds() - began < READ_SECONDS
            grown = max(size, min(2 * size, READ_GROWTH * self.bufferSize, READ_LIMIT))
            self._grown = grown if quick else 0
            return None
        if self._grown and len(data) <= self.bufferSize:
            self._grown = 0
        self.protocol.dataReceived(data)
        return None


class NoCycles(_Base):
    """Mixed in before a client transport of Twisted's: one that is over is freed at once.

    Twisted's own waits for the garbage collector: it and its connector know each other to the end,
    and one that could not connect has methods of its own as attributes.
    """

    def connectionLost(self, reason: Failure) -> None:
        """See ``IReadDescriptor``."""
        super().connectionLost(reason)
        self.__dict__.pop("connector", None)  # as Twisted does after a failed connect

    def failIfNotConnected(self, err: Any) -> None:
        """The connect has failed or is given up: see Twisted's."""
        super().failIfNotConnected(err)  # type: ignore[misc]  # of the transport it is mixed into
        if not self.connected:
            # Not removed: the event that has brought the failure may be one for writing, too.
            self.__dict__.update(doRead=_nothing, doWrite=_nothing)


def _nothing() -> None:
    """There is nothing to read or write: the connect has failed."""


class TcpServer(DirectWrites, AdaptiveReads, tcp.Server):
    """An accepted TCP connection."""


class TcpClient(NoCycles, DirectWrites, AdaptiveReads, tcp.Client):
    """An opened TCP connection."""


class UnixServer(DirectWrites, unix.Server):
    """An accepted connection of a unix socket; Twisted's reading knows descriptors."""


class UnixClient(NoCycles, DirectWrites, unix.Client):
    """An opened connection of a unix socket."""


class TcpConnector(tcp.Connector):
    """Opens TCP connections of this module."""

    def _makeTransport(self) -> TcpClient:
        return TcpClient(self.host, self.port, self.bindAddress, self, self.reactor)


class UnixConnector(unix.Connector):
    """Opens connections of this module to unix sockets."""

    def _makeTransport(self) -> Any:
        return UnixClient(self.address, self, self.reactor, self.checkPID)


def isDirect(reactor: Any) -> bool:
    """Say whether the transports of this module are for a reactor: epoll ones, ours and stock."""
    return EPollReactor is not None and isinstance(reactor, EPollReactor)


def useDirect(port: Any, reactor: Any) -> None:
    """Let a port that listens, of whatever kind, have transports of this module if it can."""
    if isDirect(reactor) and isinstance(port, tcp.Port):
        if port.transport is tcp.Server:
            port.transport = TcpServer  # type: ignore[assignment]  # it hands on its arguments
        elif port.transport is unix.Server:
            port.transport = UnixServer  # type: ignore[assignment]


def connectTcp(reactor: Any, host: str, port: int, factory: Any) -> Any:
    """See ``IReactorTCP.connectTCP``; without a timeout."""
    if not isDirect(reactor):
        return reactor.connectTCP(host, port, factory, timeout=None)
    noTimeout: Any = None
    connector = TcpConnector(host, port, factory, noTimeout, None, reactor)
    connector.connect()
    return connector


def connectUnix(reactor: Any, path: str, factory: Any) -> Any:
    """See ``IReactorUNIX.connectUNIX``; without a timeout."""
    if not isDirect(reactor):
        return reactor.connectUNIX(path, factory, timeout=None)
    connector = UnixConnector(path, factory, None, reactor, 0)  # type: ignore[no-untyped-call]  # Twisted's
    connector.connect()
    return connector
