"""The way of octets through a connection with network filters."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.net import CONTINUE, REMOTE_CLOSE, STOP, INetworkFilterFactory
from mosntx.net.connection import Connection
from mosntx.net.filters import NetworkFilter
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import FakeReceiver, FakeTransport, HalfClosingReceiver


@implementer(INetworkFilterFactory)
class Making:
    """A factory that calls a class."""

    name = "making"

    def __init__(self, make):
        self.make = make

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        return self.make(connection)


class Recording(NetworkFilter):
    """Looks at octets and lets them pass."""

    def __init__(self, connection):
        self.connection = connection
        self.seen = b""

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        self.seen += buffer
        return CONTINUE


class Holding(NetworkFilter):
    """Lets nothing pass while ``held``."""

    def __init__(self, connection):
        self.connection = connection
        self.held = True

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        return STOP if self.held else CONTINUE


class Giving(NetworkFilter):
    """Gives the connection away at its ``count``th octet; at once with 0."""

    def __init__(self, connection, receiver, count=0):
        self.connection = connection
        self.receiver = receiver
        self.count = count

    def newConnection(self):
        """See `INetworkFilter.newConnection`."""
        if not self.count:
            self.connection.handOver(self.receiver, b"")
        return CONTINUE if self.count else STOP

    def bytesReceived(self, buffer):
        """See `INetworkFilter.bytesReceived`."""
        if len(buffer) >= self.count:
            self.connection.handOver(self.receiver, bytes(buffer))
        return STOP


class Writing(NetworkFilter):
    """Writes what ``change`` makes of octets."""

    def __init__(self, change):
        self.change = change

    def bytesWritten(self, data):
        """See `INetworkFilter.bytesWritten`."""
        return self.change(data)


class Base(SynchronousTestCase):
    """Makes connections with filters."""

    def connect(self, *makes, receiver=None, count=0, limit=100):
        clock = Clock()
        wheel = TimerWheel(clock, clock.seconds)
        self.made: list[Any] = []

        def remember(make):
            def made(connection):
                self.made.append(make(connection))
                return self.made[-1]

            return Making(made)

        self.receiver = FakeReceiver() if receiver is None else receiver
        self.connection = Connection(
            1, wheel, lambda made: None, lambda gone: None, bufferLimit=limit
        )
        self.transport = FakeTransport(self.connection)
        factories = [remember(make) for make in makes]
        factories.append(Making(lambda connection: Giving(connection, self.receiver, count)))
        self.connection.startFilters(factories)
        return self.connection


class ReadingTests(Base):
    """Octets from the peer."""

    def test_straight(self):
        """Without filters that look at octets, nothing stands before the receiver."""
        connection = self.connect(lambda connection: NetworkFilter())
        self.assertEqual(connection.dataReceived, connection._deliver)
        connection.dataReceived(b"x")
        self.assertEqual(self.receiver.received, b"x")

    def test_front(self):
        """A filter in front sees octets before and after the connection is given away."""
        connection = self.connect(Recording, count=3)
        for octet in (b"a", b"b", b"c", b"d", b"e"):
            connection.dataReceived(octet)
        self.assertEqual(self.receiver.received, b"abcde")
        self.assertEqual(connection.bytesRead, 5)
        self.assertEqual(self.made[0].seen[-2:], b"de")

    def test_held(self):
        """A filter that stops holds octets back; they come in order when it goes on."""
        connection = self.connect(Holding)
        connection.dataReceived(b"ab")
        connection.dataReceived(b"cd")
        self.assertEqual(self.receiver.received, b"")
        self.made[0].held = False
        connection.continueReading()
        connection.dataReceived(b"ef")
        self.assertEqual(self.receiver.received, b"abcdef")

    def test_bounded(self):
        """Beyond the limit the peer is not read until a filter goes on."""
        connection = self.connect(Holding, limit=3)
        connection.dataReceived(b"abc")
        self.assertEqual(self.transport.producerState, "producing")
        connection.dataReceived(b"d")
        self.assertEqual(self.transport.producerState, "paused")
        connection.continueReading()
        self.assertEqual(self.transport.producerState, "producing")
        self.assertEqual(self.receiver.received, b"abcd")

    def test_twoReasonsToPause(self):
        """Reading goes on only when nobody has a reason against it."""
        connection = self.connect(Holding, limit=3)
        connection.pauseReading()
        connection.pauseReading()
        connection.dataReceived(b"abcd")
        connection.resumeReading()
        self.assertEqual(self.transport.producerState, "paused")
        connection.pauseReading()
        connection.continueReading()
        self.assertEqual(self.transport.producerState, "paused")
        connection.resumeReading()
        self.assertEqual(self.transport.producerState, "producing")

    def test_finWhileHeld(self):
        """The FIN comes to the receiver after the octets that a filter holds."""
        connection = self.connect(Holding, receiver=HalfClosingReceiver())
        connection.dataReceived(b"ab")
        connection.readConnectionLost()
        self.assertNotIn("readClosed", self.receiver.log)
        connection.continueReading()
        self.assertEqual(self.receiver.log, ["connectionMade", "bytesReceived", "readClosed"])

    def test_finBeforeHandOver(self):
        """A request that came with its FIN is handed over with it (case 56)."""
        for receiver, event in ((HalfClosingReceiver(), None), (FakeReceiver(), REMOTE_CLOSE)):
            connection = self.connect(Holding, receiver=receiver, count=2)
            connection.dataReceived(b"ab")
            connection.readConnectionLost()
            self.assertFalse(connection.closed)
            connection.continueReading()
            self.assertEqual((receiver.received, receiver.closedBy), (b"ab", event))

    def test_finOfSilence(self):
        """A FIN without any octets before it ends a connection that has no receiver."""
        connection = self.connect(count=1)
        connection.readConnectionLost()
        self.assertEqual((connection.closed, connection.closeEvent), (True, REMOTE_CLOSE))
        self.assertTrue(self.transport.disconnecting)

    def test_readFilterFails(self):
        """What a filter raises ends its connection, and is logged."""

        class Broken(Recording):
            def bytesReceived(self, buffer):
                raise ValueError("broken")

        connection = self.connect(Broken)
        connection.dataReceived(b"x")
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)
        connection.dataReceived(b"y")
        self.assertEqual(self.receiver.received, b"")

    def test_nobodyWantsThem(self):
        """When all filters go on and nobody takes octets, no more than the limit waits."""
        connection = Connection(
            1, TimerWheel(Clock(), Clock().seconds), lambda made: None, lambda gone: None
        )
        transport = FakeTransport(connection)
        connection.startFilters([Making(Recording)])
        connection.dataReceived(b"x" * 40000)
        self.assertEqual(transport.producerState, "paused")

    @given(st.lists(st.tuples(st.binary(max_size=8), st.booleans())), st.integers(0, 12))
    def test_nothingIsLost(self, pieces, count):
        """Whatever the cuts, the delays and the octet of the hand-over, octets stay in order."""
        connection = self.connect(Holding, Recording, count=count)
        sent = b""
        for data, held in pieces:
            self.made[0].held = held
            sent += data
            connection.dataReceived(data)
            if held:
                connection.continueReading()
        if len(sent) >= count:
            self.assertEqual(self.receiver.received, sent)
        self.assertEqual(connection.bytesRead, len(sent))


class WritingTests(Base):
    """Octets to the peer."""

    def test_straight(self):
        """Without write filters, nothing stands before the transport."""
        connection = self.connect(Recording)
        self.assertEqual(connection._send, self.transport.write)

    def test_order(self):
        """Write filters see octets in configuration order, and the count is of what was sent."""
        connection = self.connect(
            lambda connection: Writing(lambda data: data + b"1"),
            lambda connection: Writing(lambda data: data + b"2"),
        )
        connection.write(b"x")
        self.assertEqual((self.transport.value(), connection.bytesWritten), (b"x12", 3))

    def test_swallow(self):
        """A write filter may swallow octets: later ones are not asked."""
        asked: list[bytes] = []
        connection = self.connect(
            lambda connection: Writing(lambda data: None),
            lambda connection: Writing(asked.append),
        )
        connection.write(b"x")
        self.assertEqual((asked, self.transport.value(), connection.bytesWritten), ([], b"", 0))

    def test_fails(self):
        """What a write filter raises ends its connection, and is logged."""
        connection = self.connect(lambda connection: Writing(lambda data: 1 // 0))
        connection.write(b"x")
        self.assertTrue(self.transport.disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.transport.value(), b"")

    def test_afterEnd(self):
        """Octets after the end are not counted and reach no filter."""
        asked: list[bytes] = []
        connection = self.connect(lambda connection: Writing(asked.append))
        connection.close()
        connection.write(b"x")
        self.assertEqual((asked, connection.bytesWritten), ([], 0))
