"""A TCP relay: ``PORT UPSTREAM_HOST UPSTREAM_PORT``.

The reactor is Twisted's default, on Linux that on epoll.
"""

from __future__ import annotations

import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ClientFactory, Factory, Protocol


class Side(Protocol):
    """One of the two connections; what it reads the other one writes."""

    transport: Any
    other: Side | None = None

    def join(self, other: Side) -> None:
        """Connect both sides and let each pause the other when it cannot write."""
        self.other, other.other = other, self
        self.transport.registerProducer(other.transport, True)
        other.transport.registerProducer(self.transport, True)

    def dataReceived(self, octets: bytes) -> None:
        """Pass octets on."""
        if self.other is not None:
            self.other.transport.write(octets)

    def connectionLost(self, reason: Any = None) -> None:
        """Close the other side when what it still has to write is written."""
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            other.transport.unregisterProducer()
            other.transport.loseConnection()


class UpstreamSide(Side):
    """The connection to the upstream.

    :param downstream: the connection it is made for, paused until now.
    """

    def __init__(self, downstream: Side) -> None:
        self.downstream = downstream

    def connectionMade(self) -> None:
        """Join the downstream connection and let it read."""
        self.transport.setTcpNoDelay(True)
        if self.downstream.transport.disconnected:
            self.transport.loseConnection()
            return
        self.downstream.join(self)
        self.downstream.transport.resumeProducing()


class Upstream(ClientFactory):
    """Connects once for one downstream connection."""

    noisy = False

    def __init__(self, downstream: Side) -> None:
        self.downstream = downstream

    def buildProtocol(self, addr: IAddress | None) -> UpstreamSide:
        """Return the other side."""
        return UpstreamSide(self.downstream)

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        """Close the downstream connection."""
        self.downstream.transport.loseConnection()


class DownstreamSide(Side):
    """The connection of a client: nothing is read before the upstream is there.

    :param listener: knows where to connect to.
    """

    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def connectionMade(self) -> None:
        """Connect to the upstream."""
        self.transport.setTcpNoDelay(True)
        self.transport.pauseProducing()
        listener = self.listener
        listener.reactor.connectTCP(listener.host, listener.port, Upstream(self))


class Listener(Factory):
    """Makes downstream connections and knows where they go."""

    noisy = False

    def __init__(self, reactor: Any, host: str, port: int) -> None:
        self.reactor = reactor
        self.host = host
        self.port = port

    def buildProtocol(self, addr: IAddress | None) -> DownstreamSide:
        """Return the side of a client."""
        return DownstreamSide(self)


def main(arguments: list[str], reactor: Any) -> None:
    """Relay until a signal comes."""
    port, host, upstream = arguments
    listener = Listener(reactor, host, int(upstream))
    reactor.listenTCP(int(port), listener, 16384, "127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(sys.argv[1:], reactor)
