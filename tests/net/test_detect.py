"""Protocol detection."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import MATCH, NEED_MORE, NO_MATCH
from mosntx.net.detect import MAX_DETECT, Detection, detect
from mosntx.net.timers import TimerWheel


class Beginning:
    """A protocol that begins with certain octets."""

    def __init__(self, name, magic):
        self.name = name
        self.magic = magic

    def detect(self, prefix):
        """See `IProtocol.detect`."""
        if prefix.startswith(self.magic):
            return MATCH
        return NEED_MORE if self.magic.startswith(prefix) else NO_MATCH


class Never:
    """A protocol that is never sure."""

    name = "never"

    def detect(self, prefix):
        """See `IProtocol.detect`."""
        return NEED_MORE


ONE: Any = Beginning("one", b"\x01")
TWO: Any = Beginning("two", b"\x01\x02")
LONG: Any = Beginning("long", b"PRI *")


class DetectTests(SynchronousTestCase):
    """One look."""

    def test_firstWins(self):
        """Among those that are sure, the first in configuration order wins."""
        self.assertEqual(detect([TWO, ONE], b"\x01\x02"), (MATCH, TWO))
        self.assertEqual(detect([ONE, TWO], b"\x01\x02"), (MATCH, ONE))

    def test_sureBeatsUnsure(self):
        """Who is sure does not wait for who is not (MOSN)."""
        self.assertEqual(detect([TWO, ONE], b"\x01"), (MATCH, ONE))

    def test_needMore(self):
        """One that may be is enough to wait."""
        self.assertEqual(detect([ONE, LONG], b"PR"), (NEED_MORE, None))
        self.assertEqual(detect([ONE, LONG], b""), (NEED_MORE, None))

    def test_noMatch(self):
        """When all are sure that it is not theirs, it is nobody's."""
        self.assertEqual(detect([ONE, LONG], b"XYZ"), (NO_MATCH, None))
        self.assertEqual(detect([], b"XYZ"), (NO_MATCH, None))


class DetectionTests(SynchronousTestCase):
    """A connection's first octets."""

    def setUp(self):
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.decided = []

    def detection(self, *protocols):
        return Detection(
            protocols,
            self.wheel,
            15.0,
            lambda protocol, data: self.decided.append((protocol, data)),
        )

    @given(st.lists(st.binary(min_size=1, max_size=3)))
    def test_anyCut(self, tail):
        """The answer and all octets come once, whatever the cuts."""
        self.setUp()
        detection = self.detection(LONG)
        for octet in b"PRI *":
            self.assertEqual(self.decided, [])
            detection.feed(bytes([octet]))
        for piece in tail:
            detection.feed(piece)
        self.assertEqual(self.decided, [(LONG, b"PRI *")])
        self.assertEqual((detection.done, self.wheel.active), (True, 0))

    def test_unknown(self):
        """Nobody's octets are unknown at once."""
        self.detection(ONE, LONG).feed(b"XYZ")
        self.assertEqual(self.decided, [(None, b"XYZ")])

    def test_deadline(self):
        """Undecided octets are unknown after the timeout, counted from the first of them."""
        detection = self.detection(LONG)
        self.clock.advance(1000.0)
        detection.feed(b"")
        self.assertEqual(self.wheel.active, 0)
        detection.feed(b"P")
        self.clock.advance(14.0)
        detection.feed(b"R")
        self.assertEqual(self.decided, [])
        self.clock.advance(1.1)
        self.assertEqual(self.decided, [(None, b"PR")])
        detection.feed(b"I *")
        self.assertEqual(len(self.decided), 1)

    def test_silence(self):
        """A connection that says nothing is not decided: its idle timeout is enough."""
        self.detection(LONG)
        self.clock.advance(1000.0)
        self.assertEqual(self.decided, [])

    def test_bounded(self):
        """A protocol that never makes up its mind does not collect octets for ever."""
        detection = self.detection(Never())
        for _ in range(MAX_DETECT - 1):
            detection.feed(b"x")
        self.assertEqual(self.decided, [])
        detection.feed(b"x")
        self.assertEqual(self.decided, [(None, b"x" * MAX_DETECT)])

    def test_cancel(self):
        """A connection that has gone is not decided any more."""
        detection = self.detection(LONG)
        detection.feed(b"P")
        detection.cancel()
        detection.cancel()
        detection.feed(b"RI *")
        self.clock.advance(100.0)
        self.assertEqual((self.decided, self.wheel.active, detection.done), ([], 0, True))
