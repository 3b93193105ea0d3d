"""Listeners: a bound address and the connections accepted on it (MOSN pkg/server/handler.go)."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.logger import Logger
from twisted.python.failure import Failure

from mosntx.config.address import parseAddress
from mosntx.contracts.net import (
    CONNECTED,
    LISTENER_CLOSED,
    LISTENER_DRAINING,
    LISTENER_NEW,
    LISTENER_OPEN,
    STOP,
    IConnectionEventHandler,
    IListenerEventHandler,
    IListenerFilter,
    INetworkFilterFactory,
)
from mosntx.net.addresses import addressText
from mosntx.net.connection import Connection
from mosntx.net.octets import BUFFER_LIMIT
from mosntx.net.ports import BindFailed, openPort
from mosntx.net.timers import TimerWheel
from mosntx.net.transports import useDirect

__all__ = ["BindFailed", "Listener", "ListenerOptions"]

log = Logger()

#: Connections that may wait in the kernel to be accepted; it has a limit of its own (somaxconn).
BACKLOG = 1024

#: Seconds without traffic after which an accepted connection is closed (MOSN: 90 s).
IDLE_TIMEOUT = 90.0

#: Permissions of a unix socket's file: for owner and group.
SOCKET_MODE = 0o660

#: File descriptors that accepted connections leave to upstream connections and files: a sixteenth
#: of the limit, and not fewer than this.
MIN_SPARE_DESCRIPTORS = 16

#: Puts something between connections and their transports, as TLS does.
Wrap = Callable[[IProtocolFactory], IProtocolFactory]


@frozen
class ListenerOptions:
    """Settings of a listener.

    :ivar network: ``tcp`` or ``unix``.
    :ivar bindPort: open the address; else connections come only by `Listener.serve`.
    :ivar sharedPort: a TCP port that other processes may have too, see
        `mosntx.net.ports.sharedBinding`.
    :ivar backlog: see `BACKLOG`.
    :ivar maxConnections: open at once; more are closed at once. 0 = no limit but `maxDescriptor`.
    :ivar maxDescriptor: connections whose descriptor has this number or a higher one are closed at
        once; 0 = the process's limit less `MIN_SPARE_DESCRIPTORS`.
    :ivar idleTimeout: seconds, 0.0 = never; see `mosntx.net.watches.IdleWatch`.
    :ivar bufferLimit: octets, see `mosntx.net.octets.BUFFER_LIMIT`.
    :ivar socketMode: see `SOCKET_MODE`.
    """

    network: str = "tcp"
    bindPort: bool = True
    sharedPort: bool = False
    backlog: int = BACKLOG
    maxConnections: int = 0
    maxDescriptor: int = 0
    idleTimeout: float = IDLE_TIMEOUT
    bufferLimit: int = BUFFER_LIMIT
    socketMode: int = SOCKET_MODE


def spareDescriptors() -> int:
    """Return the first descriptor number that accepted connections must not have."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return sys.maxsize
    return limit - max(MIN_SPARE_DESCRIPTORS, limit // 16)


class _Acceptor(Factory):
    """Gives each accepted socket its connection."""

    noisy = False

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Return a connection; ``None`` makes Twisted close the socket."""
        return self._listener.accept()

    def logPrefix(self) -> str:
        """Return what Twisted's messages begin with."""
        return f"listener {self._listener.name}"


class Listener:
    """An address and its connections.

    Its way is ``NEW`` - `start` - ``OPEN`` - `drain` or `stop` - ``DRAINING`` - ``CLOSED``.

    :param address: see `mosntx.config.address.parseAddress`.
    :param reactor: provides ``IReactorTCP`` and the rest of a POSIX reactor.
    :param ids: numbers for connections, shared by all of a Sidecar.
    :param filterFactories: the network filters of each connection.
    :param listenerFilters: see connections before there are network filters.
    :param eventHandlers: hear about the listener.
    :param connectionHandlers: hear about each of its connections.
    :param wrap: see `Wrap`.
    :param openPort: listens with the given factory instead of binding `address`: for inherited
        sockets, ``lambda factory: reactor.adoptStreamPort(fd, AF_INET, factory)``.
    :ivar filterFactories: assignable, like `options`: new connections have the new ones.
    :ivar accepted: connections so far, those refused not counted.
    :ivar refused: connections closed at once, because a limit was reached.
    :ivar state: a `LISTENER_NEW` and so on.
    """

    def __init__(
        self,
        name: str,
        address: str,
        reactor: Any,
        wheel: TimerWheel,
        ids: Iterator[int],
        filterFactories: Sequence[INetworkFilterFactory],
        *,
        options: ListenerOptions | None = None,
        listenerFilters: Sequence[IListenerFilter] = (),
        eventHandlers: Sequence[IListenerEventHandler] = (),
        connectionHandlers: Sequence[IConnectionEventHandler] = (),
        wrap: Wrap | None = None,
        openPort: Callable[[IProtocolFactory], IListeningPort] | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.filterFactories = filterFactories
        self.options = options if options is not None else ListenerOptions()
        self.state = LISTENER_NEW
        self.accepted = 0
        self.refused = 0
        self._reactor = reactor
        self._wheel = wheel
        self._ids = ids
        self._listenerFilters = listenerFilters
        self._handlers = eventHandlers
        self._connectionHandlers = connectionHandlers
        self._wrap = wrap
        self._openPort = openPort
        self._port: IListeningPort | None = None
        self._maxDescriptor = 0
        self._late: Any = None  # takes connections although the port is about to be closed
        self._holds = False
        self._connections: set[Connection] = set()
        self._closedRead = 0
        self._closedWritten = 0
        self._waiting: list[Deferred[None]] = []

    @property
    def active(self) -> int:
        """Connections open now."""
        return len(self._connections)

    @property
    def connections(self) -> tuple[Connection, ...]:
        """The connections open now."""
        return tuple(self._connections)

    @property
    def bytesRead(self) -> int:
        """Octets received on all connections so far."""
        return self._closedRead + sum(each.bytesRead for each in self._connections)

    @property
    def bytesWritten(self) -> int:
        """Octets sent on all connections so far."""
        return self._closedWritten + sum(each.bytesWritten for each in self._connections)

    @property
    def boundAddress(self) -> str:
        """The address with the port that the system has chosen, while it is bound."""
        return self.address if self._port is None else addressText(self._port.getHost())

    def start(self) -> None:
        """Bind the address and accept connections.

        :raises BindFailed: when that cannot be.
        """
        assert self.state == LISTENER_NEW
        if self.options.bindPort or self._openPort is not None:
            self._maxDescriptor = self.options.maxDescriptor or spareDescriptors()
            self._bind()
        self.state = LISTENER_OPEN
        if self._port is not None:
            self._tell("listenerOpened")

    def hold(self) -> None:
        """Accept nothing for a while: connections wait in the kernel, up to the backlog."""
        if self._port is not None:
            self._holds = True
            stop = getattr(self._port, "stopReading", None)
            if stop is not None:
                stop()

    def resume(self) -> None:
        """Accept again, after `hold`."""
        if self._holds:
            self._holds = False
            start = getattr(self._port, "startReading", None)
            if start is not None and self.state == LISTENER_OPEN:
                start()

    def drain(self) -> Deferred[None]:
        """Close the address and let connections end what has begun.

        :returns: fires when the last connection is gone. Nothing happens when it is cancelled.
        """
        if self.state == LISTENER_OPEN:
            self._acceptWaiting()
            self._late = self._reactor.callLater(0, self._acceptWaiting)  # then the port closes
            self._closePort()
        return self._whenClosed()

    def stop(self) -> Deferred[None]:
        """Close the address and abort what is left.

        :returns: as `drain`.
        """
        self._endLate()
        if self.state == LISTENER_OPEN:
            self._closePort()
        for connection in self.connections:
            connection.abort()
        return self._whenClosed()

    def accept(self) -> Connection | None:
        """Return a connection for a socket that was accepted, ``None`` when there are too many."""
        limit = self.options.maxConnections
        if limit and len(self._connections) >= limit:
            self._refuse(f"{limit} connections are open, which is the limit")
            return None
        return Connection(
            next(self._ids),
            self._wheel,
            self._made,
            self._gone,
            bufferLimit=self.options.bufferLimit,
            idleTimeout=self.options.idleTimeout,
        )

    def serve(self, connection: Connection) -> None:
        """Show a connection to the network filters.

        A listener filter gives a connection to another listener by `release`, then `serve` there.
        """
        connection.gone = self._gone
        self._connections.add(connection)
        if self.state != LISTENER_OPEN and self._late is None:
            self._refuse("the listener is closed")
            connection.abort()
            return
        self.accepted += 1
        self._tell("connectionAccepted", connection)
        connection.startFilters(self.filterFactories)

    def release(self, connection: Connection) -> None:
        """Forget a connection that another owner takes over."""
        self._connections.discard(connection)

    def _bind(self) -> None:
        """Open the port."""
        factory: Any = _Acceptor(self)
        if self._wrap is not None:
            factory = self._wrap(factory)
        if self._openPort is not None:
            self._port = self._openPort(factory)
            useDirect(self._port, self._reactor)
            return
        options = self.options
        try:
            where = parseAddress(self.address, options.network)
        except ValueError as wrong:
            raise BindFailed(self.address, f"the address {wrong}") from wrong
        self._port = openPort(
            self.address,
            where,
            factory,
            self._reactor,
            options.backlog,
            options.socketMode,
            options.sharedPort,
        )

    def _made(self, connection: Connection) -> None:
        """A connection has its transport."""
        self._connections.add(connection)
        if connection.descriptor() >= self._maxDescriptor:
            self._refuse("too few file descriptors are left")
            connection.abort()
            return
        for handler in self._connectionHandlers:
            connection.addEventHandler(handler)
        connection.emit(CONNECTED)
        for listenerFilter in self._listenerFilters:
            try:
                if listenerFilter.accepted(connection) == STOP:
                    return
            except Exception:
                log.failure("listener {name}: a listener filter failed", name=self.name)
                connection.abort()
                return
        self.serve(connection)

    def _gone(self, connection: Connection) -> None:
        """The transport of a connection is gone."""
        self._connections.discard(connection)
        self._closedRead += connection.bytesRead
        self._closedWritten += connection.bytesWritten
        self._checkClosed()

    def _refuse(self, reason: str) -> None:
        self.refused += 1
        self._tell("connectionRefused", reason)

    def _acceptWaiting(self) -> None:
        """Accept what waits in the kernel: closing the port would reset these connections."""
        accept = getattr(self._port, "doRead", None)
        if accept is not None:
            for _ in range(self.options.backlog):
                before = self.accepted + self.refused
                accept()
                if self.accepted + self.refused == before:
                    return

    def _closePort(self) -> None:
        """Accept no more."""
        self.state = LISTENER_DRAINING
        self._tell("listenerDraining")
        closing = succeed(None) if self._port is None else maybeDeferred(self._port.stopListening)
        closing.addErrback(self._portFailed)
        closing.addCallback(self._portClosed)

    def _endLate(self) -> bool:
        """Take nobody any more; say whether it was so only until now."""
        late, self._late = self._late, None
        if late is not None and late.active():
            late.cancel()
        return late is not None

    def _portFailed(self, reason: Failure) -> None:
        log.failure("listener {name}: cannot close its port", reason, name=self.name)

    def _portClosed(self, result: object) -> None:
        self._port = None
        if self._endLate():  # not before: a client that is told to leave connects again at once
            for connection in self.connections:
                connection.drain()
        self._checkClosed()

    def _whenClosed(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing is open any more."""
        if self.state == LISTENER_NEW:
            self.state = LISTENER_CLOSED
        if self.state == LISTENER_DRAINING:
            waiter: Deferred[None] = Deferred(self._waiting.remove)
            self._waiting.append(waiter)
            self._checkClosed()
            return waiter
        return succeed(None)

    def _checkClosed(self) -> None:
        """Notice that nothing is open any more."""
        if self.state != LISTENER_DRAINING or self._port is not None or self._connections:
            return
        self.state = LISTENER_CLOSED
        self._tell("listenerClosed")
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            waiter.callback(None)

    def _tell(self, event: str, *details: object) -> None:
        """Call a method of each event handler; what it raises is logged."""
        for handler in self._handlers:
            try:
                getattr(handler, event)(self, *details)
            except Exception:
                log.failure("listener {name}: an event handler failed", name=self.name)
