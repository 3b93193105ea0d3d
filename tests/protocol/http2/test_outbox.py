"""Who may send, how much, and who goes first."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.outbox import Outbox, parsePriority, priorityValue


class Priorities(SynchronousTestCase):
    """RFC 9218 section 4."""

    def test_parse(self) -> None:
        """Priority fields are read, and what is not understood is ignored."""
        for text, expected in (
            (b"", (3, False)),
            (b"u=0", (0, False)),
            (b"u=7, i", (7, True)),
            (b"i", (3, True)),
            (b"i=?0", (3, False)),
            (b"i=?1,u=5", (5, True)),
            (b"u=8", (3, False)),
            (b"u=a", (3, False)),
            (b"x=1, u=2;foo", (2, False)),
            (b"urgency=2", (3, False)),
        ):
            self.assertEqual(parsePriority(text), expected, text)

    def test_merged(self) -> None:
        """What a field does not say stays as it was."""
        self.assertEqual(parsePriority(b"i", (6, False)), (6, True))
        self.assertEqual(parsePriority(b"u=1", (6, True)), (1, True))
        self.assertEqual(parsePriority(b"i=?0", (6, True)), (6, False))

    def test_written(self) -> None:
        """What is written is read as the same."""
        for urgency in range(8):
            for incremental in (False, True):
                value = priorityValue(urgency, incremental)
                self.assertEqual(parsePriority(value), (urgency, incremental))


class Windows(SynchronousTestCase):
    """RFC 9113 section 5.2."""

    def setUp(self) -> None:
        self.box = Outbox()
        self.box.open(1)

    def test_whatFitsGoesAtOnce(self) -> None:
        """Data leaves directly until the window of the stream is used up."""
        self.assertTrue(self.box.direct(1, 65535))
        self.assertFalse(self.box.direct(1, 1))
        self.assertTrue(self.box.direct(1, 0))

    def test_whatWaitsKeepsItsPlace(self) -> None:
        """Nothing overtakes what waits already."""
        self.box.put(1, b"x", False)
        self.assertFalse(self.box.direct(1, 1))

    def test_theConnectionBindsAll(self) -> None:
        """All streams share the window of the connection."""
        self.box.open(3)
        self.assertTrue(self.box.direct(1, 65535))
        self.assertFalse(self.box.direct(3, 1))
        self.box.credit(0, 1)
        self.assertTrue(self.box.direct(3, 1))

    def test_aSmallerInitialWindowMayMakeWindowsNegative(self) -> None:
        """A setting of the peer takes back what it had given (RFC 9113 6.9.2)."""
        self.assertTrue(self.box.direct(1, 1000))
        self.box.setInitial(500)
        self.box.put(1, b"x" * 10, True)
        self.assertEqual(self.box.take(100), [])
        self.box.credit(1, 505)
        self.assertEqual(self.box.take(100), [(1, b"xxxxx", False, None)])

    def test_theEndNeedsNoWindow(self) -> None:
        """An end without data leaves while the window is closed."""
        self.box.setInitial(0)
        self.box.put(1, b"", True)
        self.assertEqual(self.box.take(100), [(1, b"", True, None)])
        self.assertFalse(self.box.busy)

    def test_trailersGoBehindTheData(self) -> None:
        """Trailers leave with the last piece of data."""
        self.box.put(1, b"ab", False)
        self.box.put(1, b"", False, [(b"a", b"b")])
        self.assertEqual(self.box.take(1), [(1, b"a", False, None)])
        self.assertEqual(self.box.take(9), [(1, b"b", False, [(b"a", b"b")])])

    def test_forgetting(self) -> None:
        """What a dead stream had to say is dropped and no longer counted."""
        self.box.put(1, b"ab", False)
        self.box.forget(1)
        self.assertEqual((self.box.queued, self.box.busy), (0, False))
        self.box.credit(1, 5)
        self.box.prioritise(1, 0, False)
        self.assertEqual(self.box.waiting(1), 0)


class Order(SynchronousTestCase):
    """Who leaves first when not all can."""

    def setUp(self) -> None:
        self.box = Outbox()
        self.box.frame = 10
        for number in (1, 3, 5):
            self.box.open(number)

    def order(self, budget: int = 1000) -> list[int]:
        return [piece[0] for piece in self.box.take(budget)]

    def test_byUrgency(self) -> None:
        """The smallest urgency leaves first."""
        self.box.prioritise(1, 7, False)
        self.box.prioritise(5, 0, False)
        for number in (1, 3, 5):
            self.box.put(number, b"x" * 10, True)
        self.assertEqual(self.order(), [5, 3, 1])

    def test_oneAfterTheOtherUnlessPartsAreOfUse(self) -> None:
        """Streams take turns when they are incremental, or nobody has said anything."""
        for number in (1, 3):
            self.box.prioritise(number, 3, False)
            self.box.put(number, b"x" * 20, True)
        self.assertEqual(self.order(), [1, 1, 3, 3])
        for number in (1, 3):
            self.box.prioritise(number, 3, True)
            self.box.put(number, b"x" * 20, True)
        self.assertEqual(self.order(), [1, 3, 1, 3])

    def test_whoHasNoWindowStopsNobody(self) -> None:
        """A stream without window lets the others pass."""
        self.box.setInitial(5)
        self.box.put(1, b"x" * 20, True)
        self.box.put(3, b"x" * 5, True)
        self.assertEqual(self.order(), [1, 3])

    def test_theBudgetBinds(self) -> None:
        """No more leaves at once than asked for."""
        self.box.put(1, b"x" * 100, True)
        self.assertEqual(sum(len(piece[1]) for piece in self.box.take(35)), 35)
        self.assertEqual(self.box.queued, 65)

    def test_nothingIsLostOrReordered(self) -> None:
        """Whatever the order of streams, the octets of each stay in theirs."""
        random = Random(7)
        sent = {1: b"", 3: b"", 5: b""}
        got = {1: b"", 3: b"", 5: b""}
        for step in range(500):
            number = random.choice((1, 3, 5))
            data = bytes(random.randrange(256) for _ in range(random.randrange(40)))
            sent[number] += data
            if self.box.direct(number, len(data)):
                got[number] += data
            else:
                self.box.put(number, data, False)
            if step % 3 == 0:
                self.box.credit(random.choice((0, 1, 3, 5)), 200)
                self.box.prioritise(number, random.randrange(8), random.random() < 0.5)
            for name, piece, _end, _trailers in self.box.take(random.randrange(100)):
                got[name] += piece
        self.box.credit(0, 10**6)
        for number in sent:
            self.box.credit(number, 10**6)
        for name, piece, _end, _trailers in self.box.take(10**6):
            got[name] += piece
        self.assertEqual(got, sent)
        self.assertEqual(self.box.queued, 0)
