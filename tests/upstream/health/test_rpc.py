"""Tests of `mosntx.upstream.health.rpc`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stream import IFrameConnectionOwner
from mosntx.net.connector import ConnectFailed
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.frames import boltHeartbeatAck
from mosntx.testing.net import FakeConnector
from mosntx.testing.trframes import trHeartbeatAck
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.probe import ProbeError
from mosntx.upstream.health.rpc import RpcProbe


def requestId(frame: bytes, version: int = 1) -> int:
    """Return the id of a Bolt frame."""
    start = 5 if version == 1 else 6
    return int.from_bytes(frame[start : start + 4], "big")


class RpcProbeTests(SynchronousTestCase):
    """Heartbeats on a connection of their own."""

    version = 1

    def setUp(self) -> None:
        self.connector = FakeConnector()
        protocol = BoltProtocol("bolt" if self.version == 1 else "boltv2")
        self.probe = RpcProbe(self.connector, protocol.clientCodec)
        self.host = FakeHost("10.0.0.1:12200")

    def ask(self) -> Deferred[bool]:
        """Begin a check."""
        return self.probe.check(self.host)

    def connect(self) -> Any:
        """Let the last connect succeed."""
        return self.connector.attempts[-1].succeed()

    def answer(self, connection: Any, status: int = 0) -> None:
        """Acknowledge the heartbeat that was sent."""
        number = requestId(connection.clear(), self.version)
        connection.deliver(boltHeartbeatAck(number, status, version=self.version))

    def test_contract(self) -> None:
        """It owns its connection by the contract."""
        verifyObject(IFrameConnectionOwner, self.probe)

    def test_well(self) -> None:
        """Status 0 is a good answer; the next heartbeat uses the connection again."""
        for count in range(3):
            check = self.ask()
            if not count:
                self.connect()
            connection = self.connector.attempts[0].connection
            self.assertNoResult(check)
            self.assertEqual(connection.written[0], self.version)
            self.answer(connection)
            self.assertIs(self.successResultOf(check), True)
        self.assertEqual(len(self.connector.attempts), 1)

    def test_ill(self) -> None:
        """Any other status is a bad answer."""
        check = self.ask()
        self.answer(self.connect(), 1)
        self.assertIs(self.successResultOf(check), False)

    def test_refused(self) -> None:
        """A connect that fails is the network's failure."""
        check = self.ask()
        self.connector.attempts[0].fail(ConnectFailed("10.0.0.1:12200", "refused"))
        self.failureResultOf(check, ConnectFailed)

    def test_timeout(self) -> None:
        """Without an answer in time the connection is given up; the next check opens another."""
        check = self.ask()
        first = self.connect()
        number = requestId(first.written)
        check.cancel()
        self.failureResultOf(check, CancelledError)
        self.assertTrue(first.aborted)
        again = self.ask()
        self.assertEqual(len(self.connector.attempts), 2)
        second = self.connect()
        first.lose()
        self.connector.attempts[0].receiver.bytesReceived(boltHeartbeatAck(number))
        self.assertNoResult(again)
        self.answer(second)
        self.assertIs(self.successResultOf(again), True)

    def test_lost(self) -> None:
        """A connection that ends before the answer is the network's failure."""
        check = self.ask()
        self.connect().lose()
        self.failureResultOf(check, ProbeError)

    def test_lostBetween(self) -> None:
        """One that ends between two checks is opened again."""
        check = self.ask()
        connection = self.connect()
        self.answer(connection)
        self.successResultOf(check)
        connection.lose()
        check = self.ask()
        self.answer(self.connect())
        self.assertIs(self.successResultOf(check), True)
        self.assertEqual(len(self.connector.attempts), 2)

    def test_deadOnArrival(self) -> None:
        """A connection that has ended when we hear of it is a failure."""
        check = self.ask()
        attempt = self.connector.attempts[0]
        attempt.connection.lose()
        attempt.succeed()
        self.failureResultOf(check, ProbeError)

    def test_nonsense(self) -> None:
        """Octets that are no frame end the connection, and the check fails."""
        check = self.ask()
        connection = self.connect()
        connection.deliver(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.failureResultOf(check, ProbeError)
        self.assertTrue(connection.aborted)
        self.ask()
        self.assertEqual(len(self.connector.attempts), 2)

    def test_otherAnswers(self) -> None:
        """An answer to somebody else's number counts for nothing."""
        check = self.ask()
        connection = self.connect()
        number = requestId(connection.written, self.version)
        connection.deliver(boltHeartbeatAck(number + 1, version=self.version))
        self.assertNoResult(check)

    def test_close(self) -> None:
        """The end closes the connection."""
        check = self.ask()
        connection = self.connect()
        self.answer(connection)
        self.successResultOf(check)
        self.probe.close()
        self.assertTrue(connection.closing)
        connection.lose()
        self.probe.close()


class BoltV2ProbeTests(RpcProbeTests):
    """The same with the second version."""

    version = 2

    def test_timeout(self) -> None:
        """A check that is given up ends the connection."""
        check = self.ask()
        connection = self.connect()
        check.cancel()
        self.failureResultOf(check, CancelledError)
        self.assertTrue(connection.aborted)


class TrProbeTests(SynchronousTestCase):
    """The same by TR, whose ids begin with 1 on each connection."""

    def test_results(self) -> None:
        """Result 0 is a good answer, another a bad one."""
        connector = FakeConnector()
        probe = RpcProbe(connector, TrProtocol().clientCodec)
        for number, result in ((1, 0), (2, 3), (3, 0)):
            check = probe.check(FakeHost("10.0.0.1:12199"))
            if number == 1:
                connector.attempts[0].succeed()
            connection = connector.attempts[0].connection
            self.assertTrue(connection.clear())
            connection.deliver(trHeartbeatAck(number, result))
            self.assertIs(self.successResultOf(check), result == 0)
        self.assertEqual(len(connector.attempts), 1)
