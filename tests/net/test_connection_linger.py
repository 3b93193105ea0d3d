"""Tests of `mosntx.net.connection`: how long a lingering close waits for its peer."""

from __future__ import annotations

from mosntx.net.connection import LINGER_TIMEOUT
from mosntx.testing.net import FakeReceiver
from tests.net.test_connection import Base


class LingerTests(Base):
    """A close that lingers until the peer is silent."""

    def test_lingerUntilSilence(self) -> None:
        """A peer that still says something may still be reading; a silent one is not waited for."""
        connection = self.connect(FakeReceiver())
        connection.close(linger=True, quiet=1.0)
        for _ in range(2):
            connection.dataReceived(b"read so far")
            self.clock.advance(1.0)
            self.assertFalse(self.transport.disconnecting)
        self.clock.advance(1.0)
        self.assertTrue(self.transport.disconnecting)

    def test_lingerNotForEver(self) -> None:
        """A peer that goes on and on is left in the end."""
        connection = self.connect(FakeReceiver())
        connection.close(linger=True, quiet=1.0)
        for _ in range(int(LINGER_TIMEOUT)):
            self.assertFalse(self.transport.disconnecting)
            connection.dataReceived(b"more")
            self.clock.advance(1.0)
        self.assertTrue(self.transport.disconnecting)

    def test_gone(self) -> None:
        """When the peer ends while it is waited for nothing is left behind."""
        connection = self.connect(FakeReceiver())
        connection.close(linger=True, quiet=1.0)
        connection.readConnectionLost()
        self.assertTrue(self.transport.disconnecting)
        self.transport.end()
        self.assertEqual(self.wheel.active, 0)
