r"""A Sidecar inside a test: no sockets, virtual time, every octet in the hands of the test.

::

    mesh = MemoryMesh(CONFIG)
    client = mesh.client("front")
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    upstream = mesh.upstream()          # completes the connect that the request has caused
    upstream.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    client.take()                       # the octets that the client got
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost, ConnectionRefusedError
from twisted.internet.interfaces import IProtocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from mosntx.net.ports import sharedBinding
from mosntx.service.sidecar import Sidecar


class MemoryTransport(StringTransport):
    """A transport whose other end is a `Peer`.

    Losing the connection takes effect in the next loop turn, as with a real one. A write buffer is
    full when the test says so.
    """

    bufferSize = 65536

    def __init__(self, reactor: MemoryReactorClock, port: int, peerPort: int) -> None:
        super().__init__(  # type: ignore[no-untyped-call]  # Twisted's
            hostAddress=IPv4Address("TCP", "127.0.0.1", port),
            peerAddress=IPv4Address("TCP", "127.0.0.1", peerPort),
        )
        self._reactor = reactor
        self.protocol: Any = None
        self.lost = False
        self.writeEnded = False

    def loseConnection(self) -> None:
        """End after what is buffered: here at the next turn."""
        if not self.disconnecting:
            self.disconnecting = True
            self._reactor.callLater(0, self.lose, ConnectionDone())

    def loseWriteConnection(self) -> None:
        """Send a FIN."""
        self.writeEnded = True

    def abortConnection(self) -> None:
        """End at once: here at the next turn."""
        self.disconnecting = True
        self._reactor.callLater(0, self.lose, ConnectionLost())

    def lose(self, reason: Exception) -> None:
        """The connection is gone."""
        if not self.lost:
            self.lost = True
            self.connected = False
            self.protocol.connectionLost(Failure(reason))


class Peer:
    """The other end of one connection: what a client or an upstream does."""

    def __init__(self, transport: MemoryTransport, protocol: Any) -> None:
        self.transport = transport
        transport.protocol = protocol
        protocol.makeConnection(transport)

    @property
    def reading(self) -> bool:
        """The Sidecar takes octets of this connection at the moment."""
        return bool(self.transport.producerState == "producing")

    @property
    def closed(self) -> bool:
        """The Sidecar has closed this connection."""
        return self.transport.lost or self.transport.disconnecting or self.transport.writeEnded

    def _producer(self) -> Any:
        producer = self.transport.producer
        if producer is None:
            raise AssertionError("nobody produces for this connection")
        return producer

    def send(self, data: bytes) -> None:
        """Send octets to the Sidecar."""
        if not self.transport.lost:
            self.transport.protocol.dataReceived(data)

    def take(self) -> bytes:
        """Return and forget what the Sidecar has sent."""
        octets: bytes = self.transport.value()  # type: ignore[no-untyped-call]  # Twisted
        self.transport.clear()  # type: ignore[no-untyped-call]  # Twisted
        return octets

    def finish(self) -> None:
        """Send a FIN: nothing more will be sent, but reading goes on."""
        if not self.transport.lost:
            self.transport.protocol.readConnectionLost()

    def reset(self) -> None:
        """Send a RST."""
        self.transport.lose(ConnectionLost())

    def block(self) -> None:
        """Read no more: the Sidecar's write buffer is full."""
        self._producer().pauseProducing()

    def unblock(self) -> None:
        """Read again: the Sidecar's write buffer is empty."""
        self._producer().resumeProducing()


class MemoryMesh:
    """One Sidecar with everything around it played by the test.

    :param config: as `Sidecar.fromConfig`.
    :param options: of the Sidecar.
    """

    def __init__(self, config: Mapping[str, Any] | str, **options: Any) -> None:
        self.reactor = MemoryReactorClock()
        seconds = self.reactor.seconds
        self.sidecar = Sidecar.fromConfig(
            config,
            reactor=self.reactor,
            seconds=seconds,
            wallSeconds=seconds,
            random=options.pop("random", None) or Random(1),
            **options,
        )
        self.sidecar.startService()
        self._taken = 0
        self._ports = 50000
        #: All connections so far, those of clients and those to upstreams.
        self.peers: list[Peer] = []

    def advance(self, seconds: float) -> None:
        """Let time pass: whatever is due meanwhile happens at its own time."""
        reactor = self.reactor
        end = reactor.seconds() + seconds
        while True:
            due = [call.getTime() for call in reactor.getDelayedCalls()]
            if not due or min(due) > end:
                break
            # set, not added up: a sum may be rounded to just before the time that is due
            reactor.rightNow = max(min(due), reactor.seconds())
            reactor.advance(0)
        reactor.rightNow = max(end, reactor.seconds())

    @property
    def timers(self) -> int:
        """Calls that the Sidecar has asked the reactor for and that are still to come."""
        return len(self.reactor.getDelayedCalls())

    def value(self, key: str, **labels: str) -> float:
        """Return what a counter says now, summed over all scopes that have these labels."""
        wanted = set(labels.items())
        return sum(
            value
            for _type, has, name, _kind, value in self.sidecar.stats.samples()
            if name == key and wanted <= set(has)
        )

    def hangUp(self) -> None:
        """Close every connection from the other end, and let the Sidecar notice."""
        for peer in self.peers:
            peer.reset()
        self.advance(0)

    def client(self, listener: str) -> Peer:
        """Connect to a listener."""
        host, _, number = self.sidecar.listeners[listener].address.rpartition(":")
        port = int(number)
        for server in self.reactor.tcpServers:
            if server[0] in (port, sharedBinding(host, port)):
                self._ports += 1
                transport = MemoryTransport(self.reactor, port, self._ports)
                peer = IPv4Address("TCP", "127.0.0.1", self._ports)
                return self._peer(transport, server[1].buildProtocol(peer))
        raise LookupError(f"nobody listens on {port}")

    @property
    def dialled(self) -> list[tuple[str, int]]:
        """Addresses to which connects are under way, oldest first."""
        return [
            (client[0], client[1])
            for place, client in enumerate(self.reactor.tcpClients)
            if place >= self._taken and not self._givenUp(place)
        ]

    def upstream(self) -> Peer:
        """Complete the oldest connect that is under way."""
        host, port, factory, *_ = self._nextDial()
        self._ports += 1
        transport = MemoryTransport(self.reactor, self._ports, port)
        protocol: IProtocol = factory.buildProtocol(IPv4Address("TCP", host, port))
        return self._peer(transport, protocol)

    def refuse(self) -> None:
        """Fail the oldest connect that is under way."""
        _host, _port, factory, *_ = self._nextDial()
        connector = self.reactor.connectors[self._taken - 1]
        factory.clientConnectionFailed(connector, Failure(ConnectionRefusedError()))

    def _peer(self, transport: MemoryTransport, protocol: Any) -> Peer:
        peer = Peer(transport, protocol)
        self.peers.append(peer)
        return peer

    def _nextDial(self) -> Any:
        while self._taken < len(self.reactor.tcpClients):
            self._taken += 1
            if not self._givenUp(self._taken - 1):
                return self.reactor.tcpClients[self._taken - 1]
        raise LookupError("no connect is under way")

    def _givenUp(self, place: int) -> bool:
        """The Sidecar waits no longer for a connect."""
        connector: Any = self.reactor.connectors[place]
        return bool(connector.stoppedConnecting)
