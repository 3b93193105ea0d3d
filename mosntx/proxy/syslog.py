"""Syslog as the target of a log: the local daemon, a UDP datagram for each line, or TCP.

Frames are those of RFC 3164: ``<134>Jan 22 15:04:05 host mosn[123]: text`` (facility local0,
severity info; the line itself names its level). TCP separates them by line ends (RFC 6587 3.4.2).
While the daemon is away lines wait in the `LogSink` and are then dropped and counted there.

Source: spec/admin-observability.md 6 (MOSN pkg/log/syslog.go).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import DatagramProtocol, Protocol, ReconnectingClientFactory
from zope.interface import implementer

from mosntx.proxy.logsink import ILogTarget

LOCAL_SOCKET: Final = "/dev/log"
DEFAULT_PORT: Final = 514
#: ``local0`` (16) and ``info`` (6), RFC 3164 4.1.1.
PRIORITY: Final = 16 * 8 + 6
#: A datagram longer than this is cut; daemons take 8 KiB and more (rsyslog's default is 8 KiB).
MESSAGE_OCTETS: Final = 8192


class Framing:
    """Makes lines into syslog messages.

    :param wallSeconds: seconds since the epoch.
    :param hostname: of this machine; empty for the local daemon, which knows.
    """

    def __init__(self, wallSeconds: Callable[[], float], hostname: str = "") -> None:
        self._wallSeconds = wallSeconds
        self._origin = f"{hostname} mosn[{os.getpid()}]: ".lstrip().encode("ascii", "replace")

    def messages(self, data: bytes) -> Iterator[bytes]:
        """Return one message without line end for each line of ``data`` that says something."""
        local = time.localtime(self._wallSeconds())
        stamp = (
            time.strftime("%b", local) + f" {local.tm_mday:2d} " + time.strftime("%H:%M:%S", local)
        )
        start = f"<{PRIORITY}>{stamp} ".encode("ascii", "replace") + self._origin
        for line in data.split(b"\n"):
            if line:
                yield (start + line)[:MESSAGE_OCTETS]


@implementer(ILogTarget)
class LocalSyslog:
    """The daemon of this machine. A daemon that is slow or away loses lines, which are counted.

    :param path: its socket.
    """

    def __init__(self, framing: Framing, path: str = LOCAL_SOCKET) -> None:
        self._framing = framing
        self._path = path
        self._socket: socket.socket | None = None

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        if self._socket is None:
            self.reopen()
        for message in self._framing.messages(bytes(data)):
            self._send(message)
        return len(data)

    def _send(self, message: bytes) -> None:
        try:
            if self._socket is not None:
                self._socket.send(message)
        except BlockingIOError as reason:
            raise OSError("the syslog daemon is too slow") from reason
        except OSError:  # a restarted daemon has a new socket
            self.close()
            raise

    def reopen(self) -> None:
        """See `ILogTarget.reopen`."""
        self.close()
        fresh = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            fresh.connect(self._path)
        except OSError:
            fresh.close()
            raise
        self._socket = fresh

    def close(self) -> None:
        """See `ILogTarget.close`."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@implementer(ILogTarget)
class UdpSyslog(DatagramProtocol):
    """A daemon elsewhere, by UDP; its name is resolved once, and again by `reopen`.

    :param reactor: an ``IReactorUDP`` that resolves names.
    """

    noisy = False

    def __init__(self, reactor: Any, framing: Framing, host: str, port: int) -> None:
        self._reactor = reactor
        self._framing = framing
        self._host = host
        self._port = port
        self._address: tuple[str, int] | None = None
        self._bound = reactor.listenUDP(0, self)
        self.reopen()

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        if self._address is None or self.transport is None:
            return 0
        for message in self._framing.messages(bytes(data)):
            self.transport.write(message, self._address)
        return len(data)

    def reopen(self) -> None:
        """See `ILogTarget.reopen`. An address that was known stays in use if the name is lost."""
        self._reactor.resolve(self._host).addCallbacks(self._resolved, lambda failure: None)

    def _resolved(self, address: str) -> None:
        self._address = (address, self._port)

    def close(self) -> None:
        """See `ILogTarget.close`."""
        self._address = None
        self._bound.stopListening()


@implementer(IPushProducer)
class _TcpLine(Protocol):
    """The connection to the daemon; as a producer it learns when the daemon is slow."""

    def __init__(self, owner: TcpSyslog) -> None:
        self._owner = owner

    def connectionMade(self) -> None:
        """See `twisted.internet.interfaces.IProtocol.connectionMade`."""
        transport: Any = self.transport
        transport.registerProducer(self, True)
        self._owner.line = self

    def connectionLost(self, reason: Any = None) -> None:
        """See `twisted.internet.interfaces.IProtocol.connectionLost`."""
        self._owner.line = None

    def pauseProducing(self) -> None:
        """See `IPushProducer.pauseProducing`."""
        self._owner.line = None

    def resumeProducing(self) -> None:
        """See `IPushProducer.resumeProducing`."""
        self._owner.line = self

    def stopProducing(self) -> None:
        """See `IPushProducer.stopProducing`."""
        self._owner.line = None


@implementer(ILogTarget)
class TcpSyslog(ReconnectingClientFactory):
    """A daemon elsewhere, by TCP; connected again whenever it was lost.

    :param reactor: an ``IReactorTCP`` and ``IReactorTime``.
    """

    noisy = False
    #: Seconds between attempts at most.
    maxDelay = 30

    def __init__(self, reactor: Any, framing: Framing, host: str, port: int) -> None:
        self.clock = reactor
        self._framing = framing
        #: The connection while it takes lines.
        self.line: _TcpLine | None = None
        self._connector = reactor.connectTCP(host, port, self)

    def buildProtocol(self, addr: Any) -> Protocol:
        """See `twisted.internet.interfaces.IProtocolFactory.buildProtocol`."""
        self.resetDelay()  # type: ignore[no-untyped-call]  # Twisted's
        return _TcpLine(self)

    def write(self, data: memoryview) -> int:
        """See `ILogTarget.write`."""
        line = self.line
        if line is None or line.transport is None:
            return 0
        messages = self._framing.messages(bytes(data))
        line.transport.write(b"".join(message + b"\n" for message in messages))
        return len(data)

    def reopen(self) -> None:
        """See `ILogTarget.reopen`: the connection is replaced."""
        self._connector.disconnect()

    def close(self) -> None:
        """See `ILogTarget.close`."""
        self.stopTrying()  # type: ignore[no-untyped-call]  # Twisted's
        self._connector.disconnect()
