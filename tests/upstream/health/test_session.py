"""Tests of `mosntx.upstream.health.session`."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.connector import ConnectFailed
from mosntx.upstream.health.probe import ProbeError
from mosntx.upstream.health.session import ACTIVE_FAILURE, NETWORK_FAILURE, SUCCESS
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, FAILED_OUTLIER
from tests.upstream.health.build import ADDRESS, FakeProbe, World

GOOD, BAD, LOST, SILENT = "good", "bad", "lost", "silent"


def play(world: World, outcome: str) -> None:
    """Let the next check begin and end."""
    world.wait(1.0)
    check = world.probe.checks[-1]
    if outcome == SILENT:
        world.wait(1.0)
    elif outcome == LOST:
        check.errback(ProbeError("gone"))
    else:
        check.callback(outcome == GOOD)


def begin(**schedule: Any) -> World:
    """Return a world whose checks are 1 s apart and may take 1 s."""
    world = World(initialDelay=1.0, interval=1.0, timeout=1.0, **schedule)
    world.session.start()
    return world


class TimeTests(SynchronousTestCase):
    """When hosts are asked."""

    def test_initialDelay(self) -> None:
        """The first check comes after the initial delay, not before."""
        world = World(initialDelay=3.0)
        world.session.start()
        world.clock.advance(2.9)
        self.assertEqual(world.probe.checks, [])
        world.wait(0.1)
        self.assertEqual(world.probe.hosts, [world.host])
        self.assertEqual(world.stats.attempt, 1)

    def test_intervalCountsFromTheEnd(self) -> None:
        """The next check is an interval after the answer, however long that took."""
        world = World(initialDelay=0.0, interval=10.0, timeout=5.0)
        world.session.start()
        world.wait(0.0)
        world.wait(4.0)
        world.probe.checks[0].callback(True)
        world.clock.advance(9.9)
        self.assertEqual(len(world.probe.checks), 1)
        world.wait(0.1)
        self.assertEqual(len(world.probe.checks), 2)

    def test_jitter(self) -> None:
        """Less than the jitter is added, and not always the same."""
        world = World(initialDelay=0.0, interval=10.0, jitter=5.0)
        world.session.start()
        world.wait(0.0)
        pauses = set()
        for _ in range(20):
            count = len(world.probe.checks)
            world.probe.checks[-1].callback(True)
            start = world.clock.seconds()
            while len(world.probe.checks) == count:
                world.clock.advance(0.1)
            pauses.add(round(world.clock.seconds() - start, 1))
        self.assertGreaterEqual(min(pauses), 10.0)
        self.assertLessEqual(max(pauses), 15.2)
        self.assertGreater(len(pauses), 5)

    def test_timeout(self) -> None:
        """A check that takes too long is given up, and is a failure of the network."""
        world = begin()
        play(world, SILENT)
        self.assertEqual(world.probe.cancelled, 1)
        self.assertEqual(world.reports, [(NETWORK_FAILURE, True)])

    def test_answerAtOnce(self) -> None:
        """A probe that answers within the call is heard."""
        probe = FakeProbe()
        ask = probe.check

        def atOnce(host: Any) -> Any:
            answer = ask(host)
            answer.callback(True)
            return answer

        probe.check = atOnce  # type: ignore[method-assign]  # a fake of this test
        world = World(probe, initialDelay=0.0, interval=1.0)
        world.session.start()
        world.wait(0.0)
        world.wait(1.0)
        self.assertEqual(world.reports, [(SUCCESS, False)] * 2)
        world.session.stop()
        self.assertEqual(world.wheel.active, 0)

    def test_raisingProbe(self) -> None:
        """A probe that breaks is a failure, with its traceback in the log, and is asked again."""
        world = begin()
        world.wait(1.0)
        world.probe.checks[-1].errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(world.reports, [(NETWORK_FAILURE, True)])
        world.wait(1.0)
        self.assertEqual(len(world.probe.checks), 2)

    def test_raisingReport(self) -> None:
        """Whoever is told and breaks does not end the checks."""
        world = begin()
        world.session._report = lambda *_: 1 // 0
        play(world, GOOD)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        world.wait(1.0)
        self.assertEqual(len(world.probe.checks), 2)

    def test_connectFailed(self) -> None:
        """A connect that fails in a probe that says so is no mistake of ours."""
        world = begin()
        world.wait(1.0)
        world.probe.checks[-1].errback(ConnectFailed(ADDRESS, "refused"))
        self.assertEqual(world.reports, [(NETWORK_FAILURE, True)])


class StopTests(SynchronousTestCase):
    """The end of a session."""

    def test_before(self) -> None:
        """Nothing begins after the end, and nothing is left."""
        world = begin()
        world.session.stop()
        world.wait(100.0)
        self.assertEqual((world.probe.checks, world.probe.closed), ([], 1))
        self.assertEqual(world.wheel.active, 0)

    def test_during(self) -> None:
        """A check under way is given up and not reported."""
        world = begin()
        world.wait(1.0)
        world.session.stop()
        self.assertEqual((world.probe.cancelled, world.probe.closed), (1, 1))
        self.assertEqual((world.reports, world.wheel.active), ([], 0))
        self.assertTrue(world.host.healthy)

    def test_twice(self) -> None:
        """The second end changes nothing."""
        world = begin()
        world.session.stop()
        world.session.stop()
        self.assertEqual(world.probe.closed, 1)

    def test_fromReport(self) -> None:
        """Whoever is told may end the session."""
        world = begin()
        world.session._report = lambda session, *_: session.stop()
        play(world, BAD)
        self.assertEqual(world.wheel.active, 0)


class ThresholdTests(SynchronousTestCase):
    """What consecutive results come to."""

    def test_unhealthyAndBack(self) -> None:
        """The host turns at the threshold, in both directions."""
        world = begin(unhealthyThreshold=3, healthyThreshold=2)
        seen = []
        for outcome in (BAD, LOST, SILENT, GOOD, GOOD, GOOD):
            play(world, outcome)
            seen.append((*world.reports[-1], world.host.healthy))
        self.assertEqual(
            seen,
            [
                (ACTIVE_FAILURE, False, True),
                (NETWORK_FAILURE, False, True),
                (NETWORK_FAILURE, True, False),
                (SUCCESS, False, False),
                (SUCCESS, True, True),
                (SUCCESS, False, True),
            ],
        )
        stats = world.stats
        self.assertEqual((stats.attempt, stats.success, stats.failure), (6, 3, 3))
        self.assertEqual((stats.active_failure, stats.network_failure), (1, 2))

    def test_flapping(self) -> None:
        """Results that change each time never reach a threshold above 1."""
        world = begin(unhealthyThreshold=2, healthyThreshold=2)
        for _ in range(20):
            play(world, BAD)
            play(world, GOOD)
        self.assertTrue(world.host.healthy)
        play(world, BAD)
        play(world, BAD)
        for _ in range(20):
            play(world, GOOD)
            play(world, BAD)
        self.assertFalse(world.host.healthy)

    def test_otherFlags(self) -> None:
        """A host that outlier detection has ejected stays so; only our flag is ours."""
        world = begin()
        world.addresses.setFlag(ADDRESS, FAILED_OUTLIER)
        play(world, BAD)
        play(world, GOOD)
        self.assertEqual(world.addresses.flags(ADDRESS), FAILED_OUTLIER)
        self.assertFalse(world.host.healthy)

    def test_sharedFlag(self) -> None:
        """What another cluster has found counts: our successes take it back at our threshold."""
        world = begin(healthyThreshold=2)
        play(world, GOOD)
        world.addresses.setFlag(ADDRESS, FAILED_ACTIVE_CHECK)
        play(world, GOOD)
        self.assertFalse(world.host.healthy)
        play(world, GOOD)
        self.assertTrue(world.host.healthy)


class StateMachineTests(SynchronousTestCase):
    """Any sequence of results."""

    @given(
        st.lists(st.sampled_from((GOOD, BAD, LOST, SILENT)), max_size=30),
        st.integers(1, 4),
        st.integers(1, 4),
    )
    def test_model(self, outcomes: list[str], bad: int, good: int) -> None:
        """Health is what the last run of equal results says; all is counted; nothing is left."""
        world = begin(unhealthyThreshold=bad, healthyThreshold=good)
        healthy, run, before = True, 0, ""
        for outcome in outcomes:
            play(world, outcome)
            kind = GOOD if outcome == GOOD else BAD
            run = run + 1 if kind == before else 1
            before = kind
            turned = False
            if kind == BAD and healthy and run >= bad:
                healthy, turned = False, True
            elif kind == GOOD and not healthy and run >= good:
                healthy, turned = True, True
            self.assertEqual((world.host.healthy, world.reports[-1][1]), (healthy, turned))
        stats = world.stats
        self.assertEqual(stats.attempt, len(outcomes))
        self.assertEqual(
            stats.success + stats.active_failure + stats.network_failure, stats.attempt
        )
        self.assertEqual(stats.failure, stats.attempt - stats.success)
        world.session.stop()
        self.assertEqual(world.wheel.active, 0)

    @given(
        st.lists(
            st.sampled_from(("answer", "refuse", "second", "tick", "late", "stop", "flag")),
            max_size=40,
        )
    )
    def test_anyOrder(self, steps: list[str]) -> None:
        """Whatever happens when: at most one check at a time, and no timer after the end."""
        world = begin(unhealthyThreshold=2, healthyThreshold=2)
        stopped = False
        for step in steps:
            checks = world.probe.checks
            if step == "second":
                world.wait(1.0)
            elif step == "tick":
                world.wait(0.0)
            elif step == "stop":
                world.session.stop()
                stopped = True
            elif step == "flag":
                world.addresses.setFlag(ADDRESS, FAILED_ACTIVE_CHECK)
            elif checks and not checks[-1].called and step == "answer":
                checks[-1].callback(True)
            elif checks and not checks[-1].called and step == "refuse":
                checks[-1].errback(ProbeError("gone"))
            elif checks and step == "late":
                world.wait(2.5)
            self.assertLessEqual(sum(1 for check in checks if not check.called), 1)
            self.assertEqual(world.wheel.active, 0 if stopped else 1)
        self.assertLessEqual(len(world.reports), world.stats.attempt)
        world.session.stop()
        self.assertEqual(world.wheel.active, 0)
