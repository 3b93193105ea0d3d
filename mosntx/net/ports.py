"""Binding: from an address to a port that listens, or to a reason in words why not."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import Binding, IListeningPort, IProtocolFactory
from twisted.python.failure import Failure

from mosntx.config.address import Address
from mosntx.net.transports import useDirect


class BindFailed(Exception):  # noqa: N818 - the name in the contract
    """An address cannot be listened on.

    :ivar address: as configured.
    :ivar reason: in words.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(address, reason)
        self.address = address
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot listen on {self.address}: {self.reason}"


class SocketFilePort(unix.Port):
    """A unix port that removes its socket file only if the file is still its own.

    Twisted's removes whatever has that name: the socket of the process that took over, say; and
    when there is no such file, it fails and leaves its descriptor open.
    """

    _identity: tuple[int, int] | None = None
    _created: socket.socket

    def createInternetSocket(self) -> socket.socket:
        """Remember the socket: Twisted leaves it open when it cannot be bound."""
        self._created = super().createInternetSocket()  # type: ignore[no-untyped-call]  # Twisted's
        return self._created

    def startListening(self) -> None:
        """Bind, and remember which file that made."""
        try:
            super().startListening()  # type: ignore[no-untyped-call]  # Twisted's
        except BaseException:
            self._created.close()
            raise
        self._identity = self._present()

    def connectionLost(self, reason: Failure) -> None:
        """Remove the file, close the socket."""
        if self._identity is not None and self._present() == self._identity:
            with suppress(OSError):
                os.unlink(self._bindPath)
        tcp.Port.connectionLost(self, reason)

    def _present(self) -> tuple[int, int] | None:
        """Return what tells the file from others, ``None`` when there is none."""
        if self._bindPath.startswith(b"\0"):
            return None
        with suppress(OSError):
            status = os.lstat(self._bindPath)
            return status.st_dev, status.st_ino
        return None


def sharedBinding(host: str, port: int) -> Binding:
    """Return what ``listenTCP`` takes for a port that several processes of one user listen on.

    Each process has a queue of its own, and the kernel puts a new connection into one of them by a
    hash of its addresses, whatever the processes have to do (socket(7), ``SO_REUSEPORT``).
    """
    return tcp.makeBinding(host, port, reuseAddress=True, reusePort=True)


def openPort(
    text: str,
    address: Address,
    factory: IProtocolFactory,
    reactor: Any,
    backlog: int,
    mode: int,
    shared: bool = False,
) -> IListeningPort:
    """Bind and listen.

    :param text: the address as configured, for errors.
    :param backlog: connections that may wait to be accepted.
    :param mode: permissions of a unix socket's file.
    :param shared: see `sharedBinding`; a unix socket cannot be shared.
    :raises BindFailed: when that cannot be.
    """
    try:
        if address.network == "unix":
            path = address.path
            if path.startswith("@"):
                path = "\0" + path[1:]
            else:
                removeStale(text, path)
            port = SocketFilePort(os.fsencode(path), factory, backlog, mode, reactor)
            useDirect(port, reactor)
            port.startListening()
            return port
        place = sharedBinding(address.host, address.port) if shared else address.port
        listening: IListeningPort = reactor.listenTCP(
            place, factory, backlog=backlog, interface=address.host
        )
        useDirect(listening, reactor)
        return listening
    except CannotListenError as error:
        raise BindFailed(text, _inWords(error.socketError, address)) from error
    except OSError as error:  # listen and chmod
        raise BindFailed(text, _inWords(error, address)) from error


def removeStale(text: str, path: str) -> None:
    """Remove the socket file of a process that has died.

    :param text: the address as configured, for errors.
    :raises BindFailed: when somebody answers on it, or it is something else.
    """
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise BindFailed(text, "a file of that name exists and is no socket")
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            refused = probe.connect_ex(path)
        if refused == errno.ECONNREFUSED:
            os.unlink(path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise BindFailed(text, os.strerror(error.errno or 0)) from error
    if refused in (0, errno.EAGAIN):
        raise BindFailed(text, "another process listens on it")
    if refused != errno.ECONNREFUSED:
        raise BindFailed(text, f"cannot tell whether it is in use: {os.strerror(refused)}")


def _inWords(error: Any, address: Address) -> str:
    """Say why, in a way that tells what to do."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        return f"{address.host} is no address of this machine: {error.strerror}"
    if number == errno.EADDRINUSE and address.network == "tcp":
        return f"port {address.port} is in use by another process"
    if number == errno.EADDRNOTAVAIL:
        return f"{address.host} is no address of this machine"
    if number == errno.EACCES and address.network == "tcp" and address.port < 1024:
        return f"no permission for port {address.port}"
    return os.strerror(number) if number else str(error)
