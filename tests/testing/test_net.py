"""The fakes of the NET/IO layer keep to the contracts."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import (
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
    IConnector,
    IListenerEventHandler,
)
from mosntx.testing.contracts.network import ConnectionSuite
from mosntx.testing.net import (
    EventRecorder,
    FakeConnection,
    FakeConnector,
    FakeReceiver,
    FakeTransport,
    HalfClosingReceiver,
)


class FakeConnectionTests(ConnectionSuite, SynchronousTestCase):
    """`ConnectionSuite` for the fake one."""

    def connection(self):
        self.made = FakeConnection()
        return self.made

    def deliver(self, data):
        self.made.deliver(data)

    def written(self):
        return self.made.written

    def finish(self):
        self.made.peerFinished()

    def lose(self):
        self.made.lose()

    def block(self):
        self.made.block()

    def unblock(self):
        self.made.unblock()

    def test_closing(self):
        """Tests can tell how a connection was closed."""
        for end, expected in (
            (lambda each: each.close(), (True, False, False)),
            (lambda each: each.close(linger=True), (True, True, False)),
            (lambda each: each.abort(), (True, False, True)),
        ):
            connection = self.connection()
            end(connection)
            self.assertEqual(
                (connection.closing, connection.lingering, connection.aborted), expected
            )

    def test_reading(self):
        """Tests can tell whether the peer is read, and look at pieces of what was written."""
        connection = self.connection()
        connection.pauseReading()
        self.assertFalse(connection.reading)
        connection.resumeReading()
        connection.continueReading()
        self.assertEqual((connection.reading, connection.continued), (True, 1))
        connection.write(b"x")
        self.assertEqual((connection.clear(), connection.written), (b"x", b""))


class OtherFakesTests(SynchronousTestCase):
    """Receivers, recorders, transports, connectors."""

    def test_interfaces(self):
        """Each fake provides what it stands for."""
        verifyObject(IBytesReceiver, FakeReceiver())
        verifyObject(IBytesReceiver, HalfClosingReceiver())
        verifyObject(IConnectionEventHandler, EventRecorder())
        verifyObject(IListenerEventHandler, EventRecorder())
        verifyObject(IConnector, FakeConnector())
        transport = FakeTransport(Protocol())
        for interface in (ITCPTransport, IConsumer, IPushProducer):
            verifyObject(interface, transport)

    def test_receiver(self):
        """A receiver that is stopped as a producer remembers it."""
        receiver = FakeReceiver()
        receiver.stopProducing()
        self.assertEqual(receiver.log, ["stopProducing"])

    def test_transport(self):
        """A transport remembers how its socket was set."""
        transport = FakeTransport(Protocol())
        transport.setTcpNoDelay(True)
        transport.setTcpKeepAlive(True)
        self.assertEqual((transport.getTcpNoDelay(), transport.getTcpKeepAlive()), (True, True))
        transport.loseWriteConnection()
        self.assertTrue(transport.writeFinished)

    def test_connector(self):
        """An attempt succeeds, fails or is cancelled, as a test says."""
        connector, receiver, recorder = FakeConnector(), FakeReceiver(), EventRecorder()
        opened = connector.connect("192.0.2.1:80", 3.0, receiver, [recorder])
        [attempt] = connector.attempts
        self.assertEqual((attempt.address, attempt.timeout), ("192.0.2.1:80", 3.0))
        self.assertNoResult(opened)
        connection = attempt.succeed()
        self.assertIs(self.successResultOf(opened), connection)
        verifyObject(IConnection, connection)
        self.assertEqual((receiver.log, recorder.events), (["connectionMade"], ["connected"]))
        failing = connector.connect("192.0.2.1:80", 3.0, FakeReceiver())
        connector.attempts[1].fail(ValueError("no"))
        self.failureResultOf(failing, ValueError)
        leaving = connector.connect("192.0.2.1:80", 3.0, FakeReceiver())
        leaving.cancel()
        self.failureResultOf(leaving, CancelledError)
        self.assertEqual([each.cancelled for each in connector.attempts], [False, False, True])
