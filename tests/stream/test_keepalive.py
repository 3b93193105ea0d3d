"""Tests of `mosntx.stream.keepalive`: heartbeats to upstreams."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TICK, TimerWheel
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.stream.keepalive import ANSWER_TIMEOUT, LOOKS, MISSES, READ_IDLE, Keepalive
from mosntx.stream.multiplex.client import ClientConnection
from mosntx.testing.frames import boltGoAway, boltHeartbeatAck, boltResponse
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingOwner, RecordingResponseSink
from tests.stream.multiplex.fakes import ids, requestHead

#: Within which a heartbeat is sent after `READ_IDLE`; the clock of these tests goes in steps.
CLOCK_STEP = 0.05
STEP = READ_IDLE / LOOKS + (LOOKS + 1) * (TICK + CLOCK_STEP)


class KeepaliveTestCase(SynchronousTestCase):
    """A test with a connection that is watched."""

    def begin(self, interval: float = 0.0, timeout: float = ANSWER_TIMEOUT) -> None:
        """Make the connection."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.owner = RecordingOwner()
        self.connection = FakeConnection()
        keepalive = Keepalive(self.wheel, interval, timeout)
        self.client = ClientConnection(BoltProtocol().clientCodec(), self.owner, keepalive)
        self.connection.handOver(self.client, b"")

    def passes(self, seconds: float) -> None:
        """Let time pass in small steps."""
        for _ in range(round(seconds / CLOCK_STEP)):
            self.clock.advance(CLOCK_STEP)

    def nextBeat(self, within: float) -> int:
        """Let time pass until there is a heartbeat; return its id."""
        for _ in range(round(within / CLOCK_STEP) + 1):
            self.clock.advance(CLOCK_STEP)
            found = self.beats()
            if found:
                (number,) = found
                return number
        raise AssertionError(f"no heartbeat within {within} s")

    def beats(self) -> list[int]:
        """Return the ids of the heartbeats sent since the last look."""
        return ids(self.connection.clear())

    def tearDown(self) -> None:
        """No timer outlives its connection."""
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)


class SilenceTests(KeepaliveTestCase):
    """Heartbeats after a while without octets from the peer."""

    def test_silence(self) -> None:
        """After 15 seconds of silence there is one heartbeat, not earlier."""
        self.begin()
        self.passes(READ_IDLE - 0.1)
        self.assertEqual(self.beats(), [])
        self.passes(0.6)
        self.assertEqual(self.beats(), [1])

    def test_silenceAfterTraffic(self) -> None:
        """The silence begins with the last octet, wherever in between it came."""
        for when in (0.5, 4.0, 7.0, 14.9, 31.0):
            self.begin()
            for _ in range(int(when)):
                self.passes(1.0)
                self.connection.deliver(boltResponse(1))
            self.passes(when % 1.0)
            self.connection.deliver(boltResponse(1))
            self.passes(READ_IDLE - 0.1)
            self.assertEqual(self.beats(), [], when)
            self.passes(STEP + 0.1)
            self.assertEqual(len(self.beats()), 1, when)
            self.connection.lose()

    def test_answered(self) -> None:
        """Answered heartbeats go on for ever; what they say does not matter here."""
        self.begin()
        for status in (0, 1) * MISSES:
            number = self.nextBeat(READ_IDLE + STEP)
            self.connection.deliver(boltHeartbeatAck(number, status))
        self.assertEqual((self.connection.closing, self.owner.log), (False, []))

    def test_sendingIsNoSign(self) -> None:
        """Octets of ours say nothing about the peer."""
        self.begin()
        for _ in range(17):
            self.passes(1.0)
            self.client.open(RecordingResponseSink(), requestHead(oneway=True), True)
        self.assertEqual(len(ids(self.connection.written)), 18)

    def test_noRequests(self) -> None:
        """A heartbeat is no stream, and its answer no answer to one."""
        self.begin()
        self.passes(READ_IDLE + STEP)
        self.assertEqual((self.client.active, len(self.beats())), (0, 1))
        self.connection.deliver(boltHeartbeatAck(1))
        self.assertEqual((self.client.late, self.owner.log), (0, []))


class MissTests(KeepaliveTestCase):
    """Heartbeats without an answer."""

    def test_sixMisses(self) -> None:
        """The sixth heartbeat in a row without an answer is the end."""
        self.begin()
        sent = 0
        while not self.connection.aborted:
            self.assertLess(sent, MISSES + 1)
            self.passes(0.5)
            sent += len(self.beats())
        self.assertEqual(sent, MISSES)
        self.assertEqual(self.owner.log, ["goneAway"])

    def test_givenUpWithStreams(self) -> None:
        """Nobody gets the connection while it ends; its streams hear of the end then."""
        self.begin(interval=2.0)
        sink = RecordingResponseSink()
        self.client.open(sink, requestHead(), True)
        self.passes(2.0 * MISSES + ANSWER_TIMEOUT + 1.0)
        self.assertEqual((self.client.reusable, sink.parts), (False, []))
        self.assertTrue(self.connection.aborted)
        self.connection.lose()
        self.assertEqual(len(sink.parts), 1)

    def test_answerResets(self) -> None:
        """One answer, and the count begins anew; one that comes too late is none."""
        self.begin(interval=2.0)
        for _ in range(3):
            for _ in range(MISSES - 1):
                self.nextBeat(2.5)
            self.connection.deliver(boltHeartbeatAck(self.nextBeat(2.5)))
        for _ in range(MISSES):
            self.assertFalse(self.connection.aborted)
            number = self.nextBeat(2.5)
            self.passes(ANSWER_TIMEOUT + 0.1)
            self.connection.deliver(boltHeartbeatAck(number))
        self.assertTrue(self.connection.aborted)

    def test_timeout(self) -> None:
        """The time for an answer can be set; meanwhile there is no second heartbeat."""
        self.begin(interval=1.0, timeout=3.5)
        self.passes(3.4)
        self.assertEqual(len(self.beats()), 1)
        self.connection.deliver(boltHeartbeatAck(1))
        self.passes(1.0)
        self.assertEqual(len(self.beats()), 1)


class ScheduleTests(KeepaliveTestCase):
    """Heartbeats on a schedule."""

    def test_interval(self) -> None:
        """They come whatever else is received."""
        self.begin(interval=3.0)
        sent = 0
        for _ in range(31):
            self.passes(1.0)
            self.connection.deliver(boltResponse(4711))
            for number in self.beats():
                sent += 1
                self.connection.deliver(boltHeartbeatAck(number))
        self.assertEqual(sent, 10)

    def test_stop(self) -> None:
        """A connection that takes no new streams is not asked any more."""
        for end in (self._drained, self._goneAway):
            self.begin(interval=3.0)
            self.client.open(RecordingResponseSink(), requestHead(), True)
            self.connection.clear()
            end()
            self.passes(READ_IDLE * 3)
            self.assertEqual((self.beats(), self.wheel.active), ([], 0))
            self.connection.lose()

    def _drained(self) -> None:
        self.client.drain()

    def _goneAway(self) -> None:
        self.connection.deliver(boltGoAway())

    def test_lostWhileAsking(self) -> None:
        """The end of the connection is no miss, and leaves no timer."""
        self.begin(interval=3.0)
        self.passes(3.5)
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)


class OtherTimesTests(KeepaliveTestCase):
    """Keepalives that are told how long to wait, and how often."""

    def test_oneMiss(self) -> None:
        """The silence, the time for an answer and the misses can be said."""
        self.begin(0.0, 3.0)
        self.connection.lose()
        self.connection = FakeConnection()
        keepalive = Keepalive(self.wheel, timeout=3.0, silence=40.0, misses=1)
        self.client = ClientConnection(BoltProtocol().clientCodec(), self.owner, keepalive)
        self.connection.handOver(self.client, b"")
        self.passes(39.5)
        self.assertEqual(self.beats(), [])
        self.passes(1.0)
        self.assertEqual(len(self.beats()), 1)
        self.assertFalse(self.connection.aborted)
        self.passes(3.5)
        self.assertTrue(self.connection.aborted)

    def test_onlyBusy(self) -> None:
        """One that leaves idle connections alone asks once a stream is under way."""
        self.begin()
        self.connection.lose()
        self.connection = FakeConnection()
        keepalive = Keepalive(self.wheel, idle=False)
        self.client = ClientConnection(BoltProtocol().clientCodec(), self.owner, keepalive)
        self.connection.handOver(self.client, b"")
        self.passes(3 * READ_IDLE)
        self.assertEqual(self.beats(), [])
        self.client.open(RecordingResponseSink(), requestHead(), True)
        self.connection.clear()
        self.passes(READ_IDLE + 1.0)
        self.assertTrue(self.beats())


class AnyAnswersTests(KeepaliveTestCase):
    """Whatever is answered."""

    @given(st.lists(st.sampled_from(["ack", "late", "no"]), min_size=1, max_size=40))
    def test_anyAnswers(self, answers: list[str]) -> None:
        """The connection is given up with the sixth miss in a row, and at no other time."""
        self.begin(interval=2.0)
        misses = 0
        for answer in answers:
            number = self.nextBeat(2.5)
            misses = 0 if answer == "ack" else misses + 1
            if answer == "ack":
                self.connection.deliver(boltHeartbeatAck(number))
            self.passes(ANSWER_TIMEOUT + 0.1)
            self.assertEqual(self.connection.aborted, misses == MISSES)
            if self.connection.aborted:
                break
            if answer == "late":
                self.connection.deliver(boltHeartbeatAck(number))
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)
