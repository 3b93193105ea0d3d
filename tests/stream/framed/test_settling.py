"""Tests of `mosntx.stream.framed.settling`."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionLost
from twisted.internet.error import TimeoutError as NotInTimeError
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TimerWheel
from mosntx.stream.framed.settling import Settling


class SettlingTests(SynchronousTestCase):
    """Who waits, and how that ends."""

    def setUp(self) -> None:
        """Nobody waits."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.settling = Settling(self.wheel, 3.0)

    def test_settled(self) -> None:
        """All of them get the connection, one that asks again too."""
        first, second = self.settling.wait(), self.settling.wait()
        streams = object()
        self.settling.settled(streams)
        self.assertIs(self.successResultOf(first), streams)
        self.assertIs(self.successResultOf(second), streams)
        self.assertEqual((len(self.settling), self.wheel.active), (0, 0))

    def test_tooLong(self) -> None:
        """Each waits so long, and no longer."""
        first = self.settling.wait()
        self.clock.advance(2.0)
        second = self.settling.wait()
        self.clock.advance(1.1)
        self.failureResultOf(first, NotInTimeError)
        self.assertNoResult(second)
        self.clock.advance(2.0)
        self.failureResultOf(second, NotInTimeError)

    def test_gone(self) -> None:
        """The end of the connection is the end of all waits."""
        waiting = self.settling.wait()
        self.settling.failAll(ConnectionLost())
        self.failureResultOf(waiting, ConnectionLost)
        self.assertEqual(self.wheel.active, 0)

    def test_cancelled(self) -> None:
        """Who has left is not told."""
        waiting = self.settling.wait()
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.settling.settled(object())
        self.assertEqual((len(self.settling), self.wheel.active), (0, 0))
