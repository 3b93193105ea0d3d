"""Tests of `mosntx.upstream.health.tcp`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed, ConnectTimeout
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.tcp import TcpProbe


class TcpProbeTests(SynchronousTestCase):
    """Connecting says all."""

    def setUp(self) -> None:
        self.connector = FakeConnector()
        self.probe = TcpProbe(self.connector)
        self.check = self.probe.check(FakeHost("10.0.0.1:80"))
        self.attempt = self.connector.attempts[0]

    def test_accepted(self) -> None:
        """A host that accepts is well; the connection is closed at once, nothing is sent."""
        self.assertEqual(self.attempt.address, "10.0.0.1:80")
        connection = self.attempt.succeed()
        self.assertIs(self.successResultOf(self.check), True)
        self.assertTrue(connection.closing)
        self.assertEqual(connection.written, b"")

    def test_greeting(self) -> None:
        """What a host says at once is not looked at, and its close does no harm."""
        connection = self.attempt.succeed()
        receiver = self.attempt.receiver
        receiver.bytesReceived(b"220 hello\r\n")
        receiver.drain()
        connection.lose()
        self.assertIs(self.successResultOf(self.check), True)

    def test_refused(self) -> None:
        """A refused connect is a bad answer, as in MOSN."""
        self.attempt.fail(ConnectFailed("10.0.0.1:80", "refused"))
        self.assertIs(self.successResultOf(self.check), False)

    def test_timeout(self) -> None:
        """So is one that takes too long."""
        self.attempt.fail(ConnectTimeout("10.0.0.1:80", 30.0))
        self.assertIs(self.successResultOf(self.check), False)

    def test_mistake(self) -> None:
        """A mistake of ours is not hidden."""
        self.attempt.fail(ZeroDivisionError())
        self.failureResultOf(self.check, ZeroDivisionError)
