"""Tests of the counts: the same in every run, and each thing counted where it belongs."""

from __future__ import annotations

import gc
import sys

from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.counting import COUNTED, LOOKED_AT, WARM_UP, count
from bench.hotpath.scenes import Http1, Send
from mosntx.testing.mesh import Peer


class Work:
    """A protocol whose work is known."""

    def __init__(self) -> None:
        self.kept: list[object] = []

    def dataReceived(self, data: bytes) -> None:
        """One call of Python, one of C, two blocks."""
        self.kept.append((object(), data))


class Known(Http1):
    """Work beside that of the Sidecar."""

    def __init__(self) -> None:
        super().__init__()
        self.work = Work()
        self.work.kept = [None] * 1000  # room: the list itself takes no blocks in between
        self.work.kept.clear()

    def ask(self, send: Send) -> None:
        """Only the work."""
        before = self.client.transport.protocol
        self.client.transport.protocol = self.work
        send(self.client, b"")
        self.client.transport.protocol = before

    def answer(self, send: Send) -> None:
        """Nothing."""


class CountTests(SynchronousTestCase):
    """`count`."""

    def counted(self) -> object:
        """Counts of a new scene."""
        scene = Http1()
        self.addCleanup(scene.stop)
        return count(scene)

    def test_repeatable(self) -> None:
        """Two runs come to the same."""
        self.assertEqual(self.counted(), self.counted())

    def test_known(self) -> None:
        """Calls of Python and C are told apart; what is kept is held."""
        scene = Known()
        self.addCleanup(scene.stop)
        counts = count(scene)
        self.assertEqual((counts.python, counts.c), (1.0, 1.0))
        self.assertGreaterEqual(counts.held, 2.0)
        self.assertEqual(len(scene.work.kept), WARM_UP + COUNTED + 2 * LOOKED_AT)

    def test_around(self) -> None:
        """Garbage collection, a profiler and a tracer go on as before, and do not count."""

        def profiler(*_: object) -> None:
            """Do nothing."""

        alone = self.counted()
        before, tracer = sys.getprofile(), sys.gettrace()
        sys.setprofile(profiler)
        sys.settrace(profiler)
        try:
            counts = self.counted()
            self.assertIs(sys.getprofile(), profiler)
            self.assertIs(sys.gettrace(), profiler)
        finally:
            sys.setprofile(before)
            sys.settrace(tracer)
        self.assertEqual(counts, alone)
        self.assertTrue(gc.isenabled())

    def test_onlyTheSidecar(self) -> None:
        """What peers do between reads is not counted."""

        class Busy(Http1):
            def requests(self) -> bytes:
                for _ in range(100):
                    str(self)
                return super().requests()

        scene = Busy()
        self.addCleanup(scene.stop)
        self.assertEqual(count(scene).python, self.counted().python)  # type: ignore[attr-defined]
        scene.exchange(Peer.send)
