"""The timer wheel."""

from __future__ import annotations

from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TICK, Timer, TimerWheel


class CountingClock(Clock):
    """Counts how often it is asked for something."""

    asked = 0

    def callLater(self, delay, callable, *args, **kw):
        """See ``IReactorTime.callLater``."""
        self.asked += 1
        return super().callLater(delay, callable, *args, **kw)


class TimerWheelTests(SynchronousTestCase):
    """Firing, cancelling, waking."""

    def setUp(self):
        self.clock = CountingClock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.fired = []

    def schedule(self, delay, name):
        return self.wheel.schedule(delay, lambda: self.fired.append(name))

    def test_fires(self):
        """A timer fires once, after its delay."""
        timer = self.schedule(1.0, "a")
        self.assertTrue(timer.active)
        self.clock.advance(0.999)
        self.assertEqual(self.fired, [])
        self.clock.advance(0.001)
        self.assertEqual(self.fired, ["a"])
        self.assertFalse(timer.active)
        self.clock.advance(100.0)
        self.assertEqual(self.fired, ["a"])

    def test_scheduleAt(self):
        """A timer for a time fires at that time, one for a time that is over at once."""
        self.clock.advance(7.0)
        for when in (8.0, 6.0):
            self.wheel.scheduleAt(when, partial(self.fired.append, when))
        self.clock.advance(0.0)
        self.assertEqual(self.fired, [6.0])
        self.clock.advance(0.999)
        self.assertEqual(self.fired, [6.0])
        self.clock.advance(0.001)
        self.assertEqual(self.fired, [6.0, 8.0])

    def test_zero(self):
        """A delay of nothing fires in a later turn of the loop."""
        self.schedule(0.0, "a")
        self.assertEqual(self.fired, [])
        self.clock.advance(TICK)
        self.assertEqual(self.fired, ["a"])

    def test_cancel(self):
        """A cancelled timer does not fire; cancelling again is harmless."""
        timer = self.schedule(1.0, "a")
        timer.cancel()
        timer.cancel()
        self.assertEqual((timer.active, self.wheel.active), (False, 0))
        self.clock.advance(10.0)
        self.assertEqual(self.fired, [])

    def test_cancelAfterFiring(self):
        """Cancelling a timer that has fired is harmless, also from its own callback."""
        timers: list[Timer] = []
        timers.append(self.wheel.schedule(1.0, lambda: timers[0].cancel()))
        self.clock.advance(1.0)
        timers[0].cancel()
        self.assertEqual(self.wheel.active, 0)

    def test_cancelEachOther(self):
        """A callback may cancel another timer of the same tick."""
        timers: list[Timer] = []

        def cancelAll():
            self.fired.append("x")
            for timer in timers:
                timer.cancel()

        timers.extend(self.wheel.schedule(1.0, cancelAll) for _ in range(3))
        self.clock.advance(1.0)
        self.assertEqual(self.fired, ["x"])

    def test_cancelledLeaveNothing(self):
        """Cancelled timers are not kept until they would have fired."""
        many = [self.schedule(60.0, "a") for _ in range(1000)]
        keep = self.schedule(60.0, "b")
        for timer in many:
            timer.cancel()
        self.assertEqual(self.wheel.active, 1)
        self.assertEqual(list(map(len, self.wheel._ticks.values())), [1])
        keep.cancel()
        self.assertEqual(list(map(len, self.wheel._ticks.values())), [0])

    def test_scheduleFromCallback(self):
        """A callback may schedule timers, earlier and later ones."""
        self.wheel.schedule(1.0, lambda: (self.schedule(0.5, "b"), self.schedule(0.0, "a")))
        self.clock.advance(1.0)
        self.clock.advance(TICK)
        self.assertEqual(self.fired, ["a"])
        self.clock.advance(0.5)
        self.assertEqual(self.fired, ["a", "b"])

    def test_order(self):
        """Ticks fire in order, also when the clock jumps over many of them."""
        for delay in (3.0, 1.0, 2.0):
            self.schedule(delay, delay)
        self.clock.advance(100.0)
        self.assertEqual(self.fired, [1.0, 2.0, 3.0])

    def test_failure(self):
        """What a callback raises is logged and keeps nothing from the others."""
        self.wheel.schedule(1.0, lambda: 1 // 0)
        self.schedule(1.0, "a")
        self.schedule(2.0, "b")
        self.clock.advance(1.0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.clock.advance(1.0)
        self.assertEqual(self.fired, ["a", "b"])

    def test_oneWake(self):
        """There is one pending call of the reactor, for the earliest timer."""
        for delay in (5.0, 1.0, 3.0, 0.5):
            self.schedule(delay, delay)
        [call] = self.clock.getDelayedCalls()
        self.assertAlmostEqual(call.getTime(), 0.5, 6)
        self.assertEqual(self.clock.asked, 1)

    def test_idle(self):
        """Without timers nothing wakes the process."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.schedule(1.0, "a")
        for number in range(50):
            self.schedule(1.5 + number, "b").cancel()
        self.clock.advance(1.0)
        self.assertEqual(self.fired, ["a"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual((self.wheel._ticks, self.wheel._queue), ({}, []))

    def test_manyInOneTick(self):
        """Timers of one tick cost one call of the reactor."""
        for _ in range(100):
            self.schedule(1.0, "a")
        self.clock.advance(1.0)
        self.assertEqual((len(self.fired), self.clock.asked), (100, 1))

    def test_reactorClockJumpsForward(self):
        """Woken too early, the wheel goes back to sleep."""
        now = [0.0]
        wheel = TimerWheel(self.clock, lambda: now[0])
        wheel.schedule(1.0, lambda: self.fired.append("a"))
        self.clock.advance(3600.0)
        self.assertEqual(self.fired, [])
        now[0] = 1.0
        self.clock.advance(1.0)
        self.assertEqual(self.fired, ["a"])

    def test_reactorClockJumpsBackward(self):
        """Not woken in time, the wheel notices when the next timer is scheduled."""
        now = [0.0]
        wheel = TimerWheel(self.clock, lambda: now[0])
        wheel.schedule(1.0, lambda: self.fired.append("a"))
        now[0] = 10.0  # and the reactor's clock stands still
        wheel.schedule(5.0, lambda: self.fired.append("b"))
        self.clock.advance(0.0)
        self.assertEqual(self.fired, ["a"])

    def test_stop(self):
        """After the end no timer fires and none is taken."""
        timer = self.schedule(1.0, "a")
        self.wheel.stop()
        self.assertEqual((timer.active, self.clock.getDelayedCalls()), (False, []))
        timer.cancel()
        with self.assertRaises(RuntimeError):
            self.schedule(1.0, "b")
        self.wheel.stop()

    def test_stopFromCallback(self):
        """A callback may stop the wheel: the timers beside it do not fire."""

        def stop():
            self.fired.append("x")
            self.wheel.stop()

        for _ in range(3):
            self.wheel.schedule(1.0, stop)
        self.schedule(2.0, "b")
        self.clock.advance(10.0)
        self.assertEqual(self.fired, ["x"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @given(
        st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(0.0, 5.0), st.booleans())),
        st.sampled_from([0.0, 1.7e9]),
    )
    def test_neverEarlyNeverLate(self, steps, epoch):
        """Whatever is scheduled, cancelled and waited for: on time within a tick, or not at all."""
        clock = Clock()
        clock.advance(epoch)
        wheel = TimerWheel(clock, clock.seconds)
        due: dict[int, float] = {}

        def check(number):
            deadline = due.pop(number)
            self.assertLess(deadline - clock.seconds(), 1e-5)
            self.assertLess(clock.seconds() - deadline, TICK + 1e-5)

        for number, (delay, wait, cancel) in enumerate(steps):
            due[number] = clock.seconds() + delay
            timer = wheel.schedule(delay, partial(check, number))
            if cancel:
                timer.cancel()
                del due[number]
            end = clock.seconds() + wait
            while clock.getDelayedCalls() and clock.getDelayedCalls()[0].getTime() <= end:
                clock.advance(max(clock.getDelayedCalls()[0].getTime() - clock.seconds(), 0.0))
            clock.advance(max(end - clock.seconds(), 0.0))
        while due:
            clock.advance(max(clock.getDelayedCalls()[0].getTime() - clock.seconds(), 0.0))
        self.assertEqual(self.flushLoggedErrors(), [])
