"""The watches over idle connections and slow readers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.net.timers import TICK, TimerWheel
from mosntx.net.watches import IDLE_STEP, WRITE_STALL_TIMEOUT, IdleWatch, WriteWatch, unsent


class Watched:
    """A connection as the watches see it."""

    def __init__(self):
        self.bytesRead = self.bytesWritten = 0
        self.blocked = False
        self.log = []

    def isBusy(self):
        """See `Watched`."""
        return self.blocked

    def idle(self):
        """See `Watched`."""
        self.log.append("idle")

    def writeBlocked(self):
        """See `Watched`."""
        self.log.append("blocked")

    def writeResumed(self):
        """See `Watched`."""
        self.log.append("resumed")

    def writeStalled(self):
        """See `Watched`."""
        self.log.append("stalled")


class Transport:
    """A send buffer."""

    dataBuffer = b""
    offset = 0


class IdleWatchTests(SynchronousTestCase):
    """When a connection is idle."""

    def watch(self, timeout):
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.connection = Watched()
        return IdleWatch(self.connection, self.wheel, timeout)

    def next(self):
        """Return when the clock has something to do."""
        return self.clock.getDelayedCalls()[0].getTime()

    @given(st.floats(0.1, 400.0), st.floats(0.0, 1000.0))
    def test_bounds(self, timeout, last):
        """It is noticed after the timeout, and not much after it."""
        self.watch(timeout)
        while self.next() < last:
            self.connection.bytesRead += 1
            self.clock.advance(self.next() - self.clock.seconds())
        self.clock.advance(max(last - self.clock.seconds(), 0.0))
        self.connection.bytesWritten += 1
        while not self.connection.log:
            self.clock.advance(self.next() - self.clock.seconds())
        waited = self.clock.seconds() - last
        self.assertGreaterEqual(waited, timeout - 1e-3)
        looks = max(timeout / IDLE_STEP, 4) + 2
        self.assertLess(waited, timeout + min(IDLE_STEP, timeout / 4) + looks * TICK)
        self.assertEqual(self.wheel.active, 0)

    def test_mosnDefault(self):
        """MOSN's 90 seconds are looked at in MOSN's steps of 15."""
        self.watch(90.0)
        self.clock.pump([0.1] * 899)
        self.assertEqual(self.connection.log, [])
        self.clock.pump([0.1] * 10)
        self.assertEqual(self.connection.log, ["idle"])

    def test_blocked(self):
        """Octets that wait for a slow reader are no idleness."""
        self.watch(4.0)
        self.connection.blocked = True
        self.clock.pump([1.0] * 20)
        self.assertEqual(self.connection.log, [])
        self.connection.blocked = False
        self.clock.pump([1.0] * 5)
        self.assertEqual(self.connection.log, ["idle"])

    def test_stop(self):
        """A stopped watch leaves nothing pending."""
        self.watch(4.0).stop()
        self.assertEqual(self.wheel.active, 0)


class WriteWatchTests(SynchronousTestCase):
    """Pausing in turns, and stalls."""

    def setUp(self):
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.connection = Watched()
        self.transport = Transport()
        self.watch = WriteWatch(self.connection, self.wheel, self.transport)

    def wait(self, seconds):
        self.clock.pump([0.25] * int(seconds * 4))

    def test_interface(self):
        """To Twisted it is a push producer, and being stopped is nothing to it."""
        verifyObject(IPushProducer, self.watch)
        self.watch.stopProducing()
        self.assertEqual(self.connection.log, [])

    def test_turns(self):
        """However often Twisted pauses it, pausing and resuming take turns."""
        self.watch.resumeProducing()
        self.watch.pauseProducing()
        self.watch.pauseProducing()
        self.watch.resumeProducing()
        self.watch.resumeProducing()
        self.assertEqual(self.connection.log, ["blocked", "resumed"])
        self.assertEqual(self.wheel.active, 0)

    def test_stalled(self):
        """Without progress it is a stall after the timeout, once."""
        self.watch.pauseProducing()
        self.wait(WRITE_STALL_TIMEOUT - 1)
        self.assertEqual(self.connection.log, ["blocked"])
        self.wait(3)
        self.assertEqual(self.connection.log, ["blocked", "stalled"])
        self.assertEqual(self.wheel.active, 0)

    def test_progress(self):
        """Each octet that the peer takes gives it more time."""
        self.transport.dataBuffer = b"x" * 100
        self.watch.pauseProducing()
        for offset in (1, 2, 3):
            self.wait(WRITE_STALL_TIMEOUT - 5)
            self.transport.offset = offset
        self.wait(WRITE_STALL_TIMEOUT - 5)
        self.assertEqual(self.connection.log, ["blocked"])
        self.wait(10)
        self.assertEqual(self.connection.log, ["blocked", "stalled"])

    def test_unsent(self):
        """The buffer is found below TLS too; a foreign transport has none."""

        class Wrapped:
            transport = self.transport

        self.transport.dataBuffer = b"abc"
        self.transport.offset = 1
        self.assertEqual(unsent(self.transport), (3, 1))
        self.assertEqual(unsent(Wrapped()), (3, 1))
        self.assertEqual(unsent(object()), (0, 0))
