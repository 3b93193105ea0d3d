"""Transports on a real pair of sockets, and a reactor for them that only takes notes."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mosntx.net.transports import TcpServer, UnixServer
from mosntx.net.turns import Turn


class NotingReactor(Clock):
    """What transports need of a reactor.

    :ivar readers: what epoll would tell of octets.
    :ivar writers: what epoll would tell of room for octets.
    :ivar armed: how often `addWriter` was called.
    :ivar turn: see `mosntx.net.turns.turnOf`.
    """

    def __init__(self):
        super().__init__()
        self.turn = Turn()
        self.readers: set[Any] = set()
        self.writers: set[Any] = set()
        self.armed = 0

    def addReader(self, reader):
        """See ``IReactorFDSet``."""
        self.readers.add(reader)

    def removeReader(self, reader):
        """See ``IReactorFDSet``."""
        self.readers.discard(reader)

    def addWriter(self, writer):
        """See ``IReactorFDSet``."""
        self.armed += 1
        self.writers.add(writer)

    def removeWriter(self, writer):
        """See ``IReactorFDSet``."""
        self.writers.discard(writer)

    def endTurn(self):
        """End one turn, then do what is due."""
        self.turn.flush()
        self.advance(0)

    def read(self, transport):
        """Let a transport read, and end it when it says so, as reactors do."""
        why = transport.doRead()
        if why is not None:
            self.removeReader(transport)
            failure = Failure(why)
            if isinstance(why, ConnectionDone):
                transport.readConnectionLost(failure)
            else:
                transport.connectionLost(failure)

    def writable(self, transport):
        """Let a transport write, and end it when it says so, as reactors do."""
        why = transport.doWrite()
        if why is not None:
            transport.connectionLost(Failure(why))


class Noting(Protocol):
    """Notes what the transport says."""

    def __init__(self):
        self.received = b""
        self.reads: list[int] = []
        self.reasons: list[type[BaseException]] = []

    def dataReceived(self, data):
        """See ``IProtocol``."""
        self.received += data
        self.reads.append(len(data))

    def connectionLost(self, reason=None):
        """See ``IProtocol``."""
        self.reasons.append(reason.type)


class Pair:
    """A transport and its peer.

    :param kind: class of the transport.
    :param room: octets of the kernel's send buffer, 0 = as it is.
    :ivar peer: a plain socket, not blocking.
    """

    def __init__(self, reactor, protocol, kind=TcpServer, room=0):
        here, self.peer = socket.socketpair()
        self.peer.setblocking(False)
        if room:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, room)
        self.socket = here
        client = None if issubclass(kind, UnixServer) else ("192.0.2.1", 4711)
        self.transport: Any = kind(here, protocol, client, None, 0, reactor)

    def close(self):
        """Close both sockets."""
        self.peer.close()
        self.socket.close()

    def arrived(self):
        """Return what has arrived at the peer since the last call."""
        pieces = []
        while True:
            try:
                piece = self.peer.recv(65536)
            except BlockingIOError:
                break
            if not piece:
                break
            pieces.append(piece)
        return b"".join(pieces)

    def ended(self):
        """Say whether the peer sees an end."""
        try:
            return self.peer.recv(1) == b""
        except BlockingIOError:
            return False
