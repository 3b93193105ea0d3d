"""Tests of `mosntx.net.turns`."""

from __future__ import annotations

import gc
import weakref

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.turns import TimedTurn, Turn, turnOf


class Sender:
    """Something that waits for the end of a turn."""

    def __init__(self, reactor, name, log, after=None):
        self.reactor = reactor
        self.name = name
        self.log = log
        self.after = after

    def turnEnds(self):
        """See `mosntx.net.turns.Waiting`."""
        self.log.append(self.name)
        if self.after is not None:
            self.after()


class OwnTurn(Clock):
    """A reactor that flushes its turn itself."""

    def __init__(self):
        super().__init__()
        self.turn = Turn()


class TurnTests(SynchronousTestCase):
    """Who sends when."""

    def setUp(self):
        self.clock = Clock()
        self.turn = turnOf(self.clock)
        self.log = []

    def sender(self, name, after=None):
        return Sender(self.clock, name, self.log, after)

    def test_order(self):
        """All of a turn send in the order of their first writes, by one timed call."""
        for name in ("first", "second", "third"):
            self.turn.add(self.sender(name))
        self.assertEqual((self.log, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0)
        self.assertEqual(self.log, ["first", "second", "third"])
        self.assertEqual((self.turn.waiting, self.clock.getDelayedCalls()), ([], []))

    def test_next(self):
        """Who is added while the turn ends belongs to the next one: a turn always ends."""
        again = self.sender("again")
        again.after = lambda: self.turn.add(again)
        self.turn.add(again)
        self.turn.flush()
        self.assertEqual((self.log, self.turn.waiting), (["again"], [again]))

    def test_failure(self):
        """One that fails is logged and harms no other."""

        def fail():
            raise ValueError("sending")

        self.turn.add(self.sender("bad", fail))
        self.turn.add(self.sender("good"))
        self.clock.advance(0)
        self.assertEqual(self.log, ["bad", "good"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_shared(self):
        """All transports of a reactor share its turn; another reactor has another."""
        self.assertIs(turnOf(self.clock), self.turn)
        self.assertIsNot(turnOf(Clock()), self.turn)
        self.assertIsInstance(self.turn, TimedTurn)

    def test_own(self):
        """A reactor with a turn of its own has no timed calls."""
        reactor = OwnTurn()
        turn = turnOf(reactor)
        self.assertIs(turn, reactor.turn)
        turn.add(Sender(reactor, "it", self.log))
        self.assertEqual(reactor.getDelayedCalls(), [])
        turn.flush()
        self.assertEqual(self.log, ["it"])

    def test_freed(self):
        """The turn of a reactor does not keep it."""
        reactor = Clock()
        turnOf(reactor).add(Sender(reactor, "it", self.log))
        reactor.advance(0)
        gone = weakref.ref(reactor)
        del reactor
        gc.collect()
        self.assertIsNone(gone())
