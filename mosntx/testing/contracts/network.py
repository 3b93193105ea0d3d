"""What every connection, receiver of octets and network filter keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import TestCase

from twisted.internet.task import Clock
from zope.interface.verify import verifyObject

from mosntx.contracts.net import (
    CONTINUE,
    LOCAL_CLOSE,
    REMOTE_CLOSE,
    STOP,
    IBytesReceiver,
    IConnection,
    INetworkFilter,
    INetworkFilterFactory,
)
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import EventRecorder, FakeConnection, FakeReceiver, HalfClosingReceiver

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

#: Seconds after which nothing of a connection that has ended may be pending.
LONG = 1000.0


class ConnectionSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IConnection`.

    A subclass defines the methods that play the peer and the network.
    """

    def connection(self) -> IConnection:
        """Return a new connection, the one that the methods below act on."""
        raise NotImplementedError

    def deliver(self, data: bytes) -> None:
        """Octets come from the peer."""
        raise NotImplementedError

    def written(self) -> bytes:
        """Return all octets that were sent to the peer."""
        raise NotImplementedError

    def finish(self) -> None:
        """The peer sends its FIN."""
        raise NotImplementedError

    def lose(self) -> None:
        """The connection is gone: what follows a close, or the peer's."""
        raise NotImplementedError

    def block(self) -> None:
        """The write buffer passes its high-water mark."""
        raise NotImplementedError

    def unblock(self) -> None:
        """The write buffer is empty."""
        raise NotImplementedError

    def handedOver(self, receiver: FakeReceiver | None = None) -> tuple[IConnection, FakeReceiver]:
        """Return a connection and its receiver."""
        connection = self.connection()
        receiver = FakeReceiver() if receiver is None else receiver
        connection.handOver(receiver, b"")
        receiver.log.clear()
        return connection, receiver

    def test_interface(self) -> None:
        """The connection provides its contract."""
        connection = self.connection()
        verifyObject(IConnection, connection)
        self.assertFalse(connection.closed)
        self.lose()

    def test_handOver(self) -> None:
        """The receiver learns the connection, then gets what is pending, then what comes."""
        connection, receiver = self.connection(), FakeReceiver()
        connection.handOver(receiver, b"pending")
        self.deliver(b" and later")
        self.assertEqual(receiver.log, ["connectionMade", "bytesReceived", "bytesReceived"])
        self.assertEqual(receiver.received, b"pending and later")
        self.assertIs(receiver.connection, connection)
        self.lose()

    def test_handOverTwice(self) -> None:
        """A connection has one receiver."""
        connection, _ = self.handedOver()
        with self.assertRaises(RuntimeError):
            connection.handOver(FakeReceiver(), b"")
        self.lose()

    def test_handOverTooLate(self) -> None:
        """A receiver of a connection that has ended is told so and gets nothing."""
        connection, receiver = self.connection(), FakeReceiver()
        self.lose()
        connection.handOver(receiver, b"pending")
        self.assertEqual(receiver.log, ["connectionClosed"])

    def test_counters(self) -> None:
        """Octets are counted in both directions."""
        connection, _ = self.handedOver()
        self.deliver(b"12345")
        connection.write(b"123")
        connection.write(b"4567")
        self.assertEqual((connection.bytesRead, connection.bytesWritten), (5, 7))
        self.assertEqual(self.written(), b"1234567")
        self.lose()

    def test_remoteClose(self) -> None:
        """The receiver hears of the peer's close once, and the connection says so."""
        connection, receiver = self.handedOver()
        self.lose()
        self.assertEqual((receiver.log, receiver.closedBy), (["connectionClosed"], REMOTE_CLOSE))
        self.assertEqual((connection.closed, connection.closeEvent), (True, REMOTE_CLOSE))

    def test_close(self) -> None:
        """After a close nothing is written or received; its end comes later, once."""
        for end in ("close", "abort"):
            connection, receiver = self.handedOver()
            connection.write(b"before")
            getattr(connection, end)()
            self.assertEqual(receiver.log, [])
            connection.write(b"after")
            self.deliver(b"after")
            self.assertEqual((self.written(), connection.bytesWritten), (b"before", 6))
            self.assertEqual(receiver.received, b"")
            self.lose()
            self.assertEqual((receiver.log, receiver.closedBy), (["connectionClosed"], LOCAL_CLOSE))

    def test_everythingIsHarmlessAfterTheEnd(self) -> None:
        """Each method may be called on a connection that has ended."""
        connection, receiver = self.handedOver()
        self.lose()
        connection.write(b"x")
        connection.pauseReading()
        connection.resumeReading()
        connection.continueReading()
        connection.drain()
        connection.close()
        connection.close(linger=True)
        connection.abort()
        self.assertEqual(receiver.log, ["connectionClosed"])

    def test_backPressure(self) -> None:
        """A receiver is paused and resumed in turns; event handlers hear of it."""
        connection, receiver = self.handedOver()
        recorder = EventRecorder()
        connection.addEventHandler(recorder)
        self.block()
        self.block()
        self.unblock()
        self.unblock()
        self.block()
        self.assertEqual(receiver.log, ["pauseProducing", "resumeProducing", "pauseProducing"])
        self.assertEqual(recorder.events, ["write blocked", "write resumed", "write blocked"])
        self.lose()
        self.assertEqual(receiver.log[-1], "connectionClosed")
        self.assertNotIn("stopProducing", receiver.log)

    def test_halfClose(self) -> None:
        """A receiver that can answers after the peer's FIN."""
        connection, receiver = self.handedOver(HalfClosingReceiver())
        self.finish()
        self.assertEqual((receiver.log, connection.closed), (["readClosed"], False))
        connection.write(b"answer")
        connection.close()
        self.assertEqual(self.written(), b"answer")
        self.lose()
        self.assertEqual(receiver.closedBy, LOCAL_CLOSE)

    def test_noHalfClose(self) -> None:
        """For any other receiver the FIN is the end."""
        connection, receiver = self.handedOver()
        self.finish()
        self.assertEqual((receiver.closedBy, connection.closed), (REMOTE_CLOSE, True))
        self.lose()
        self.assertEqual(receiver.log, ["connectionClosed"])

    def test_drain(self) -> None:
        """Draining is an event and goes to the receiver."""
        connection, receiver = self.handedOver()
        recorder = EventRecorder()
        connection.addEventHandler(recorder)
        connection.drain()
        self.assertEqual((recorder.events, receiver.log), (["draining"], ["drain"]))
        self.lose()


class ReceiverSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IBytesReceiver`.

    A subclass defines `receiver`.

    :ivar wheel: for the receiver.
    """

    def setUp(self) -> None:
        """Make the clock of each test."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)

    def receiver(self, connection: IConnection) -> IBytesReceiver:
        """Return a new receiver for a connection that it has not been handed yet."""
        raise NotImplementedError

    def handedOver(self) -> tuple[FakeConnection, IBytesReceiver]:
        """Return a connection and its receiver."""
        connection = FakeConnection()
        receiver = self.receiver(connection)
        connection.handOver(receiver, b"")
        return connection, receiver

    def test_interface(self) -> None:
        """The receiver provides its contract."""
        connection, receiver = self.handedOver()
        verifyObject(IBytesReceiver, receiver)
        connection.lose()

    def test_lostAtOnce(self) -> None:
        """A connection may end before its first octet, and leaves nothing pending."""
        connection, _ = self.handedOver()
        connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_idleDrain(self) -> None:
        """A drained connection on which nothing has begun is closed before long."""
        connection, _ = self.handedOver()
        connection.drain()
        self.clock.advance(LONG)
        self.assertTrue(connection.closing)
        connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_pausedWithoutStreams(self) -> None:
        """Back-pressure without anything to pause is harmless."""
        connection, _ = self.handedOver()
        connection.block()
        connection.unblock()
        connection.block()
        connection.lose()

    def test_peerFinishedAtOnce(self) -> None:
        """A peer that says nothing and leaves is closed before long."""
        connection, _ = self.handedOver()
        connection.peerFinished()
        self.clock.advance(LONG)
        self.assertTrue(connection.closing or connection.closed)
        connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_anyOctets(self) -> None:
        """No octets make a receiver raise, whole or one by one."""
        octets = bytes(range(256)) * 2
        for cut in (len(octets), 1):
            connection, _ = self.handedOver()
            for start in range(0, len(octets), cut):
                connection.deliver(octets[start : start + cut])
            connection.lose()
            self.assertEqual(self.wheel.active, 0)


class NetworkFilterSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `INetworkFilter` and `INetworkFilterFactory`.

    A subclass defines `factory`.

    :ivar wheel: for the factory.
    """

    def setUp(self) -> None:
        """Make the clock of each test."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)

    def factory(self) -> INetworkFilterFactory:
        """Return the factory under test."""
        raise NotImplementedError

    def made(self) -> tuple[FakeConnection, INetworkFilter]:
        """Return a connection and its new filter."""
        connection = FakeConnection()
        return connection, self.factory().createFilter(connection)

    def test_interfaces(self) -> None:
        """Factory and filter provide their contracts."""
        verifyObject(INetworkFilterFactory, self.factory())
        verifyObject(INetworkFilter, self.made()[1])

    def test_name(self) -> None:
        """The factory has a name as configurations have it."""
        self.assertRegex(self.factory().name, "^[a-z][a-z0-9_.]*$")

    def test_lostAtOnce(self) -> None:
        """A connection may end before its first octet; nothing stays pending."""
        _, networkFilter = self.made()
        self.assertIn(networkFilter.newConnection(), (CONTINUE, STOP))
        networkFilter.connectionClosed(REMOTE_CLOSE)
        self.clock.advance(LONG)
        self.assertEqual(self.wheel.active, 0)

    def test_lostAfterOctets(self) -> None:
        """A connection may end at any time; nothing stays pending."""
        connection, networkFilter = self.made()
        networkFilter.newConnection()
        if connection.receiver is None:
            verdict = networkFilter.bytesReceived(bytearray(b"\x00"))
            self.assertIn(verdict, (CONTINUE, STOP))
        networkFilter.connectionClosed(REMOTE_CLOSE)
        connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_connectionsDoNotDisturbEachOther(self) -> None:
        """Two connections of one factory have two filters."""
        factory = self.factory()
        first = factory.createFilter(FakeConnection(1))
        self.assertIsNot(first, factory.createFilter(FakeConnection(2)))
