"""Connections whose writing ends before their reading."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connection import Connection
from mosntx.net.timers import TimerWheel
from mosntx.testing.net import FakeTransport, HalfClosingReceiver


class EndWritingTests(SynchronousTestCase):
    """A FIN of ours, while the peer may still speak."""

    def setUp(self) -> None:
        """Connect."""
        clock = Clock()
        self.wheel = TimerWheel(clock, clock.seconds)
        self.connection = Connection(1, self.wheel, lambda _: None, lambda _: None)
        self.transport: Any = FakeTransport(self.connection)
        self.receiver = HalfClosingReceiver()
        self.connection.handOver(self.receiver, b"")

    def test_readingGoesOn(self) -> None:
        """Nothing more is written; what comes is received."""
        self.connection.write(b"last")
        self.assertTrue(self.connection.endWriting())
        self.assertTrue(self.transport.writeFinished)
        self.connection.write(b"late")
        self.assertEqual(self.transport.value(), b"last")
        self.assertEqual(self.connection.bytesWritten, 4)
        self.connection.dataReceived(b"answer")
        self.assertEqual(self.receiver.received, b"answer")
        self.assertFalse(self.connection.closed or self.transport.disconnecting)

    def test_afterTheBuffer(self) -> None:
        """A full buffer is written first, and its progress is watched as before."""
        self.transport.producer.pauseProducing()
        self.assertTrue(self.connection.endWriting())
        self.assertFalse(self.transport.writeFinished)
        self.assertEqual(self.wheel.active, 1)
        self.transport.producer.resumeProducing()
        self.assertTrue(self.transport.writeFinished)
        self.assertEqual(self.wheel.active, 0)

    def test_whileClosing(self) -> None:
        """A connection that is being closed sends its FIN anyway."""
        self.connection.close()
        self.assertTrue(self.connection.endWriting())
        self.assertFalse(self.transport.writeFinished)

    def test_cannot(self) -> None:
        """Transports without half a close, and TLS, say so; nothing has changed."""
        connection = Connection(2, self.wheel, lambda _: None, lambda _: None)
        transport: Any = StringTransport()
        connection.makeConnection(transport)
        connection.handOver(HalfClosingReceiver(), b"")
        self.assertFalse(connection.endWriting())
        connection.write(b"more")
        self.assertEqual(transport.value(), b"more")
        self.connection.tls = True
        self.assertFalse(self.connection.endWriting())
        self.assertFalse(self.transport.writeFinished)
