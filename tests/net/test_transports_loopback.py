"""What transports owe their protocols, with a kernel between two of them.

Runs on the installed reactor, and in processes of their own on ours, on Twisted's epoll reactor and
on one that has Twisted's transports: what holds there has to hold here.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trustme
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions, PrivateCertificate
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from mosntx.config.address import parseAddress
from mosntx.net.ports import openPort
from mosntx.net.transports import connectTcp, connectUnix, isDirect, useDirect

#: Octets that no socket buffer takes at once.
PLENTY = bytes(range(256)) * 32 * 1024


@implementer(IHalfCloseableProtocol)
class End(Protocol):
    """One end of a connection: collects octets, and tests can wait for it."""

    def __init__(self):
        self.received: list[bytes] = []
        self.size = 0
        self.events: list[str] = []
        self.reason: Any = None
        self._waiting: list[Any] = []

    def until(self, condition):
        """Return a Deferred that fires when a condition of this end holds."""
        waiter: Deferred[End] = Deferred()
        self._waiting.append((condition, waiter))
        self.look()
        return waiter

    def ended(self):
        """Return a Deferred that fires with the reason of the end."""
        return self.until(lambda end: end.reason).addCallback(lambda end: end.reason)

    def look(self):
        """See who need not wait any more."""
        for entry in list(self._waiting):
            if entry[0](self):
                self._waiting.remove(entry)
                entry[1].callback(self)

    def connectionMade(self):
        """See ``IProtocol``."""
        self.events.append("made")
        self.look()

    def dataReceived(self, data):
        """See ``IProtocol``."""
        self.received.append(data)
        self.size += len(data)
        self.look()

    def readConnectionLost(self):
        """See ``IHalfCloseableProtocol``."""
        self.events.append("readLost")
        self.look()

    def writeConnectionLost(self):
        """See ``IHalfCloseableProtocol``."""
        self.events.append("writeLost")
        self.look()

    def connectionLost(self, reason=None):
        """See ``IProtocol``."""
        assert reason is not None
        self.reason = reason.type
        self.look()


@implementer(IPushProducer)
class Push:
    """Writes pieces of 64 KiB until it is paused, or has written `PLENTY`, and unregisters then."""

    def __init__(self, transport):
        self.transport = transport
        self.pauses = self.written = 0
        self.paused = False

    def run(self):
        """Go on."""
        while not self.paused and self.written < len(PLENTY):
            self.transport.write(PLENTY[self.written : self.written + 65536])
            self.written += 65536
        if self.written == len(PLENTY):
            self.transport.unregisterProducer()
            self.written += 1

    def pauseProducing(self):
        """See ``IPushProducer``."""
        self.paused = True
        self.pauses += 1

    def resumeProducing(self):
        """See ``IPushProducer``."""
        self.paused = False
        self.run()

    def stopProducing(self):
        """See ``IPushProducer``."""
        self.paused = True


@implementer(IPullProducer)
class Pull:
    """Writes a piece of 64 KiB when it is asked, and unregisters after `PLENTY`."""

    def __init__(self, transport):
        self.transport = transport
        self.written = 0

    def resumeProducing(self):
        """See ``IPullProducer``."""
        self.transport.write(PLENTY[self.written : self.written + 65536])
        self.written += 65536
        if self.written == len(PLENTY):
            self.transport.unregisterProducer()

    def stopProducing(self):
        """See ``IPullProducer``."""


if TYPE_CHECKING:
    _Case = TestCase
else:
    _Case = object


class Contract(_Case):
    """What holds whatever is below."""

    timeout = 30
    #: How a connection ends for one that aborts it.
    aborting: type[Exception] = ConnectionAborted
    #: How it ends for the peer; ``None`` when the octets just end.
    aborted: type[Exception] | None = ConnectionLost

    def setUp(self):
        from twisted.internet import reactor  # noqa: TID251 - the tests of real sockets run on it

        self.reactor: Any = reactor

    def listen(self, factory):
        """Return a port that listens."""
        address = parseAddress("127.0.0.1:0", "tcp")
        return openPort("main", address, factory, self.reactor, 50, 0)

    def connect(self, factory, port):
        """Open a connection to a port."""
        connectTcp(self.reactor, "127.0.0.1", port.getHost().port, factory)

    @inlineCallbacks
    def pair(self):
        """Return both ends of a new connection: the client's, and the accepted one."""
        client, server = End(), End()
        port = self.listen(Factory.forProtocol(lambda: server))
        self.addCleanup(port.stopListening)
        factory: Any = Factory.forProtocol(lambda: client)
        factory.doStart = factory.doStop = factory.startedConnecting = lambda *_: None
        factory.clientConnectionLost = lambda *_: None
        self.connect(factory, port)
        for end in (client, server):
            yield end.until(lambda end: "made" in end.events)
            self.addCleanup(self.abort, end)
        return client, server

    def abort(self, end):
        """Leave nothing behind."""
        if end.reason is None:
            end.transport.abortConnection()
            return end.ended()
        return None

    @inlineCallbacks
    def assertArrives(self, end):
        """Wait for `PLENTY` at an end."""
        yield end.until(lambda end: end.size >= len(PLENTY))
        self.assertEqual(end.size, len(PLENTY))
        self.assertTrue(b"".join(end.received) == PLENTY)

    @inlineCallbacks
    def test_lose(self):
        """A close waits for what is pending."""
        client, server = yield self.pair()
        server.transport.write(PLENTY)
        server.transport.loseConnection()
        yield self.assertArrives(client)
        client.transport.loseConnection()
        self.assertEqual((yield server.ended()), ConnectionDone)

    @inlineCallbacks
    def test_manySmall(self):
        """Small writes of several turns, each in its order, to and fro."""
        client, server = yield self.pair()
        for number in range(50):
            for piece in (b"%d," % number, b"head", b"", b"tail;"):
                client.transport.write(piece)
            piece = b"%d,headtail;" % number
            yield server.until(lambda end, piece=piece: b"".join(end.received).endswith(piece))
            server.transport.writeSequence([b"o", b"k"])
            yield client.until(lambda end, size=2 * number + 2: end.size >= size)
        expected = b"".join(b"%d,headtail;" % number for number in range(50))
        self.assertEqual((b"".join(server.received), client.size), (expected, 100))

    @inlineCallbacks
    def test_abort(self):
        """An abort drops what is pending; the peer hears as much of it as its kernel does."""
        client, server = yield self.pair()
        client.transport.pauseProducing()
        server.transport.write(PLENTY)
        server.transport.abortConnection()
        self.assertIs((yield server.ended()), self.aborting)
        client.transport.resumeProducing()
        yield client.until(lambda end: end.reason or "readLost" in end.events)
        self.assertIs(client.reason, self.aborted)
        self.assertLess(client.size, len(PLENTY))

    @inlineCallbacks
    def test_push(self):
        """A push producer is paused by a slow peer, goes on with it, and a close waits for it."""
        client, server = yield self.pair()
        client.transport.pauseProducing()
        producer = Push(server.transport)
        server.transport.registerProducer(producer, True)
        producer.run()
        self.assertEqual(producer.pauses, 1)
        self.assertLess(producer.written, len(PLENTY))
        server.transport.loseConnection()
        client.transport.resumeProducing()
        yield self.assertArrives(client)
        client.transport.loseConnection()
        self.assertEqual((yield server.ended()), ConnectionDone)

    @inlineCallbacks
    def test_pull(self):
        """A pull producer is asked until it has nothing more, and a close waits for it."""
        client, server = yield self.pair()
        producer = Pull(server.transport)
        server.transport.registerProducer(producer, False)
        server.transport.loseConnection()
        yield self.assertArrives(client)
        client.transport.loseConnection()
        self.assertEqual((yield server.ended()), ConnectionDone)


class TcpTests(Contract, TestCase):
    """Over TCP, with what TLS has not."""

    @inlineCallbacks
    def test_halfClose(self):
        """Half a close waits for what is pending; the other half goes on."""
        client, server = yield self.pair()
        client.transport.write(PLENTY)
        client.transport.loseWriteConnection()
        yield self.assertArrives(server)
        yield server.until(lambda end: "readLost" in end.events)
        yield client.until(lambda end: "writeLost" in end.events)
        server.transport.write(PLENTY)
        server.transport.loseConnection()
        yield self.assertArrives(client)
        yield server.ended()
        client.transport.loseConnection()
        yield client.ended()

    @inlineCallbacks
    def test_kinds(self):
        """Epoll reactors have our transports on ports of every origin, others Twisted's."""
        for end in (yield self.pair()):
            ours = type(end.transport).__module__ == "mosntx.net.transports"
            self.assertEqual(ours, isDirect(self.reactor))


class UnixTests(TcpTests):
    """Over unix sockets."""

    aborted = None

    def listen(self, factory):
        """See `Contract.listen`."""
        address = parseAddress(os.path.relpath(self.mktemp()), "unix")
        return openPort("main", address, factory, self.reactor, 50, 0o600)

    def connect(self, factory, port):
        """See `Contract.connect`."""
        connectUnix(self.reactor, os.fsdecode(port.getHost().name), factory)


class AdoptedTests(TcpTests):
    """On a port that another process may have opened."""

    def listen(self, factory):
        """See `Contract.listen`."""
        with socket.create_server(("127.0.0.1", 0)) as opened:
            opened.setblocking(False)
            port = self.reactor.adoptStreamPort(opened.fileno(), socket.AF_INET, factory)
        useDirect(port, self.reactor)
        return port


@cache
def certificate() -> Any:
    """Return a certificate with its key."""
    issued = trustme.CA().issue_cert("localhost")
    loadPem: Any = PrivateCertificate.loadPEM
    return loadPem(issued.private_key_and_cert_chain_pem.bytes())


class TlsTests(Contract, TestCase):
    """Over TLS, begun in the midst of a connection."""

    aborting = ConnectionLost  # whatever ends it without a farewell

    @inlineCallbacks
    def pair(self):
        """See `Contract.pair`; the octets in front of the handshake are sent in its turn."""
        client, server = yield super().pair()
        server.transport.write(b"plain")
        server.transport.startTLS(certificate().options())
        yield client.until(lambda end: end.size >= 5)
        self.assertEqual(b"".join(client.received), b"plain")
        client.transport.startTLS(CertificateOptions())
        client.transport.write(b"hello")
        yield server.until(lambda end: end.size >= 5)
        self.assertEqual(b"".join(server.received), b"hello")
        for end in (client, server):
            end.received.clear()
            end.size = 0
        return client, server


class OtherReactorTests(TestCase):
    """The same on reactors that this process does not run."""

    def runOn(self, reactor):
        """Run the tests above in a process with another reactor."""
        options = [f"--reactor={reactor}", "--temp-directory", os.path.abspath(self.mktemp())]
        cases = TcpTests, UnixTests, AdoptedTests, TlsTests
        done = subprocess.run(
            [sys.executable, "-m", "twisted.trial", *options]
            + [f"{__name__}.{case.__name__}" for case in cases],
            capture_output=True,
            text=True,
            timeout=240,
            cwd=Path(__file__).parents[2],
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_mosntx(self):
        """Our own."""
        self.runOn("mosntx")

    def test_epoll(self):
        """Twisted's for epoll."""
        self.runOn("epoll")

    def test_poll(self):
        """One with Twisted's transports: they keep the same contract."""
        self.runOn("poll")
