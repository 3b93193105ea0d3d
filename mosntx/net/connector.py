"""Opening connections (MOSN pkg/network/connection.go, client side)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IProtocolFactory
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from mosntx.config.address import Address, parseAddress
from mosntx.contracts.net import (
    CONNECT_FAILED,
    CONNECT_TIMEOUT,
    CONNECTED,
    LOCAL_CLOSE,
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
    IConnector,
)
from mosntx.net.connection import Connection
from mosntx.net.names import NameCache, NameNotFoundError
from mosntx.net.octets import BUFFER_LIMIT
from mosntx.net.timers import TimerWheel
from mosntx.net.transports import connectTcp, connectUnix

#: Puts something between a connection and its transport, as TLS does.
Wrap = Callable[[IProtocolFactory], IProtocolFactory]


class ConnectFailed(Exception):  # noqa: N818 - the name in the contract
    """An address cannot be connected to.

    :ivar address: as given to `Connector.connect`.
    :ivar reason: in words.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot connect to {self.address}: {self.reason}"


class ConnectTimeout(ConnectFailed):
    """An address did not answer in time.

    :ivar seconds: that we waited.
    """

    def __init__(self, address: str, seconds: float) -> None:
        super().__init__(address, f"no answer within {seconds:g} s")
        self.seconds = seconds


@implementer(IConnector)
class Connector:
    """See `IConnector`.

    :param reactor: provides ``IReactorTCP``, ``IReactorUNIX``, ``IReactorPluggableNameResolver``.
    :param ids: numbers for connections, shared by all of a Sidecar.
    :param names: shared by connectors; ``None`` makes one.
    :param bufferLimit: octets, see `Connection`.
    :param idleTimeout: seconds, see `Connection`.
    :param wrap: see `Wrap`.
    """

    def __init__(
        self,
        reactor: Any,
        wheel: TimerWheel,
        ids: Iterator[int],
        *,
        names: NameCache | None = None,
        bufferLimit: int = BUFFER_LIMIT,
        idleTimeout: float = 0.0,
        wrap: Wrap | None = None,
    ) -> None:
        self.reactor = reactor
        self.wheel = wheel
        self.names = names if names is not None else NameCache(reactor, wheel)
        self.wrap = wrap
        self._ids = ids
        self._bufferLimit = bufferLimit
        self._idleTimeout = idleTimeout

    def connect(
        self,
        address: str,
        timeout: float,
        receiver: IBytesReceiver,
        eventHandlers: Sequence[IConnectionEventHandler] = (),
    ) -> Deferred[IConnection]:
        """See `IConnector.connect`."""
        attempt = _Attempt(self, address, timeout, receiver)
        connection = attempt.connection = Connection(
            next(self._ids),
            self.wheel,
            attempt.made,
            _unowned,
            bufferLimit=self._bufferLimit,
            idleTimeout=self._idleTimeout,
        )
        for handler in eventHandlers:
            connection.addEventHandler(handler)
        attempt.start()
        return attempt.deferred


def _unowned(connection: Connection) -> None:
    """Nobody but its receiver has to know that an opened connection is gone."""


class _Dial(ClientFactory):
    """One connect to one host of an attempt."""

    noisy = False

    def __init__(self, attempt: _Attempt) -> None:
        self._attempt = attempt

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Give the transport the one connection there is."""
        return self._attempt.connection

    def clientConnectionFailed(self, connector: Any, reason: Failure) -> None:
        """Try the next host."""
        self._attempt.refused(reason)


class _Attempt:
    """The way from an address to a connection.

    The name is looked up, then its hosts are tried in turn, until one is connected, none is left,
    time is up or the caller cancels. Each of these begins with `_settle`.
    """

    connection: Connection

    def __init__(
        self, connector: Connector, address: str, timeout: float, receiver: IBytesReceiver
    ) -> None:
        self.deferred: Deferred[IConnection] = Deferred(self._cancelled)
        self._connector = connector
        self._address = address
        self._timeout = timeout
        self._receiver = receiver
        self._where = Address("tcp")
        self._hosts: list[str] = []  # those not tried, the next one last
        self._host = ""  # the one being tried
        self._dial: Any = None
        self._lookup: Deferred[None] | None = None
        self._settled = False
        self._timer = connector.wheel.schedule(timeout, self._timedOut)

    def start(self) -> None:
        """Find the hosts."""
        try:
            self._where = where = parseAddress(self._address)
        except ValueError as wrong:
            self._fail(f"the address {wrong}")
            return
        if where.network == "unix" or isIPAddress(where.host) or isIPv6Address(where.host):
            self._resolved((where.host,))
        else:
            self._lookup = self._connector.names.resolve(where.host).addCallback(self._resolved)
            self._lookup.addErrback(self._notResolved)

    def made(self, connection: Connection) -> None:
        """The connection has its transport."""
        self._settle()
        self._dial = None  # no cycle: it knows us, too
        connection.emit(CONNECTED)
        try:
            connection.handOver(self._receiver, b"")
        except Exception:
            connection.abort()
            self.deferred.errback()
        else:
            self.deferred.callback(connection)

    def refused(self, reason: Failure) -> None:
        """A host cannot be connected to."""
        if self._settled:
            return
        self._avoidHost()
        if self._hosts:
            self._next()
        else:
            self._fail(_inWords(reason.value))

    def _resolved(self, hosts: Sequence[str]) -> None:
        self._hosts = list(reversed(hosts))
        self._next()

    def _notResolved(self, reason: Failure) -> None:
        if not self._settled:
            known = reason.check(NameNotFoundError)
            self._fail("no such host" if known else _inWords(reason.value))

    def _next(self) -> None:
        """Try a host."""
        self._host = self._hosts.pop()
        where, reactor = self._where, self._connector.reactor
        factory: Any = _Dial(self)
        if self._connector.wrap is not None:
            factory = self._connector.wrap(factory)
        # No timeout of the reactor's: ours covers all hosts.
        if where.network == "unix":
            path = "\0" + where.path[1:] if where.path.startswith("@") else where.path
            self._dial = connectUnix(reactor, path, factory)
        else:
            self._dial = connectTcp(reactor, self._host, where.port, factory)

    def _avoidHost(self) -> None:
        """Let the next attempt begin with another host of the name."""
        if self._host != self._where.host:
            self._connector.names.unreachable(self._where.host, self._host)

    def _settle(self) -> None:
        """The outcome is known: nothing else counts."""
        self._settled = True
        self._timer.cancel()

    def _stop(self) -> None:
        """Give up what is under way."""
        self._settle()
        dial, self._dial = self._dial, None
        if dial is not None:
            dial.stopConnecting()
        elif self._lookup is not None:
            self._lookup.cancel()

    def _timedOut(self) -> None:
        dialled = self._dial is not None
        self._stop()
        if dialled:
            self._avoidHost()
        self.connection.failed(CONNECT_TIMEOUT)
        self.deferred.errback(ConnectTimeout(self._address, self._timeout))

    def _cancelled(self, deferred: Deferred[IConnection]) -> None:
        self._stop()
        self.connection.failed(LOCAL_CLOSE)

    def _fail(self, reason: str) -> None:
        self._settle()
        self._dial = None
        self.connection.failed(CONNECT_FAILED)
        self.deferred.errback(ConnectFailed(self._address, reason))


def _inWords(exception: BaseException | None) -> str:
    """Return what went wrong, in the system's words where it has some."""
    number = getattr(exception, "osError", None)
    return os.strerror(number) if number else str(exception) or type(exception).__name__
