"""Tests of `mosntx.stream.multiplex.server`: mistakes of ours, slow peers, ends, any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
)
from mosntx.stream.multiplex import server as module
from mosntx.stream.multiplex.server import DRAIN_GRACE
from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltRequest,
)
from mosntx.testing.sinks import RecordingRequestSink
from tests.stream.multiplex.fakes import (
    BreakingFactory,
    OurMistakeError,
    frames,
    ids,
    status,
)
from tests.stream.multiplex.test_server import Asked, ServerTestCase


class MistakeTests(ServerTestCase):
    """What goes wrong here with one request does not concern the others."""

    def failures(self) -> int:
        """Return how many failures were logged."""
        return len(self.flushLoggedErrors(OurMistakeError))

    def test_request(self) -> None:
        """A request whose sink fails is answered; those behind it are served."""
        self.begin(BreakingFactory())
        self.connection.deliver(boltRequest(1) + boltRequest(2))
        (frame,) = frames(self.connection.written)
        self.assertEqual((ids(frame), status(frame)), ([1], 6))
        self.assertEqual(self.sink(0).parts[-1][:2], ("reset", LOCAL_RESET))
        self.assertEqual((self.server.active, self.connection.closing), (1, False))
        self.answer(self.sink(1))
        self.assertEqual(ids(self.connection.written), [1, 2])
        self.assertEqual(self.failures(), 2)

    def test_oneway(self) -> None:
        """The same without an answer."""
        self.begin(BreakingFactory())
        self.connection.deliver(boltRequest(1, oneway=True) + boltRequest(2))
        self.assertEqual((self.connection.written, self.server.active), (b"", 1))
        self.assertEqual(self.failures(), 1)

    def test_clientGone(self) -> None:
        """Every sink hears that the client has gone, though one of them fails."""
        self.begin()
        self.connection.deliver(boltRequest(1) + boltRequest(2))
        self.sink(0).requestReset = self._raise  # type: ignore[method-assign]
        self.connection.lose()
        self.assertEqual(self.sink(1).parts[-1][:2], ("reset", DOWNSTREAM_GONE))
        self.assertEqual((self.failures(), self.server.active), (1, 0))

    def _raise(self, reason: int) -> None:
        raise OurMistakeError

    def test_heartbeat(self) -> None:
        """A heartbeat that cannot be answered has no answer; requests go on."""
        asked = Asked()
        asked.fail = True
        self.begin(heartbeats=asked)
        self.connection.deliver(boltHeartbeat(1) + boltRequest(2))
        self.assertEqual((self.connection.written, self.server.active), (b"", 1))
        self.assertEqual(self.failures(), 1)


class PressureTests(ServerTestCase):
    """Who does not read, or asks too much, is not read."""

    def test_slowClient(self) -> None:
        """A client that does not read its answers is not read; its exchanges are told."""
        self.begin()
        self.connection.deliver(boltRequest(1))
        self.connection.block()
        self.assertEqual((self.connection.reading, self.sink().paused), (False, True))
        self.connection.unblock()
        self.assertEqual((self.connection.reading, self.sink().paused), (True, False))

    def test_brokenSinks(self) -> None:
        """One sink that fails does not keep the others from being told."""
        self.begin()
        self.connection.deliver(boltRequest(1) + boltRequest(2))
        self.sink(0).pauseResponse = self._raise  # type: ignore[method-assign]
        self.connection.block()
        self.assertTrue(self.sink(1).paused)
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)

    def _raise(self) -> None:
        raise OurMistakeError

    def test_slowUpstream(self) -> None:
        """While any stream is paused, the client is not read."""
        self.begin()
        self.connection.deliver(boltRequest(1) + boltRequest(2))
        one, two = (sink.number for sink in self.factory.sinks)
        for number in (one, two, one):
            self.server.pauseStream(number)
        self.server.resumeStream(one)
        self.assertFalse(self.connection.reading)
        self.server.resumeStream(two)
        self.assertTrue(self.connection.reading)

    def test_bothSlow(self) -> None:
        """A client that reads again is read again only when no upstream is slow, and vice versa."""
        self.begin()
        self.connection.deliver(boltRequest(1))
        number = self.sink().number
        self.server.pauseStream(number)
        self.connection.block()
        self.connection.unblock()
        self.assertFalse(self.connection.reading)
        self.connection.block()
        self.server.resumeStream(number)
        self.assertFalse(self.connection.reading)
        self.connection.unblock()
        self.assertTrue(self.connection.reading)

    def test_answeredWhilePaused(self) -> None:
        """The end of a paused stream is the end of its pause."""
        self.begin()
        self.connection.deliver(boltRequest(1))
        self.server.pauseStream(self.sink().number)
        self.answer(self.sink())
        self.assertTrue(self.connection.reading)

    def test_onewayPaused(self) -> None:
        """A one-way request to a slow upstream pauses the client as any other."""
        self.begin()
        self.connection.deliver(boltRequest(1, oneway=True))
        self.server.pauseStream(self.sink().number)
        self.assertFalse(self.connection.reading)
        self.server.resumeStream(self.sink().number)
        self.assertTrue(self.connection.reading)

    def test_tooMany(self) -> None:
        """A client with very many open requests may send more when half of them are over."""
        self.begin()
        self.connection.deliver(boltRequest(1) * module.MAX_OPEN)
        self.assertTrue(self.connection.reading)
        self.connection.deliver(boltRequest(1))
        self.assertFalse(self.connection.reading)
        half = module.MAX_OPEN // 2
        for sink in self.factory.sinks[:half]:
            self.answer(sink)
        self.assertFalse(self.connection.reading)
        self.answer(self.factory.sinks[half])
        self.assertTrue(self.connection.reading)


class DrainTests(ServerTestCase):
    """The end of a connection by our side."""

    def test_idle(self) -> None:
        """An idle connection stays for a moment: a request may be on its way."""
        self.begin()
        self.connection.drain()
        self.assertEqual((self.connection.closing, self.connection.written), (False, b""))
        self.clock.advance(DRAIN_GRACE + 0.05)
        self.assertTrue(self.connection.closing)
        self.assertEqual(self.wheel.active, 0)

    def test_goAway(self) -> None:
        """A client is told, if that is wanted; requests that come all the same are served."""
        self.begin(goAway=True)
        self.connection.drain()
        self.server.drain()
        self.assertEqual(self.connection.clear(), boltGoAway())
        self.connection.deliver(boltRequest(1))
        self.clock.advance(DRAIN_GRACE + 0.05)
        self.assertFalse(self.connection.closing)
        self.answer(self.sink())
        self.assertEqual(ids(self.connection.written), [1])
        self.assertTrue(self.connection.closing)

    def test_answeredEarly(self) -> None:
        """The last answer within the moment does not end it."""
        self.begin()
        self.connection.deliver(boltRequest(1))
        self.connection.drain()
        self.answer(self.sink())
        self.assertFalse(self.connection.closing)
        self.clock.advance(DRAIN_GRACE + 0.05)
        self.assertTrue(self.connection.closing)

    def test_goneMeanwhile(self) -> None:
        """A client that goes while draining leaves no timer."""
        self.begin()
        self.connection.drain()
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def test_brokenMeanwhile(self) -> None:
        """So does one that breaks the protocol."""
        self.begin()
        self.connection.drain()
        self.connection.deliver(b"\x09" * 30)
        self.assertEqual(self.wheel.active, 0)
        self.server.drain()
        self.assertEqual(self.wheel.active, 0)


class AnyOrderTests(ServerTestCase):
    """Whatever the order."""

    @given(st.lists(st.sampled_from("raohbeu"), max_size=40), st.integers(1, 60))
    def test_anyOrder(self, steps: str, cut: int) -> None:
        """Each request has one answer with its id, or the client has gone; nothing is left."""
        self.begin()
        unsent = b""
        asked: list[int] = []
        open_: list[RecordingRequestSink] = []
        for place, step in enumerate(steps, 1):
            if step in "ro":
                unsent += boltRequest(place, oneway=step == "o")
                asked += [place] * (step == "r")
            elif step == "h":
                unsent += boltHeartbeat(place)
                asked.append(place)
            elif step == "a" and open_:
                self.answer(open_.pop(place % len(open_)))
            elif step == "e" and open_:
                self.server.reset(open_.pop(0).number, LOCAL_RESET)
            elif step in "bu":
                (self.connection.block if step == "b" else self.connection.unblock)()
            seen = len(self.factory.sinks)
            self.connection.deliver(unsent[:cut])
            unsent = unsent[cut:]
            open_ += [s for s in self.factory.sinks[seen:] if not s.parts[0][1].oneway]
        seen = len(self.factory.sinks)
        self.connection.deliver(unsent)
        open_ += [sink for sink in self.factory.sinks[seen:] if not sink.parts[0][1].oneway]
        for sink in open_[::2]:
            self.answer(sink)
        answered = ids(self.connection.written)
        self.assertEqual(len(answered), len(set(answered)))
        self.assertEqual(len(answered) + len(open_[1::2]), len(asked))
        self.assertLessEqual(set(answered), set(asked))
        self.connection.lose()
        for sink in open_[1::2]:
            self.assertEqual(sink.parts[-1][:2], ("reset", DOWNSTREAM_GONE))
        self.assertEqual((self.server.active, self.wheel.active), (0, 0))
