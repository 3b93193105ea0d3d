"""Opening connections, on a reactor in memory."""

from __future__ import annotations

from errno import ECONNREFUSED, EMFILE, ENOENT
from itertools import count
from typing import Any

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectBindError, ConnectError, ConnectionRefusedError
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.policies import WrappingFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import CONNECT_TIMEOUT, IConnection, IConnector
from mosntx.net.connector import ConnectFailed, Connector, ConnectTimeout
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import EventRecorder, FakeReceiver, FakeTransport
from tests.net.test_names import Resolver, v4


class ConnectorTests(SynchronousTestCase):
    """From an address to a connection."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.resolver = Resolver()
        self.reactor.installNameResolver(self.resolver)
        self.wheel = TimerWheel(self.reactor, self.reactor.seconds)
        self.recorder = EventRecorder()
        self.receiver = FakeReceiver()
        self.connector = Connector(self.reactor, self.wheel, count(1))

    def connect(self, address="192.0.2.1:80"):
        return self.connector.connect(address, 3.0, self.receiver, [self.recorder])

    def accept(self, index=0):
        """The peer accepts; return the transport."""
        _host, _port, factory, timeout, bind = self.reactor.tcpClients[index]
        self.assertEqual((timeout, bind), (None, None))
        return FakeTransport(factory.buildProtocol(None))

    def refuse(self, index=0, error=None):
        """The peer does not."""
        error = ConnectionRefusedError(ECONNREFUSED) if error is None else error
        self.reactor.tcpClients[index][2].clientConnectionFailed(
            self.reactor.connectors[index], Failure(error)
        )

    def test_interface(self):
        """The connector provides its contract."""
        verifyObject(IConnector, self.connector)

    def test_connected(self):
        """The receiver has the connection when the Deferred fires."""
        when = []

        def look(connection):
            when.append(list(self.receiver.log))
            return connection

        opened = self.connect().addCallback(look)
        self.accept()
        connection = self.successResultOf(opened)
        verifyObject(IConnection, connection)
        self.assertEqual(when, [["connectionMade"]])
        self.assertIs(self.receiver.connection, connection)
        self.assertEqual((self.recorder.events, self.wheel.active), (["connected"], 0))
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.1", 80))

    def test_life(self):
        """An opened connection lives and ends as an accepted one does (row N5)."""
        opened = self.connect()
        transport = self.accept()
        self.successResultOf(opened).write(b"x")
        self.assertEqual(transport.value(), b"x")
        transport.end()
        self.assertEqual(self.recorder.events, ["connected", "remote close"])
        self.assertEqual(self.receiver.log, ["connectionMade", "connectionClosed"])

    def test_refused(self):
        """A refusal names the address and says what the system says."""
        opened = self.connect()
        self.refuse()
        error = self.failureResultOf(opened, ConnectFailed).value
        self.assertEqual(str(error), "cannot connect to 192.0.2.1:80: Connection refused")
        self.assertEqual((error.address, self.receiver.log), ("192.0.2.1:80", []))
        self.assertEqual((self.recorder.events, self.wheel.active), (["connect failed"], 0))

    def test_otherFailures(self):
        """Also when there is no descriptor, or no word for it."""
        for error, reason in (
            (ConnectBindError(EMFILE, "x"), "Too many open files"),
            (ConnectError(string="odd"), "odd"),
        ):
            opened = self.connect()
            self.refuse(-1, error)
            self.assertIn(reason, self.failureResultOf(opened, ConnectFailed).value.reason)

    def test_timeout(self):
        """A peer that does not answer is given up."""
        opened = self.connect()
        self.reactor.advance(2.9)
        self.assertNoResult(opened)
        self.reactor.advance(0.2)
        error = self.failureResultOf(opened, ConnectTimeout).value
        self.assertEqual(str(error), "cannot connect to 192.0.2.1:80: no answer within 3 s")
        self.assertEqual((error.seconds, self.recorder.events), (3.0, ["connect timeout"]))
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)
        self.refuse()  # as Twisted does when connecting is stopped
        self.assertEqual(self.recorder.events, ["connect timeout"])

    def test_cancel(self):
        """Cancelling stops the attempt."""
        opened = self.connect()
        opened.cancel()
        self.failureResultOf(opened, CancelledError)
        self.assertTrue(self.reactor.connectors[0].stoppedConnecting)
        self.refuse()
        self.assertEqual((self.recorder.events, self.wheel.active), (["local close"], 0))

    def test_badAddress(self):
        """What is no address is refused at once, in words."""
        for address in ("192.0.2.1", "192.0.2.1:x", "", "http://a:80", "192.0.2.1:99999", "unix:"):
            error = self.failureResultOf(self.connect(address), ConnectFailed).value
            self.assertIn("the address", str(error))
        self.assertEqual(self.reactor.tcpClients, [])

    def test_v6(self):
        """An IPv6 address is connected to without brackets."""
        self.connect("[2001:db8::1]:443")
        self.assertEqual(self.reactor.tcpClients[0][:2], ("2001:db8::1", 443))

    def test_unix(self):
        """A unix socket is connected to by its path; so is an abstract one."""
        opened = self.connect("unix:/run/app.sock")
        path, factory, timeout, _ = self.reactor.unixClients[0]
        self.assertEqual((path, timeout), ("/run/app.sock", None))
        factory.clientConnectionFailed(None, Failure(ConnectError(ENOENT)))
        self.assertIn("No such file", str(self.failureResultOf(opened, ConnectFailed).value))
        self.connect("unix:@app")
        self.assertEqual(self.reactor.unixClients[1][0], "\0app")

    def test_name(self):
        """A name is looked up first."""
        opened = self.connect("a.example:80")
        self.assertEqual(self.reactor.tcpClients, [])
        self.resolver.answer("a.example", v4("192.0.2.7"))
        self.assertEqual(self.reactor.tcpClients[0][:2], ("192.0.2.7", 80))
        self.accept()
        self.successResultOf(opened)

    def test_nameUnknown(self):
        """A name without address fails, and is not asked for again for a while."""
        opened = self.connect("a.example:80")
        self.resolver.answer("a.example")
        for attempt in (opened, self.connect("a.example:80")):
            error = self.failureResultOf(attempt, ConnectFailed).value
            self.assertEqual(str(error), "cannot connect to a.example:80: no such host")

    def test_allAddresses(self):
        """The addresses of a name are tried in turn; the bad ones come last the next time."""
        opened = self.connect("a.example:80")
        self.resolver.answer("a.example", v4("192.0.2.7"), v4("192.0.2.8"))
        self.refuse()
        self.assertNoResult(opened)
        self.assertEqual(self.reactor.tcpClients[1][0], "192.0.2.8")
        self.accept(1)
        self.successResultOf(opened)
        self.receiver = FakeReceiver()
        self.connect("a.example:80")
        self.assertEqual(self.reactor.tcpClients[2][0], "192.0.2.8")

    def test_allAddressesFail(self):
        """When no address of a name can be connected to, the last reason counts."""
        opened = self.connect("a.example:80")
        self.resolver.answer("a.example", v4("192.0.2.7"), v4("192.0.2.8"))
        self.refuse(0)
        self.refuse(1)
        self.failureResultOf(opened, ConnectFailed)
        self.assertEqual((self.wheel.active, self.recorder.events), (0, ["connect failed"]))

    def test_addressTimeout(self):
        """An address that does not answer comes last the next time."""
        opened = self.connect("a.example:80")
        self.resolver.answer("a.example", v4("192.0.2.7"), v4("192.0.2.8"))
        self.reactor.advance(3.1)
        self.failureResultOf(opened, ConnectTimeout)
        self.connect("a.example:80")
        self.assertEqual(self.reactor.tcpClients[1][0], "192.0.2.8")

    def test_resolverTimeout(self):
        """The timeout covers looking the name up; a late answer is remembered, and no more."""
        opened = self.connect("a.example:80")
        self.reactor.advance(3.1)
        self.failureResultOf(opened, ConnectTimeout)
        self.resolver.answer("a.example", v4("192.0.2.7"))
        self.assertEqual(self.reactor.tcpClients, [])
        self.assertEqual(self.recorder.events, ["connect timeout"])

    def test_cancelWhileLookingUp(self):
        """Cancelling leaves the resolver."""
        opened = self.connect("a.example:80")
        opened.cancel()
        self.failureResultOf(opened, CancelledError)
        self.resolver.answer("a.example", v4("192.0.2.7"))
        self.assertEqual((self.reactor.tcpClients, self.wheel.active), ([], 0))

    def test_receiverFails(self):
        """A receiver that raises when it gets the connection fails the attempt."""

        class Broken(FakeReceiver):
            def connectionMade(self, connection):
                raise ValueError("broken")

        self.receiver = Broken()
        opened = self.connect()
        transport = self.accept()
        self.failureResultOf(opened, ValueError)
        self.assertTrue(transport.disconnected)

    def test_wrap(self):
        """Something may stand between connection and transport, as TLS will."""
        self.connector = Connector(self.reactor, self.wheel, count(1), wrap=WrappingFactory)
        opened = self.connect()
        factory: Any = self.reactor.tcpClients[0][2]
        self.assertIsInstance(factory, WrappingFactory)
        FakeTransport(factory.buildProtocol(None))
        self.successResultOf(opened).write(b"x")
        self.assertEqual(next(iter(factory.protocols)).transport.value(), b"x")

    def test_settings(self):
        """Connections get the connector's limits, and numbers of their own."""
        self.connector = Connector(
            self.reactor, self.wheel, count(5), bufferLimit=77, idleTimeout=4.0
        )
        opened = self.connect()
        transport = self.accept()
        self.assertEqual((self.successResultOf(opened).id, transport.bufferSize), (5, 77))
        self.reactor.pump([1.0] * 6)
        self.assertEqual(self.recorder.events, ["connected", "idle"])

    def test_events(self):
        """A connection that was not made is closed by the event that says why."""
        seen = []

        class Looking(EventRecorder):
            def connectionEvent(self, connection, event):
                seen.append((connection.closed, connection.closeEvent))

        self.recorder = Looking()
        opened = self.connect()
        self.reactor.advance(4.0)
        self.failureResultOf(opened, ConnectTimeout)
        self.assertEqual(seen, [(True, CONNECT_TIMEOUT)])
