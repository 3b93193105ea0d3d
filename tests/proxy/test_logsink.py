"""Tests of `mosntx.proxy.logsink`."""

from __future__ import annotations

import contextlib
import errno
import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.proxy.logsink import LINE_LIMIT, RETRY_SECONDS, ILogTarget, LogSink, StreamTarget
from mosntx.testing.logs import MemoryTarget


class LogSinkTests(SynchronousTestCase):
    """Lines on their way."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.target = MemoryTarget()
        self.sink = LogSink(self.target, self.clock.callLater)

    def test_joined(self) -> None:
        """Lines of one turn are one write; no call stays behind."""
        for text in ("a\n", "b\n", "ü\n"):
            self.sink.write(text)
        self.assertEqual(self.target.writes, [])
        self.clock.advance(0)
        self.assertEqual(self.target.writes, ["a\nb\nü\n".encode()])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_many(self) -> None:
        """More lines in one turn than the queue holds are written on the way, none is lost."""
        for number in range(LINE_LIMIT * 3 + 7):
            self.sink.write(f"{number}\n")
        self.clock.advance(0)
        self.assertEqual(self.target.data.count(b"\n"), LINE_LIMIT * 3 + 7)
        self.assertEqual((self.sink.dropped, self.sink.lost), (0, 0))

    def test_slow(self) -> None:
        """Lines wait for a slow target, in order, and are offered again."""
        self.target.room = 3
        self.sink.write("ab\n")
        self.sink.write("cd\n")
        self.clock.advance(0)
        self.assertEqual(self.target.data, b"ab\n")
        self.sink.write("ef\n")
        self.target.room = 4
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.target.data, b"ab\ncd\ne")
        self.target.room = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual(self.target.data, b"ab\ncd\nef\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_dropped(self) -> None:
        """When the queue of a target that takes nothing is full, new lines are dropped, whole."""
        self.target.room = 0
        for number in range(LINE_LIMIT + 20):
            self.sink.write(f"{number}\n")
            if number % 7 == 0:
                self.clock.advance(0)
        self.assertEqual(self.sink.dropped, 20)
        self.target.room = None
        self.clock.advance(RETRY_SECONDS)
        expected = "".join(f"{number}\n" for number in range(LINE_LIMIT)).encode()
        self.assertEqual(self.target.data, expected)
        self.sink.write("later\n")
        self.clock.advance(0)
        self.assertTrue(self.target.data.endswith(b"\nlater\n"))

    def test_fullDisk(self) -> None:
        """A full disk loses lines and counts them; afterwards all goes on, on a new line."""
        self.target.room = 5
        self.target.error = OSError(errno.ENOSPC, "no space")
        for text in ("abc\n", "defg\n", "h\n"):
            self.sink.write(text)
        self.clock.advance(0)
        self.assertEqual(self.target.data, b"abc\nd")
        self.assertEqual(self.sink.lost, 2)
        self.sink.write("i\n")
        self.clock.advance(0)
        self.assertEqual(self.sink.lost, 3)
        self.target.room = None
        self.sink.write("j\n")
        self.clock.advance(0)
        self.assertEqual(self.target.data, b"abc\nd\nj\n")
        self.sink.write("k\n")
        self.clock.advance(0)
        self.assertEqual(self.target.data, b"abc\nd\nj\nk\n")

    def test_wouldBlock(self) -> None:
        """A target that would block takes nothing yet; nothing is lost."""
        self.target.room = 2
        self.target.error = BlockingIOError()
        self.sink.write("abc\n")
        self.clock.advance(0)
        self.target.room = None
        self.clock.advance(RETRY_SECONDS)
        self.assertEqual((self.target.data, self.sink.lost), (b"abc\n", 0))

    @given(st.lists(st.integers(0, 9), max_size=30))
    def test_anyRoom(self, rooms: list[int]) -> None:
        """However little the target takes at a time, the lines arrive whole and in order."""
        clock, target = Clock(), MemoryTarget(room=0)
        sink = LogSink(target, clock.callLater)
        for number, room in enumerate(rooms):
            target.room = room
            sink.write(f"line {number}\n")
            clock.advance(RETRY_SECONDS)
        target.room = None
        sink.close()
        expected = "".join(f"line {number}\n" for number in range(len(rooms)))
        self.assertEqual(target.data.decode(), expected)

    def test_disabled(self) -> None:
        """A sink that is switched off takes nothing."""
        self.sink.enabled = False
        self.sink.write("a\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.sink.flush()
        self.assertEqual(self.target.data, b"")

    def test_reopen(self) -> None:
        """What waits goes to the old file."""
        self.sink.write("a\n")
        self.sink.reopen()
        self.assertEqual((self.target.data, self.target.reopened), (b"a\n", 1))

    def test_close(self) -> None:
        """Closing writes what it can, counts the rest, and leaves no call behind."""
        self.target.room = 2
        self.sink.write("a\n")
        self.sink.write("b\n")
        self.sink.close()
        self.assertEqual((self.target.data, self.sink.lost), (b"a\n", 1))
        self.assertTrue(self.target.closed)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.sink.write("c\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_surrogates(self) -> None:
        """Text that is no UTF-8 does not stop the log."""
        self.sink.write("a\udcff\n")
        self.sink.flush()
        self.assertEqual(self.target.data, b"a\\udcff\n")


class StreamTargetTests(SynchronousTestCase):
    """A descriptor that others share."""

    def pipe(self) -> tuple[int, int]:
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self.closeQuietly, end)
        return ends

    def closeQuietly(self, descriptor: int) -> None:
        with contextlib.suppress(OSError):
            os.close(descriptor)

    def test_contract(self) -> None:
        """It is a target; reopening and closing leave the descriptor alone."""
        reading, writing = self.pipe()
        target = StreamTarget(writing)
        verifyObject(ILogTarget, target)
        target.reopen()
        target.close()
        self.assertEqual(target.write(memoryview(b"a\n")), 2)
        self.assertEqual(os.read(reading, 10), b"a\n")

    def test_stalledReader(self) -> None:
        """A pipe that nobody empties takes what fits and never blocks the process."""
        reading, writing = self.pipe()
        target, octets, sent = StreamTarget(writing), memoryview(b"x" * 10**6), 0
        while taken := target.write(octets[sent:]):
            sent += taken
        self.assertTrue(0 < sent < 10**6)
        self.assertTrue(os.get_blocking(writing))
        os.read(reading, 65536)
        self.assertGreater(target.write(octets), 0)

    def test_closedReader(self) -> None:
        """A pipe whose reader has gone is an error, which the sink counts."""
        reading, writing = self.pipe()
        os.close(reading)
        clock = Clock()
        sink = LogSink(StreamTarget(writing), clock.callLater)
        sink.write("a\n")
        clock.advance(0)
        self.assertEqual(sink.lost, 1)

    def test_file(self) -> None:
        """A redirected stream is a file, which takes everything at once."""
        path = self.mktemp()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
        self.addCleanup(os.close, descriptor)
        self.assertEqual(StreamTarget(descriptor).write(memoryview(b"x" * 10**6)), 10**6)
