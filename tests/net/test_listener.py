"""Listeners, on a reactor in memory."""

from __future__ import annotations

from itertools import count
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.policies import WrappingFactory
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from mosntx.contracts.net import (
    CONTINUE,
    LISTENER_CLOSED,
    LISTENER_DRAINING,
    LISTENER_NEW,
    LISTENER_OPEN,
    STOP,
    IConnectionEventHandler,
    IListenerEventHandler,
    IListenerFilter,
    INetworkFilterFactory,
)
from mosntx.net.filters import NetworkFilter
from mosntx.net.listener import BindFailed, Listener, ListenerOptions, spareDescriptors
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import EventRecorder, FakeReceiver, FakeTransport


@implementer(INetworkFilterFactory)
class Giving:
    """Gives each connection to a new receiver."""

    name = "giving"

    def __init__(self):
        self.receivers = []

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        receiver = FakeReceiver()
        self.receivers.append(receiver)

        class Filter(NetworkFilter):
            def newConnection(self):
                connection.handOver(receiver, b"")
                return STOP

        return Filter()


@implementer(IListenerFilter)
class Choosing:
    """Does with connections what a test says."""

    name = "choosing"

    def __init__(self, choose):
        self.choose = choose

    def accepted(self, connection):
        """See `IListenerFilter.accepted`."""
        return self.choose(connection)


class Numbered(FakeTransport):
    """A transport with a file descriptor."""

    def fileno(self):
        """See ``IFileDescriptor``."""
        return 100


class ListenerTests(SynchronousTestCase):
    """States, connections, limits."""

    def setUp(self):
        self.reactor = MemoryReactorClock()
        self.wheel = TimerWheel(self.reactor, self.reactor.seconds)
        self.recorder = EventRecorder()
        self.giving = Giving()

    def listener(self, address="127.0.0.1:8080", **settings):
        return Listener(
            "main",
            address,
            self.reactor,
            self.wheel,
            count(1),
            [self.giving],
            eventHandlers=[self.recorder],
            **settings,
        )

    def started(self, **settings):
        listener = self.listener(**settings)
        listener.start()
        self.recorder.events.clear()
        return listener

    def accept(self, index=0, make=FakeTransport):
        """A client connects; return its transport, ``None`` when it was refused."""
        connection = self.reactor.tcpServers[index][1].buildProtocol(None)
        return None if connection is None else make(connection)

    def test_interfaces(self):
        """The fakes of these tests provide their contracts."""
        verifyObject(INetworkFilterFactory, self.giving)
        verifyObject(IListenerEventHandler, self.recorder)
        verifyObject(IConnectionEventHandler, self.recorder)
        verifyObject(IListenerFilter, Choosing(None))

    def test_start(self):
        """Starting binds the address with the backlog."""
        listener = self.listener(options=ListenerOptions(backlog=7))
        self.assertEqual(listener.state, LISTENER_NEW)
        listener.start()
        port, _, backlog, interface = self.reactor.tcpServers[0]
        self.assertEqual((port, backlog, interface), (8080, 7, "127.0.0.1"))
        self.assertEqual(
            (listener.state, self.recorder.events), (LISTENER_OPEN, [("opened", "main")])
        )
        self.assertIn("8080", listener.boundAddress)

    def test_addressForms(self):
        """An address may lack the host, or be IPv6."""
        self.listener(":80").start()
        self.listener("[::1]:80").start()
        self.assertEqual([server[3] for server in self.reactor.tcpServers], ["", "::1"])

    def test_badAddress(self):
        """What is no address cannot be bound, in words."""
        with self.assertRaises(BindFailed) as caught:
            self.listener("nonsense").start()
        self.assertEqual(
            str(caught.exception), "cannot listen on nonsense: the address the port is missing"
        )

    def test_virtual(self):
        """A listener that is not to bind opens nothing, and ends all the same."""
        listener = self.listener(options=ListenerOptions(bindPort=False))
        listener.start()
        self.assertEqual((self.reactor.tcpServers, self.recorder.events), ([], []))
        self.assertEqual((listener.state, listener.boundAddress), (LISTENER_OPEN, "127.0.0.1:8080"))
        self.successResultOf(listener.drain())
        self.assertEqual(listener.state, LISTENER_CLOSED)

    def test_accept(self):
        """A connection is served by the filters, counted, and told of."""
        listener = self.started(connectionHandlers=[self.recorder])
        transport = self.accept()
        self.assertEqual(self.recorder.events, ["connected", ("accepted", 1)])
        self.assertEqual((listener.accepted, listener.active, listener.refused), (1, 1, 0))
        listener.connections[0].dataReceived(b"abc")
        listener.connections[0].write(b"de")
        self.assertEqual(self.giving.receivers[0].received, b"abc")
        self.assertEqual((listener.bytesRead, listener.bytesWritten), (3, 2))
        transport.end()
        self.assertEqual((listener.active, listener.bytesRead, listener.bytesWritten), (0, 3, 2))
        self.assertEqual(self.recorder.events[-1], "remote close")

    def test_newFilters(self):
        """Filters and options may be replaced: new connections have the new ones."""
        listener = self.started()
        self.accept()
        listener.filterFactories = []
        listener.options = ListenerOptions(bufferLimit=99)
        transport = self.accept()
        self.assertTrue(transport.disconnecting)
        self.assertEqual((transport.bufferSize, len(self.giving.receivers)), (99, 1))

    def test_maxConnections(self):
        """More connections than the limit are closed at once and counted."""
        listener = self.started(options=ListenerOptions(maxConnections=2))
        first, _ = self.accept(), self.accept()
        self.assertIsNone(self.accept())
        self.assertEqual((listener.accepted, listener.active, listener.refused), (2, 2, 1))
        self.assertEqual(
            self.recorder.events[-1], ("refused", "2 connections are open, which is the limit")
        )
        first.end()
        self.assertIsNotNone(self.accept())

    def test_spareDescriptors(self):
        """Connections do not use up the descriptors that upstream connections need (case 63)."""
        listener = self.started(options=ListenerOptions(maxDescriptor=100))
        transport = self.accept(make=Numbered)
        self.assertTrue(transport.disconnected)
        self.assertEqual((listener.refused, listener.accepted, self.giving.receivers), (1, 0, []))
        self.assertEqual(self.recorder.events, [("refused", "too few file descriptors are left")])
        transport.end()
        self.assertEqual(listener.active, 0)
        self.assertGreater(spareDescriptors(), 0)

    def test_listenerFilters(self):
        """Listener filters see a connection first, in order, until one stops."""
        seen = []

        def looking(name, verdict):
            def look(connection):
                seen.append(name)
                return verdict

            return Choosing(look)

        listener = self.started(
            listenerFilters=[looking("a", CONTINUE), looking("b", STOP), looking("c", STOP)]
        )
        self.accept()
        self.assertEqual((seen, self.giving.receivers, listener.accepted), (["a", "b"], [], 0))

    def test_listenerFilterFails(self):
        """A listener filter that raises costs its connection."""
        self.started(listenerFilters=[Choosing(lambda connection: 1 // 0)])
        self.assertTrue(self.accept().disconnected)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_anotherListener(self):
        """A listener filter may give a connection to another listener (original destination)."""
        other = self.listener(options=ListenerOptions(bindPort=False))
        other.start()

        def move(connection):
            listener.release(connection)
            other.serve(connection)
            return STOP

        listener = self.started(listenerFilters=[Choosing(move)])
        transport = self.accept()
        self.assertEqual((listener.active, other.active, other.accepted), (0, 1, 1))
        listener_gone = listener.drain()
        transport.end()
        self.assertEqual((other.active, len(self.giving.receivers)), (0, 1))
        self.successResultOf(listener_gone)

    def test_serveWhenClosed(self):
        """A listener that is closed serves no connection of another."""
        other = self.listener(options=ListenerOptions(bindPort=False))
        self.started(
            listenerFilters=[Choosing(lambda connection: (other.serve(connection), STOP)[1])]
        )
        self.assertTrue(self.accept().disconnected)
        self.assertEqual(self.recorder.events, [("refused", "the listener is closed")])

    def test_drain(self):
        """Draining closes the port, tells the receivers, and waits for the last connection."""
        listener = self.started()
        first, second = self.accept(), self.accept()
        drained = listener.drain()
        self.assertEqual(
            (listener.state, self.recorder.events[-1]), (LISTENER_DRAINING, ("draining", "main"))
        )
        self.assertEqual([each.log[-1] for each in self.giving.receivers], ["drain", "drain"])
        again = listener.drain()
        first.end()
        self.assertNoResult(drained)
        second.end()
        self.successResultOf(drained)
        self.successResultOf(again)
        self.successResultOf(listener.drain())
        self.assertEqual(
            (listener.state, self.recorder.events[-1]), (LISTENER_CLOSED, ("closed", "main"))
        )
        self.assertEqual(self.recorder.events.count(("closed", "main")), 1)

    def test_stop(self):
        """Stopping aborts what is left, also after draining has begun."""
        listener = self.started()
        transport = self.accept()
        drained = listener.drain()
        self.assertFalse(transport.disconnected)
        stopped = listener.stop()
        self.assertTrue(transport.disconnected)
        self.assertNoResult(stopped)
        transport.end()
        self.successResultOf(drained)
        self.successResultOf(stopped)

    def test_stopBeforeStart(self):
        """A listener that never opened is closed at once."""
        listener = self.listener()
        self.successResultOf(listener.stop())
        self.assertEqual(listener.state, LISTENER_CLOSED)

    def test_cancelledWait(self):
        """Who waits for the end may stop waiting."""
        listener = self.started()
        transport = self.accept()
        waiting, other = listener.drain(), listener.drain()
        waiting.addErrback(lambda failure: None)
        waiting.cancel()
        transport.end()
        self.successResultOf(other)

    def test_brokenEventHandler(self):
        """What an event handler raises does not reach the listener."""

        class Broken(EventRecorder):
            def connectionAccepted(self, listener, connection):
                raise ValueError("broken")

        self.recorder = Broken()
        self.started()
        self.accept()
        self.assertEqual(len(self.giving.receivers), 1)
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_inheritedSocket(self):
        """A socket that is open already may be served instead of binding the address."""
        listener = self.listener(openPort=lambda factory: self.reactor.listenTCP(9, factory))
        listener.start()
        self.assertEqual([server[0] for server in self.reactor.tcpServers], [9])
        self.accept()
        self.assertEqual(listener.active, 1)

    def test_portCannotBeClosed(self):
        """A port that fails to close does not keep the listener from its end."""

        class Port:
            def stopListening(self):
                raise ValueError("stuck")

        listener = self.started(openPort=lambda factory: Port())
        self.successResultOf(listener.drain())
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_wrap(self):
        """Something may stand between connections and transports, as TLS will."""
        listener = self.started(wrap=WrappingFactory)
        self.accept()
        self.assertEqual(listener.active, 1)
        listener.connections[0].write(b"x")
        factory: Any = self.reactor.tcpServers[0][1]
        wrapper = next(iter(factory.protocols))
        self.assertEqual(wrapper.transport.value(), b"x")

    def test_idleTimeout(self):
        """Connections have the listener's idle timeout."""
        self.started(options=ListenerOptions(idleTimeout=4.0))
        transport = self.accept()
        self.reactor.pump([1.0] * 5)
        self.assertTrue(transport.disconnecting)

    def test_hold(self):
        """While it is held the port is not read; it goes on as if nothing had been."""

        class Port:
            reading = True

            def stopReading(self):
                self.reading = False

            def startReading(self):
                self.reading = True

            def stopListening(self):
                pass

        port = Port()
        listener = self.started(openPort=lambda factory: port)
        listener.resume()
        listener.hold()
        self.assertFalse(port.reading)
        listener.resume()
        self.assertTrue(port.reading)
        listener.hold()
        listener.stop()
        listener.resume()
        self.assertFalse(port.reading)
