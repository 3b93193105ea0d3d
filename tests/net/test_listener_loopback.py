"""Connections over real sockets, on the running reactor."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mosntx.contracts.net import (
    LOCAL_CLOSE,
    READ_ERROR_CLOSE,
    STOP,
    INetworkFilterFactory,
)
from mosntx.net.connector import ConnectFailed, Connector
from mosntx.net.filters import NetworkFilter
from mosntx.net.listener import Listener, ListenerOptions
from mosntx.net.timers import TimerWheel
from mosntx.net.transports import TcpClient, TcpServer, UnixClient, UnixServer
from mosntx.testing.net import EventRecorder, HalfClosingReceiver

#: Octets that no socket buffer of a test machine takes at once.
PLENTY = b"0123456789abcdef" * 1024 * 1024


class Waiting(HalfClosingReceiver):
    """A receiver that tests can wait for."""

    def __init__(self):
        super().__init__()
        self.waiting = []

    def until(self, condition):
        """Return a Deferred that fires when a condition of this receiver holds."""
        waiter: Deferred[Waiting] = Deferred()
        self.waiting.append((condition, waiter))
        self.look()
        return waiter

    def look(self):
        """See who need not wait any more."""
        for entry in list(self.waiting):
            if entry[0](self):
                self.waiting.remove(entry)
                entry[1].callback(self)

    def bytesReceived(self, data):
        """See `IBytesReceiver.bytesReceived`."""
        super().bytesReceived(data)
        self.look()

    def readClosed(self):
        """See `IBytesReceiver`."""
        super().readClosed()
        self.look()

    def pauseProducing(self):
        """See `IBytesReceiver`."""
        super().pauseProducing()
        self.look()

    def resumeProducing(self):
        """See `IBytesReceiver`."""
        super().resumeProducing()
        self.look()

    def connectionClosed(self, event):
        """See `IBytesReceiver.connectionClosed`."""
        super().connectionClosed(event)
        self.look()

    def drain(self):
        """See `IBytesReceiver.drain`."""
        super().drain()
        self.connection.close()


@implementer(INetworkFilterFactory)
class Accepting:
    """Gives each accepted connection to a new receiver."""

    name = "accepting"

    def __init__(self):
        self.receivers = []
        self.waiting = []

    def next(self):
        """Return a Deferred that fires with the next receiver."""
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def createFilter(self, connection):
        """See `INetworkFilterFactory.createFilter`."""
        accepting = self

        class Filter(NetworkFilter):
            def newConnection(self):
                receiver = Waiting()
                accepting.receivers.append(receiver)
                connection.handOver(receiver, b"")
                if accepting.waiting:
                    accepting.waiting.pop(0).callback(receiver)
                return STOP

        return Filter()


class LoopbackTests(TestCase):
    """What only a kernel can do."""

    timeout = 20
    network = "tcp"

    def setUp(self):
        from twisted.internet import reactor  # noqa: TID251 - the tests of real sockets run on it

        self.reactor = reactor
        self.wheel = TimerWheel(reactor, reactor.seconds)
        self.addCleanup(self.wheel.stop)
        self.accepting = Accepting()
        self.recorder = EventRecorder()
        self.ids = count(1)
        self.connector = Connector(reactor, self.wheel, self.ids)

    def start(self, **options):
        address = "127.0.0.1:0" if self.network == "tcp" else os.path.relpath(self.mktemp())
        self.listener = Listener(
            "main",
            address,
            self.reactor,
            self.wheel,
            self.ids,
            [self.accepting],
            options=ListenerOptions(network=self.network, **options),
            connectionHandlers=[self.recorder],
        )
        self.listener.start()
        self.addCleanup(self.listener.stop)
        self.address = self.listener.boundAddress
        if self.network == "unix":
            self.address = f"unix:{self.address}"

    @inlineCallbacks
    def pair(self):
        """Return both ends of a new connection: the client's receiver, and the accepted one."""
        client, accepted = Waiting(), self.accepting.next()
        connection = yield self.connector.connect(self.address, 5.0, client)
        self.addCleanup(connection.abort)
        server = yield accepted
        return client, server

    def turns(self, seconds=0.05):
        """Let the reactor run: for showing that something does not happen."""
        return deferLater(self.reactor, seconds, lambda: None)

    @inlineCallbacks
    def test_octets(self):
        """Octets go both ways; both ends agree on their addresses and counts."""
        self.start()
        client, server = yield self.pair()
        client.connection.write(b"question")
        yield server.until(lambda each: each.received == b"question")
        server.connection.write(b"answer")
        yield client.until(lambda each: each.received == b"answer")
        self.assertEqual((server.connection.bytesRead, server.connection.bytesWritten), (8, 6))
        if self.network == "tcp":
            self.assertEqual(client.connection.local, server.connection.peer)
        self.assertEqual(self.address.removeprefix("unix:"), server.connection.local)
        client.connection.close()
        yield server.until(lambda each: "readClosed" in each.log)
        server.connection.close()
        yield server.until(lambda each: each.closedBy is not None)
        self.assertEqual((client.closedBy, server.closedBy), (LOCAL_CLOSE, LOCAL_CLOSE))
        self.assertEqual((self.listener.bytesRead, self.listener.bytesWritten), (8, 6))

    @inlineCallbacks
    def test_transports(self):
        """Epoll reactors have our transports at both ends, other reactors their own."""
        self.start()
        client, server = yield self.pair()
        kinds = {type(each.connection._transport) for each in (client, server)}
        own = {TcpClient, TcpServer} if self.network == "tcp" else {UnixClient, UnixServer}
        if isinstance(self.reactor, EPollReactor):
            self.assertEqual(kinds, own)
        else:
            self.assertEqual(kinds & own, set())

    @inlineCallbacks
    def test_halfClose(self):
        """A client that has finished sending still gets a long answer (case 56)."""
        self.start()
        client, server = yield self.pair()
        client.connection.write(b"question")
        client.connection._transport.loseWriteConnection()
        yield server.until(lambda each: "readClosed" in each.log)
        self.assertEqual((server.received, server.closedBy), (b"question", None))
        yield self.turns()
        self.assertEqual(server.log.count("readClosed"), 1)
        server.connection.write(PLENTY)
        server.connection.close()
        yield client.until(lambda each: "readClosed" in each.log)
        self.assertEqual(len(client.received), len(PLENTY))

    @inlineCallbacks
    def test_reset(self):
        """A peer that aborts is seen at once, as an error; unix sockets know only ends."""
        self.start()
        client, server = yield self.pair()
        client.connection.abort()
        self.assertIsNone(client.closedBy)
        if self.network == "tcp":
            yield server.until(lambda each: each.closedBy is not None)
            self.assertEqual(server.closedBy, READ_ERROR_CLOSE)
        else:
            yield server.until(lambda each: "readClosed" in each.log)
        yield client.until(lambda each: each.closedBy is not None)
        self.assertEqual(client.closedBy, LOCAL_CLOSE)

    @inlineCallbacks
    def test_backPressure(self):
        """A writer that is faster than its reader is paused, and goes on when all was sent."""
        self.start()
        client, server = yield self.pair()
        client.connection.pauseReading()
        server.connection.write(PLENTY)
        yield server.until(lambda each: each.paused)
        server.connection.write(b"the end")
        yield self.turns()
        self.assertEqual((server.paused, client.received), (True, b""))
        client.connection.resumeReading()
        yield server.until(lambda each: not each.paused)
        yield client.until(lambda each: each.received.endswith(b"the end"))
        self.assertEqual(len(client.received), len(PLENTY) + 7)
        self.assertEqual(self.recorder.events, ["connected", "write blocked", "write resumed"])
        self.assertEqual(
            [each for each in server.log if each.endswith("Producing")],
            ["pauseProducing", "resumeProducing"],
        )

    @inlineCallbacks
    def test_closeFlushes(self):
        """What was written before a close arrives, however much it is."""
        self.start()
        client, server = yield self.pair()
        server.connection.write(PLENTY)
        server.connection.close()
        yield client.until(lambda each: "readClosed" in each.log)
        self.assertEqual(len(client.received), len(PLENTY))
        yield server.until(lambda each: each.closedBy is not None)

    @inlineCallbacks
    def test_linger(self):
        """An answer in the middle of an upload arrives: no reset destroys it."""
        self.start()
        client, server = yield self.pair()
        server.connection.pauseReading()
        client.connection.write(PLENTY)
        yield client.until(lambda each: each.paused)
        server.connection.write(b"too large")
        server.connection.close(linger=True)
        yield client.until(lambda each: "readClosed" in each.log)
        self.assertEqual((client.received, client.closedBy), (b"too large", None))
        client.connection.close()
        yield client.until(lambda each: each.closedBy is not None)
        yield server.until(lambda each: each.closedBy is not None)
        self.assertEqual((client.closedBy, server.closedBy), (LOCAL_CLOSE, LOCAL_CLOSE))

    @inlineCallbacks
    def test_drain(self):
        """Draining refuses new connections, and fires when the old ones are gone."""
        self.start()
        _, server = yield self.pair()
        yield self.listener.drain()
        self.assertEqual(server.log[-2:], ["drain", "connectionClosed"])
        failing = self.connector.connect(self.address, 5.0, Waiting())
        yield self.assertFailure(failing, ConnectFailed)

    @inlineCallbacks
    def test_drainAcceptsWhoWaits(self):
        """Connections that wait in the kernel when the port closes are served, not reset."""
        self.start()
        where: Any = self.listener.boundAddress
        if self.network == "tcp":
            host, port = where.split(":")
            where = (host, int(port))
        family = socket.AF_INET if self.network == "tcp" else socket.AF_UNIX
        clients = [socket.socket(family) for _ in range(5)]
        for client in clients:
            self.addCleanup(client.close)
            client.settimeout(5.0)
            client.connect(where)
        self.assertEqual(self.listener.accepted, 0)
        yield self.listener.drain()
        self.assertEqual(self.listener.accepted, 5)
        for client in clients:
            self.assertEqual(client.recv(1), b"")

    @inlineCallbacks
    def test_drainAcceptsWhoComesMeanwhile(self):
        """Who connects after the drain has begun and before the port is closed is served, too."""
        self.start()
        _, server = yield self.pair()
        where: Any = self.listener.boundAddress
        if self.network == "tcp":
            host, port = where.split(":")
            where = (host, int(port))
        drained = self.listener.drain()
        self.assertNotIn("drain", server.log)  # its client would connect again at once
        with socket.socket(socket.AF_INET if self.network == "tcp" else socket.AF_UNIX) as client:
            client.settimeout(5.0)
            client.connect(where)
            yield drained
            self.assertEqual((self.listener.accepted, self.listener.refused), (2, 0))
            self.assertEqual(client.recv(1), b"")
        self.assertIn("drain", server.log)

    @inlineCallbacks
    def test_maxConnections(self):
        """A connection beyond the limit is closed before it can say anything."""
        self.start(maxConnections=1)
        client, _ = yield self.pair()
        late = Waiting()
        yield self.connector.connect(self.address, 5.0, late)
        yield late.until(lambda each: "readClosed" in each.log)
        late.connection.close()
        yield late.until(lambda each: each.closedBy is not None)
        self.assertEqual((self.listener.refused, self.listener.active), (1, 1))
        self.assertIsNone(client.closedBy)


class UnixLoopbackTests(LoopbackTests):
    """The same over unix sockets."""

    network = "unix"


class OtherReactorTests(TestCase):
    """The same on the reactors that this process does not run."""

    def run_on(self, reactor):
        """Run the tests above in a process with another reactor."""
        command = [
            sys.executable,
            "-m",
            "twisted.trial",
            f"--reactor={reactor}",
            "--temp-directory",
        ]
        tests = [f"{__name__}.{each.__name__}" for each in (LoopbackTests, UnixLoopbackTests)]
        done = subprocess.run(
            [*command, os.path.abspath(self.mktemp()), *tests],
            capture_output=True,
            text=True,
            timeout=120,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_poll(self):
        """The poll reactor."""
        self.run_on("poll")

    def test_mosntx(self):
        """Our own."""
        self.run_on("mosntx")

    def test_asyncio(self):
        """The asyncio reactor."""
        self.run_on("asyncio")
