"""Tests of `mosntx.proxy.syslog`."""

from __future__ import annotations

import os
import re
import socket
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.proxy.logsink import RETRY_SECONDS, ILogTarget, LogSink
from mosntx.proxy.syslog import (
    MESSAGE_OCTETS,
    Framing,
    LocalSyslog,
    TcpSyslog,
    UdpSyslog,
)

WALL = time.mktime((2026, 3, 2, 15, 4, 5, 0, 0, -1))
START = rb"<134>Mar  2 15:04:05 host mosn\[\d+\]: "


def framing(hostname: str = "host") -> Framing:
    """Return a framing with a fixed time."""
    return Framing(lambda: WALL, hostname)


class FakePort:
    """A bound UDP port."""

    def __init__(self) -> None:
        self.open = True

    def stopListening(self) -> None:
        """Note the end."""
        self.open = False


class FakeDatagrams:
    """A reactor with UDP and names; notes each datagram."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[str, int]]] = []
        self.port = FakePort()
        self.questions: list[Deferred[str]] = []

    def listenUDP(self, port: int, protocol: Any) -> FakePort:
        """See `IReactorUDP.listenUDP`."""
        protocol.transport = self
        return self.port

    def resolve(self, name: str) -> Deferred[str]:
        """See `IReactorCore.resolve`."""
        self.questions.append(Deferred())
        return self.questions[-1]

    def write(self, data: bytes, address: tuple[str, int]) -> None:
        """See `IUDPTransport.write`."""
        self.sent.append((data, address))


class FramingTests(SynchronousTestCase):
    """Messages."""

    def test_messages(self) -> None:
        """Each line is a message; empty ones are none."""
        first, second = framing().messages(b"a b\n\nc\n")
        self.assertTrue(re.fullmatch(START + b"a b", first), first)
        self.assertTrue(re.fullmatch(START + b"c", second), second)

    def test_local(self) -> None:
        """The local daemon gets no host name."""
        (message,) = framing("").messages(b"a\n")
        self.assertEqual(message, b"<134>Mar  2 15:04:05 mosn[%d]: a" % os.getpid())

    def test_long(self) -> None:
        """A message is cut where daemons cut it."""
        (message,) = framing().messages(b"x" * 10**5)
        self.assertEqual(len(message), MESSAGE_OCTETS)


class LocalSyslogTests(SynchronousTestCase):
    """The daemon of this machine."""

    def daemon(self, path: str) -> socket.socket:
        daemon = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(daemon.close)
        daemon.bind(path)
        return daemon

    def test_lines(self) -> None:
        """Each line is a datagram, also after the daemon was started anew."""
        path = self.mktemp()
        os.makedirs(path)
        path = os.path.relpath(os.path.join(path, "log"))
        target = LocalSyslog(framing(""), path)
        self.addCleanup(target.close)
        verifyObject(ILogTarget, target)
        sink = LogSink(target, Clock().callLater)
        sink.write("nobody\n")
        sink.flush()
        self.assertEqual(sink.lost, 1)
        daemon = self.daemon(path)
        sink.write("a\n")
        sink.write("b\n")
        sink.flush()
        self.assertTrue(daemon.recv(1000).endswith(b": a"))
        self.assertTrue(daemon.recv(1000).endswith(b": b"))
        daemon.close()
        os.unlink(path)
        sink.write("lost\n")
        sink.flush()
        self.assertEqual(sink.lost, 2)
        daemon = self.daemon(path)
        sink.write("c\n")
        sink.flush()
        self.assertTrue(daemon.recv(1000).endswith(b": c"))

    def test_slowDaemon(self) -> None:
        """A daemon that does not read loses lines and does not block."""
        folder = self.mktemp()
        os.makedirs(folder)
        path = os.path.relpath(os.path.join(folder, "log"))
        self.daemon(path)
        target = LocalSyslog(framing(""), path)
        self.addCleanup(target.close)
        sink = LogSink(target, Clock().callLater)
        for number in range(5000):
            sink.write(f"{number}\n")
        sink.flush()
        self.assertGreater(sink.lost, 0)


class UdpSyslogTests(SynchronousTestCase):
    """A daemon elsewhere, by UDP."""

    def test_lines(self) -> None:
        """Lines wait until the name is resolved, then each is a datagram."""
        reactor, clock = FakeDatagrams(), Clock()
        target = UdpSyslog(reactor, framing(), "logs", 514)
        verifyObject(ILogTarget, target)
        sink = LogSink(target, clock.callLater)
        sink.write("a\n")
        sink.write("b\n")
        clock.advance(0)
        self.assertEqual(reactor.sent, [])
        reactor.questions[0].callback("10.0.0.9")
        clock.advance(RETRY_SECONDS)
        self.assertEqual([address for _, address in reactor.sent], [("10.0.0.9", 514)] * 2)
        self.assertTrue(re.fullmatch(START + b"b", reactor.sent[1][0]))

    def test_reopen(self) -> None:
        """Reopening asks for the name again; an answer that fails changes nothing."""
        reactor = FakeDatagrams()
        target = UdpSyslog(reactor, framing(), "logs", 514)
        reactor.questions[0].callback("10.0.0.9")
        target.reopen()
        reactor.questions[1].errback(OSError("no such name"))
        target.write(memoryview(b"a\n"))
        self.assertEqual(reactor.sent[0][1], ("10.0.0.9", 514))

    def test_close(self) -> None:
        """Closing gives the port back."""
        reactor = FakeDatagrams()
        target = UdpSyslog(reactor, framing(), "logs", 514)
        reactor.questions[0].callback("10.0.0.9")
        target.close()
        self.assertFalse(reactor.port.open)
        self.assertEqual(target.write(memoryview(b"a\n")), 0)


class TcpSyslogTests(SynchronousTestCase):
    """A daemon elsewhere, by TCP."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.target = TcpSyslog(self.reactor, framing(), "logs", 601)

    def connect(self) -> Any:
        """Answer the last connection attempt; return its protocol and transport."""
        host, port, factory = self.reactor.tcpClients[-1][:3]
        self.assertEqual((host, port), ("logs", 601))
        protocol: Any = factory.buildProtocol(None)
        transport = StringTransport()
        protocol.makeConnection(transport)
        return protocol, transport

    def test_lines(self) -> None:
        """Lines wait for the connection, and end in line ends."""
        verifyObject(ILogTarget, self.target)
        data = memoryview(b"a\nb\n")
        self.assertEqual(self.target.write(data), 0)
        _, transport = self.connect()
        self.assertEqual(self.target.write(data), 4)
        self.assertTrue(re.fullmatch(START + b"a\n" + START + b"b\n", transport.value()))

    def test_slow(self) -> None:
        """A daemon that does not read takes nothing more until it does."""
        protocol, transport = self.connect()
        self.assertIs(transport.producer, protocol)
        protocol.pauseProducing()
        self.assertEqual(self.target.write(memoryview(b"a\n")), 0)
        protocol.resumeProducing()
        self.assertEqual(self.target.write(memoryview(b"a\n")), 2)
        protocol.stopProducing()
        self.assertEqual(self.target.write(memoryview(b"a\n")), 0)

    def test_lost(self) -> None:
        """A connection that was lost takes nothing."""
        protocol, _ = self.connect()
        protocol.connectionLost()
        self.assertEqual(self.target.write(memoryview(b"a\n")), 0)

    def test_end(self) -> None:
        """Reopening and closing give the connection up; closing tries no more."""
        connector = self.reactor.connectors[0]
        self.target.reopen()
        self.assertTrue(connector.stoppedConnecting or connector._disconnected)
        self.target.close()
        self.assertFalse(self.target.continueTrying)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
