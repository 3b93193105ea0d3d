"""Tests of `mosntx.protocol.http2.priorities`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import PRIORITY, Event
from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.guard import FloodLimits, FrameGuard
from mosntx.protocol.http2.outbox import Outbox
from mosntx.protocol.http2.priorities import MAX_EARLY, Priorities
from mosntx.testing import h2frames as h2


class PrioritiesTests(SynchronousTestCase):
    """What a peer says, and who goes first because of it."""

    def setUp(self) -> None:
        """Make the parts of a connection."""
        self.guard = FrameGuard(FloodLimits(), True)
        self.outbox = Outbox()
        self.priorities = Priorities(self.guard, self.outbox, True)
        self.events: list[Event] = []

    def say(self, *frames: bytes, last: int = 0) -> ProtocolError | None:
        """Let the peer say something."""
        self.assertIsNone(self.guard.feed(b"".join(frames), 0.0))
        return self.priorities.take(last, self.events)

    def order(self, *numbers: int) -> list[int]:
        """Return the order in which streams go that all have something to say."""
        for number in numbers:
            self.outbox.put(number, b"x", True)
        return [number for number, *_ in self.outbox.take(100)]

    def test_update(self) -> None:
        """An update moves a stream that is open."""
        for number in (1, 3):
            self.outbox.open(number)
        self.assertIsNone(self.say(h2.priorityUpdate(3, b"u=0"), last=3))
        self.assertEqual(self.order(1, 3), [3, 1])

    def test_early(self) -> None:
        """One that comes before its stream counts more than the stream's own field."""
        self.say(h2.priorityUpdate(3, b"u=0"))
        for number in (1, 3):
            self.outbox.open(number)
            self.priorities.place(number, b"u=5")
        self.assertEqual(self.order(1, 3), [3, 1])

    def test_earlyIsBounded(self) -> None:
        """Streams that never begin fill no memory."""
        for number in range(1, 2 * MAX_EARLY + 2, 2):
            self.say(h2.priorityUpdate(number, b"u=0"))
        late = 2 * MAX_EARLY + 1
        for number in (1, late):
            self.outbox.open(number)
            self.priorities.place(number, None)
        self.outbox.open(late + 2)
        self.outbox.prioritise(late + 2, 2, False)
        self.assertEqual(self.order(late, late + 2, 1), [1, late + 2, late])

    def test_told(self) -> None:
        """Others learn of a stream that is moved, so that its upstream can be told."""
        self.outbox.open(1)
        self.say(h2.priorityUpdate(1, b"u=6"), h2.priorityUpdate(3, b"u=0"), last=1)
        self.assertEqual(self.events, [(PRIORITY, 1, b"u=6", False)])

    def test_weights(self) -> None:
        """Weights of RFC 7540 do not count (RFC 9113 5.3.2)."""
        for number in (1, 3):
            self.outbox.open(number)
            self.outbox.prioritise(number, 3, False)
        self.say(h2.priority(3, 0, 256))
        self.assertEqual(self.order(1, 3), [1, 3])

    def test_server(self) -> None:
        """A server may not say it."""
        self.priorities = Priorities(self.guard, self.outbox, False)
        self.outbox.open(1)
        error = self.say(h2.priorityUpdate(1, b"u=1"), last=1)
        self.assertEqual(error.status if error else 0, 502)

    def test_response(self) -> None:
        """The field of a response changes what it names, and nothing else."""
        self.outbox.open(1)
        self.priorities.place(1, b"u=1, i")
        self.priorities.correct(1, b"u=5")
        self.assertEqual(self.outbox.priority(1), (5, True))

    def test_noStream(self) -> None:
        """Stream 0 has no priority."""
        error = self.say(h2.priorityUpdate(0, b"u=1"))
        self.assertIsInstance(error, ProtocolError)
