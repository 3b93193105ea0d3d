"""Connections on a transport in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.net import (
    CONNECT_FAILED,
    LOCAL_CLOSE,
    READ_ERROR_CLOSE,
    REMOTE_CLOSE,
    STOP,
    WRITE_ERROR_CLOSE,
    IConnection,
    INetworkFilterFactory,
)
from mosntx.net.connection import DRAIN_WAIT, LINGER_TIMEOUT, Connection
from mosntx.net.filters import NetworkFilter
from mosntx.net.timers import TimerWheel
from mosntx.net.watches import WRITE_STALL_TIMEOUT
from mosntx.testing.contracts.network import ConnectionSuite
from mosntx.testing.net import EventRecorder, FakeReceiver, FakeTransport, HalfClosingReceiver


@implementer(INetworkFilterFactory)
class Only:
    """A factory of one given filter."""

    name = "only"

    def __init__(self, networkFilter):
        self.filter = networkFilter

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return self.filter


class Failing(NetworkFilter):
    """Raises at its end."""

    def connectionClosed(self, event):
        """See `INetworkFilter.connectionClosed`."""
        raise ValueError("end")


class Waiting(NetworkFilter):
    """Waits for somebody to go on."""

    closedBy = None

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        return STOP

    def connectionClosed(self, event):
        """See `INetworkFilter.connectionClosed`."""
        self.closedBy = event


class Base(SynchronousTestCase):
    """Makes connections."""

    def setUp(self):
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.gone = []
        self.recorder = EventRecorder()

    def connect(self, receiver=None, factories=None, **settings):
        connection = Connection(1, self.wheel, lambda made: None, self.gone.append, **settings)
        self.transport: Any = FakeTransport(connection)
        connection.addEventHandler(self.recorder)
        if factories is not None:
            connection.startFilters([Only(each) for each in factories])
        if receiver is not None:
            connection.handOver(receiver, b"")
            receiver.log.clear()
        return connection


class ConnectionContractTests(ConnectionSuite, Base):
    """`ConnectionSuite` for the real one."""

    def connection(self):
        self.made = self.connect()
        return self.made

    def deliver(self, data):
        self.made.dataReceived(data)

    def written(self):
        return self.transport.value()

    def finish(self):
        self.made.readConnectionLost()

    def lose(self):
        self.transport.end()
        self.assertEqual((self.gone.pop(), self.gone), (self.made, []))
        self.assertEqual(self.wheel.active, 0)

    def block(self):
        if self.transport.producer is not None:
            self.transport.producer.pauseProducing()

    def unblock(self):
        if self.transport.producer is not None:
            self.transport.producer.resumeProducing()


class ConnectionTests(Base):
    """What the contract leaves open."""

    def test_protocol(self):
        """It is a protocol to Twisted."""
        connection = self.connect()
        verifyObject(IProtocol, connection)
        verifyObject(IHalfCloseableProtocol, connection)
        verifyObject(IConnection, connection)

    def test_made(self):
        """It knows both addresses; the socket is set up; who made it is told."""
        made: list[Connection] = []
        connection = Connection(7, self.wheel, made.append, self.gone.append, bufferLimit=1234)
        transport = FakeTransport(connection)
        self.assertEqual(made, [connection])
        self.assertEqual(
            (connection.id, connection.local, connection.peer, connection.tls),
            (7, "192.0.2.254:80", "192.0.2.1:4711", False),
        )
        self.assertEqual(
            (transport.noDelay, transport.keepAlive, transport.bufferSize), (True, True, 1234)
        )
        self.assertEqual(connection.descriptor(), -1)

    def test_noCycles(self):
        """A connection that has ended holds on to nothing, and nothing of its own to it."""
        connection = self.connect(FakeReceiver(), [NetworkFilter()])
        self.transport.end()
        self.assertIsNone(connection._receiver)
        self.assertIsNone(connection._chain)
        self.assertNotIn("Connection", repr(connection.dataReceived) + repr(connection._send))

    def test_readError(self):
        """A reset while reading is a read error."""
        connection = self.connect(FakeReceiver())
        self.transport.end(ConnectionLost())
        self.assertEqual(connection.closeEvent, READ_ERROR_CLOSE)
        self.assertEqual(self.recorder.events, ["read error"])

    def test_writeError(self):
        """A reset while nobody reads is a write error."""
        connection = self.connect(FakeReceiver())
        connection.pauseReading()
        self.transport.end(ConnectionLost())
        self.assertEqual(connection.closeEvent, WRITE_ERROR_CLOSE)
        connection = self.connect(HalfClosingReceiver())
        connection.readConnectionLost()
        self.transport.end(ConnectionLost())
        self.assertEqual(connection.closeEvent, WRITE_ERROR_CLOSE)

    def test_resetAfterClose(self):
        """What happens after our close does not change who closed."""
        connection = self.connect(FakeReceiver())
        connection.close()
        self.transport.end(ConnectionLost())
        self.assertEqual(connection.closeEvent, LOCAL_CLOSE)

    def test_abortedBelow(self):
        """An abort that went around the connection is ours too."""
        connection = self.connect(FakeReceiver())
        self.transport.end(ConnectionAborted())
        self.assertEqual(connection.closeEvent, LOCAL_CLOSE)

    def test_bug(self):
        """An exception that Twisted closes the connection for is a read error to others."""
        receiver = FakeReceiver()
        self.connect(receiver)
        self.transport.end(ZeroDivisionError())
        self.assertEqual(receiver.closedBy, READ_ERROR_CLOSE)

    def test_endReachesEveryone(self):
        """Handlers, filters and the receiver hear of the end, whatever the others raise."""

        class Broken(EventRecorder):
            def connectionEvent(self, connection, event):
                raise ValueError("event")

        receiver = FakeReceiver()
        connection = self.connect(receiver, [Failing()])
        connection.addEventHandler(Broken())
        self.transport.end()
        self.assertEqual((receiver.closedBy, self.recorder.events), (3, ["remote close"]))
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 2)

    def test_abortAfterClose(self):
        """Who closed may lose patience."""
        connection = self.connect(FakeReceiver())
        connection.close()
        self.assertEqual((self.transport.disconnecting, self.transport.disconnected), (True, False))
        connection.abort()
        self.assertTrue(self.transport.disconnected)

    def test_closeUnregisters(self):
        """A producer that stays registered would keep the transport open."""
        connection = self.connect(FakeReceiver())
        self.assertTrue(self.transport.streaming)
        connection.close()
        self.assertIsNone(self.transport.producer)

    def test_closeWithoutProgress(self):
        """Octets that the peer never takes do not hold a closing connection."""
        connection = self.connect(FakeReceiver())
        self.transport.dataBuffer = b"x" * 100
        connection.close()
        self.clock.pump([1.0] * int(WRITE_STALL_TIMEOUT - 1))
        self.assertFalse(self.transport.disconnected)
        self.clock.pump([1.0] * 6)
        self.assertTrue(self.transport.disconnected)
        self.transport.end(ConnectionAborted())
        self.assertEqual((connection.closeEvent, self.wheel.active), (LOCAL_CLOSE, 0))

    def test_closeWithProgress(self):
        """A peer that takes octets slowly gets them all."""
        connection = self.connect(FakeReceiver())
        self.transport.dataBuffer = b"x" * 100
        connection.close()
        for offset in range(10):
            self.transport.offset = offset
            self.clock.advance(WRITE_STALL_TIMEOUT * 0.7)
        self.assertFalse(self.transport.disconnected)

    def test_slowReader(self):
        """A peer that takes nothing while octets wait is given up (slow-read attack)."""
        receiver = FakeReceiver()
        self.connect(receiver, idleTimeout=1.0)
        self.transport.producer.pauseProducing()
        self.clock.pump([1.0] * int(WRITE_STALL_TIMEOUT - 1))
        self.assertFalse(self.transport.disconnecting)
        self.clock.pump([1.0] * 6)
        self.assertTrue(self.transport.disconnected)
        self.transport.end(ConnectionAborted())
        self.assertEqual(receiver.closedBy, WRITE_ERROR_CLOSE)

    def test_linger(self):
        """A lingering close sends our FIN, drops what comes, and waits for the peer's."""
        receiver = FakeReceiver()
        connection = self.connect(receiver)
        connection.pauseReading()
        connection.close(linger=True)
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(
            (self.transport.writeFinished, self.transport.disconnecting), (True, False)
        )
        connection.dataReceived(b"more of a body that nobody wants")
        connection.writeConnectionLost()
        self.assertEqual(receiver.log, [])
        connection.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)
        self.transport.end()
        self.assertEqual((receiver.closedBy, self.wheel.active), (LOCAL_CLOSE, 0))

    def test_lingerTimeout(self):
        """A peer that goes on sending is not listened to for ever."""
        connection = self.connect(FakeReceiver())
        connection.close(linger=True)
        self.clock.advance(LINGER_TIMEOUT)
        self.assertTrue(self.transport.disconnecting)

    def test_lingerAfterFin(self):
        """When the peer has finished there is nothing to wait for."""
        connection = self.connect(HalfClosingReceiver())
        connection.readConnectionLost()
        connection.close(linger=True)
        self.assertTrue(self.transport.disconnecting)

    def test_readsNoMoreAfterFin(self):
        """Resuming after the FIN would make the reactor report it again and again."""
        connection = self.connect(HalfClosingReceiver())
        connection.pauseReading()
        connection.readConnectionLost()
        connection.resumeReading()
        self.assertEqual(self.transport.producerState, "paused")
        connection.readConnectionLost()
        self.assertEqual(self.recorder.events, [])

    def test_notIdleWhileActive(self):
        """A connection whose receiver waits for something is left open, however long it takes."""

        class BusyReceiver(FakeReceiver):
            active = 1

        receiver = BusyReceiver()
        connection = self.connect(receiver, idleTimeout=8.0)
        self.clock.pump([1.0] * 60)
        self.assertFalse(connection.closed)
        receiver.active = 0
        self.clock.pump([1.0] * 12)
        self.assertEqual(self.recorder.events, ["idle"])

    def test_idle(self):
        """A connection without traffic is closed after its idle timeout, not before."""
        connection = self.connect(FakeReceiver(), idleTimeout=8.0)
        self.clock.pump([1.0] * 7)
        connection.dataReceived(b"x")
        self.clock.pump([1.0] * 7)
        connection.write(b"y")
        self.clock.pump([1.0] * 7)
        self.assertEqual(self.recorder.events, [])
        self.clock.pump([1.0] * 3)
        self.assertEqual(self.recorder.events, ["idle"])
        self.assertTrue(self.transport.disconnecting)
        self.transport.end()
        self.assertEqual(self.recorder.events, ["idle", "local close"])

    def test_neverIdle(self):
        """Without an idle timeout nothing watches."""
        self.connect(FakeReceiver())
        self.assertEqual(self.wheel.active, 0)

    def test_drainWithoutReceiver(self):
        """A draining connection has a moment to find its receiver."""
        connection = self.connect(factories=[Waiting()])
        connection.drain()
        connection.drain()
        self.assertFalse(self.transport.disconnecting)
        self.clock.advance(DRAIN_WAIT)
        self.assertTrue(self.transport.disconnecting)
        self.assertEqual(self.recorder.events, ["draining"])

    def test_drainThenHandOver(self):
        """A receiver that comes in time is told to drain, after what is pending."""
        connection = self.connect(factories=[Waiting()])
        connection.drain()
        receiver = FakeReceiver()
        connection.handOver(receiver, b"x")
        self.assertEqual(receiver.log, ["connectionMade", "bytesReceived", "drain"])
        self.clock.advance(DRAIN_WAIT)
        self.assertFalse(self.transport.disconnecting)

    def test_handOverWhileClosing(self):
        """A receiver that comes between close and end gets nothing but the end."""
        connection, receiver = self.connect(), FakeReceiver()
        connection.close()
        connection.handOver(receiver, b"x")
        self.assertEqual(receiver.log, [])
        self.transport.end()
        self.assertEqual(receiver.log, ["connectionClosed"])

    def test_receiverClosesWhileItIsMade(self):
        """A receiver may close at once: nothing more is done with the connection."""

        class Closing(HalfClosingReceiver):
            def connectionMade(self, connection):
                connection.close()

        connection, receiver = self.connect(), Closing()
        connection.drain()
        connection.handOver(receiver, b"x")
        self.assertEqual(receiver.log, [])

    def test_failed(self):
        """A connection that never came to be says why."""
        connection = Connection(1, self.wheel, self.gone.append, self.gone.append)
        connection.addEventHandler(self.recorder)
        connection.failed(CONNECT_FAILED)
        self.assertEqual(self.recorder.events, ["connect failed"])
        self.assertEqual((connection.closed, connection.closeEvent), (True, CONNECT_FAILED))

    def test_noFilters(self):
        """A connection without network filters is closed (MOSN)."""
        self.connect(factories=[])
        self.assertTrue(self.transport.disconnecting)

    def test_filterCannotBeMade(self):
        """A factory that raises costs its connection only."""

        class Broken(Only):
            def createFilter(self, connection):
                raise ValueError("broken")

        connection = self.connect()
        connection.startFilters([Broken(None)])
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_onlyFiltersThatKnowHearOfTheEnd(self):
        """A filter that never saw the connection does not see its end."""
        first, second = Waiting(), Waiting()
        self.connect(factories=[first, second])
        self.transport.end()
        self.assertEqual((first.closedBy, second.closedBy), (REMOTE_CLOSE, None))
