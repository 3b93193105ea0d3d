"""Tests of `mosntx.stream.multiplex.client`: mistakes of ours, ends, slow peers, any order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from zope.interface.verify import verifyObject

from mosntx.contracts.net import CONNECTED, IDLE, IConnectionEventHandler
from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    LOCAL_RESET,
    PROTOCOL_ERROR,
)
from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltHeartbeatAck,
    boltResponse,
)
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingResponseSink
from tests.stream.multiplex.fakes import (
    BrokenResponseSink,
    OurMistakeError,
)
from tests.stream.multiplex.test_client import LAST_ID, ClientTestCase


class MistakeTests(ClientTestCase):
    """What goes wrong here with one response does not concern the others."""

    def failures(self) -> int:
        """Return how many failures were logged."""
        return len(self.flushLoggedErrors(OurMistakeError))

    def test_response(self) -> None:
        """A sink that fails is reset; the answers behind it arrive, the connection stays."""
        self.begin()
        broken, first = self.open(BrokenResponseSink())
        sink, second = self.open()
        self.connection.deliver(boltResponse(first, b"a") + boltResponse(second, b"b"))
        self.assertEqual(self.parts(broken), [b"a", ("reset", LOCAL_RESET)])
        self.assertEqual(self.parts(sink), [b"b"])
        self.assertEqual((self.client.active, self.connection.closing), (0, False))
        self.assertEqual(self.failures(), 2)

    def test_connectionLost(self) -> None:
        """Every sink and every heartbeat hears of the end."""
        self.begin()
        self.open(BrokenResponseSink())
        self.client.heartbeat(self._raise)
        sink, _ = self.open()
        self.client.heartbeat(self.acks.append)
        self.connection.lose()
        self.assertEqual(self.parts(sink), [("reset", CONNECTION_TERMINATION)])
        self.assertEqual((self.acks, self.failures()), ([None], 2))

    def _raise(self, status: int | None) -> None:
        raise OurMistakeError

    def test_heartbeat(self) -> None:
        """Who asked fails over the answer: the connection goes on."""
        self.begin()
        number = self.client.heartbeat(self._raise)
        sink, second = self.open()
        self.connection.deliver(boltHeartbeatAck(number) + boltResponse(second, b"x"))
        self.assertEqual((self.parts(sink), self.failures()), ([b"x"], 1))

    def test_backPressure(self) -> None:
        """All are paused and resumed, though one of them fails."""
        self.begin()
        self.open(BrokenResponseSink())
        sink, _ = self.open()
        self.connection.block()
        self.assertTrue(sink.paused)
        self.connection.unblock()
        self.assertFalse(sink.paused)
        self.assertEqual(self.failures(), 2)


class EndTests(ClientTestCase):
    """The ways in which a connection ends."""

    def test_lost(self) -> None:
        """Its streams hear why; the owner first, so that a repetition finds another one."""
        self.begin()
        sink, _ = self.open()
        sink.responseReset = (  # type: ignore[method-assign]
            lambda reason: self.owner.log.append("reset")
        )
        self.connection.lose()
        self.assertEqual(self.owner.log, ["connectionGone", "reset"])
        self.assertEqual((self.client.active, self.wheel.active), (0, 0))

    def test_openAfterEnd(self) -> None:
        """Whoever was given a connection that has ended since hears that nothing was sent."""
        for end in ("lose", "drain", "giveUp"):
            self.begin()
            getattr(self.connection if end == "lose" else self.client, end)()
            sink, number = self.open()
            self.assertEqual(self.parts(sink), [("reset", CONNECTION_FAILED)])
            self.assertEqual((number, self.connection.written), (0, b""))

    def test_protocolError(self) -> None:
        """What cannot be understood ends the connection at once, and all streams on it."""
        self.begin()
        sink, number = self.open()
        self.connection.deliver(b"\x09" * 40 + boltResponse(number))
        self.assertEqual(self.parts(sink), [("reset", PROTOCOL_ERROR)])
        self.assertEqual(self.owner.log, ["protocolError"])
        self.assertEqual((self.connection.aborted, self.client.reusable), (True, False))
        self.connection.lose()
        self.assertEqual(len(sink.parts), 1)
        self.assertEqual(self.wheel.active, 0)

    def test_goAway(self) -> None:
        """After a go-away open streams go on, and the last one closes the connection."""
        self.begin()
        one, first = self.open()
        two, second = self.open()
        self.connection.deliver(boltGoAway() * 2)
        self.assertEqual(self.owner.log, ["goneAway"])
        self.assertFalse(self.client.reusable)
        self.connection.deliver(boltResponse(second, b"b"))
        self.assertFalse(self.connection.closing)
        self.connection.deliver(boltResponse(first, b"a"))
        self.assertTrue(self.connection.closing)
        self.assertEqual((self.parts(one), self.parts(two)), ([b"a"], [b"b"]))

    def test_goAwayWithAnswer(self) -> None:
        """The answer may be right behind it."""
        self.begin()
        sink, number = self.open()
        self.connection.deliver(boltGoAway() + boltResponse(number, b"x"))
        self.assertEqual((self.parts(sink), self.connection.closing), ([b"x"], True))

    def test_goAwayIdle(self) -> None:
        """Without streams a go-away closes at once."""
        self.begin()
        self.connection.deliver(boltGoAway())
        self.assertTrue(self.connection.closing)

    def test_drainInParts(self) -> None:
        """A request that is not complete, one-way too, holds a draining connection."""
        self.begin()
        number = self.client.open(RecordingResponseSink(), httpRequest(), False)
        self.client.drain()
        self.assertFalse(self.connection.closing)
        self.client.reset(number, LOCAL_RESET)
        self.assertTrue(self.connection.closing)

    def test_timeoutWhileDraining(self) -> None:
        """A stream that is given up was the last one, too."""
        self.begin()
        _, number = self.open()
        self.client.drain()
        self.client.reset(number, GLOBAL_TIMEOUT)
        self.assertTrue(self.connection.closing)

    def test_idle(self) -> None:
        """A connection that its idle watch closes is given to nobody any more."""
        self.begin()
        verifyObject(IConnectionEventHandler, self.client)
        self.client.connectionEvent(self.connection, CONNECTED)
        self.assertTrue(self.client.reusable)
        self.client.connectionEvent(self.connection, IDLE)
        self.assertFalse(self.client.reusable)
        self.assertEqual((self.owner.log, self.wheel.active), (["goneAway"], 0))


class PressureTests(ClientTestCase):
    """An upstream that does not read."""

    def test_openMeanwhile(self) -> None:
        """Those who send to it meanwhile are paused as well, one-way requests too."""
        self.begin()
        self.connection.block()
        sinks = [self.open()[0], self.open(oneway=True)[0]]
        self.assertEqual([sink.paused for sink in sinks], [True, True])
        self.connection.unblock()
        self.assertEqual([sink.paused for sink in sinks], [False, False])

    def test_lostMeanwhile(self) -> None:
        """The end of the connection is the end of all pauses."""
        self.begin()
        before, _ = self.open()
        self.connection.block()
        after, _ = self.open(oneway=True)
        self.connection.lose()
        self.assertEqual((before.paused, after.paused), (False, False))

    def test_readingGoesOn(self) -> None:
        """A slow client does not keep others from their answers."""
        self.begin()
        _, number = self.open()
        self.client.pauseStream(number)
        self.assertTrue(self.connection.reading)


class AnyOrderTests(ClientTestCase):
    """Whatever the order."""

    @given(
        st.lists(st.tuples(st.sampled_from("oowhaaaurlgbkd"), st.integers(0, 9)), max_size=50),
        st.integers(1, 80),
        st.sampled_from([1, LAST_ID - 3]),
    )
    def test_anyOrder(self, steps: list[tuple[str, int]], cut: int, first: int) -> None:
        """Each stream ends once; ids in flight are unique; nothing is left."""
        self.begin()
        self.codec.nextId = first
        sinks: dict[int, RecordingResponseSink] = {}
        done: list[RecordingResponseSink] = []
        beats: list[int] = []
        unsent = b""
        for step, which in steps:
            if step == "o" or step == "w":
                sink, number = self.open(oneway=step == "w")
                self.assertNotIn(number, sinks)
                if step == "o" and number:
                    sinks[number] = sink
            elif step == "h" and not self.connection.closed:
                beats.append(self.client.heartbeat(self.acks.append))
            elif step == "a" and sinks:
                number = sorted(sinks)[which % len(sinks)]
                unsent += boltResponse(number, b"x" * which)
                done.append(sinks.pop(number))
            elif step == "u":
                unsent += boltResponse(1000 + which)
            elif step == "r" and sinks and not self.connection.closed:
                number = sorted(sinks)[which % len(sinks)]
                self.client.reset(number, LOCAL_RESET)
                self.assertEqual(sinks.pop(number).parts, [])
            elif step == "g":
                unsent += boltGoAway() if which == 0 else boltHeartbeat(which)
            else:
                self._moreSteps(step, which)
            self.connection.deliver(unsent[:cut])
            unsent = unsent[cut:]
        self.connection.deliver(unsent)
        self.connection.lose()
        for sink in [*sinks.values(), *done]:
            self.assertEqual(len(sink.parts), 1)
        for sink in sinks.values():
            self.assertEqual(self.parts(sink), [("reset", CONNECTION_TERMINATION)])
        self.assertEqual(len(self.acks), len(beats))
        self._nothingLeft()

    def _moreSteps(self, step: str, which: int) -> None:
        if step == "l" and which == 0:
            self.connection.lose()
        elif step == "b":
            self.connection.block()
        elif step == "k":
            self.connection.unblock()
        elif step == "d" and which == 0:
            self.client.drain()

    def _nothingLeft(self) -> None:
        self.assertEqual((self.client.active, self.wheel.active), (0, 0))
        self.assertEqual(self.owner.log.count("connectionGone"), 1)
