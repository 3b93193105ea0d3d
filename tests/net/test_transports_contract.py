"""The contract of connections, on `mosntx.net.transports` and real sockets."""

from __future__ import annotations

import socket

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connection import Connection
from mosntx.net.timers import TimerWheel
from mosntx.net.transports import UnixServer
from mosntx.net.turns import turnOf
from mosntx.testing.contracts.network import ConnectionSuite
from tests.net.sockets import NotingReactor, Pair


class Prompt(UnixServer):
    """Ends its turn after each write, for the suite looks at once."""

    def write(self, data):
        """See ``ITransport``."""
        super().write(data)
        turnOf(self.reactor).flush()


class ContractTests(ConnectionSuite, SynchronousTestCase):
    """`ConnectionSuite` with a kernel below."""

    def setUp(self):
        self.reactor = NotingReactor()
        self.wheel = TimerWheel(self.reactor, self.reactor.seconds)
        self.gone = []

    def connection(self):
        self.sent = b""
        self.made = Connection(1, self.wheel, lambda made: None, self.gone.append)
        self.pair = Pair(self.reactor, self.made, Prompt)
        self.addCleanup(self.pair.close)
        self.made.makeConnection(self.pair.transport)
        return self.made

    def deliver(self, data):
        self.pair.peer.send(data)
        if self.pair.transport in self.reactor.readers:
            self.reactor.read(self.pair.transport)

    def written(self):
        self.sent += self.pair.arrived()
        return self.sent

    def finish(self):
        self.pair.peer.shutdown(socket.SHUT_WR)
        self.reactor.read(self.pair.transport)

    def lose(self):
        self.reactor.endTurn()
        if not self.gone:
            self.pair.transport.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((self.gone.pop(), self.gone), (self.made, []))
        self.assertEqual(self.wheel.active, 0)

    def block(self):
        if self.pair.transport.producer is not None:
            self.pair.transport.producer.pauseProducing()

    def unblock(self):
        if self.pair.transport.producer is not None:
            self.pair.transport.producer.resumeProducing()
