"""Tests of `mosntx.protocol.http2.waits`: what a client must do in time, with either engine."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, HEAD, RESET
from mosntx.contracts.stream import IDLE_TIMEOUT
from mosntx.protocol.http2.codes import CANCEL, ENHANCE_YOUR_CALM, SETTINGS_TIMEOUT
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.protocol.http2.waits import LOOKS
from mosntx.testing import h2frames as h2
from tests.protocol.http2.build import drained, response

HELLO = h2.PREFACE + h2.settings() + h2.settingsAck()
BLOCK = h2.fieldBlock(h2.GET)


class Cases:
    """What holds for each engine."""

    engine: ClassVar[str]

    def begin(self: Any, *octets: bytes, **limits: Any) -> None:
        """Make a server and give it octets."""
        times = {"settings_timeout": 10.0, "header_timeout": 10.0, "window_timeout": 10.0, **limits}
        self.protocol = Http2Protocol(Http2Limits(**times), self.engine)
        self.codec = self.protocol.serverCodec()
        drained(self.codec)
        self.events = self.codec.receive(b"".join(octets))

    def passes(self: Any, seconds: float) -> list[Any]:
        """Let time pass as a connection does; return the events."""
        events: list[Any] = []
        while self.codec.waitLimit and seconds >= self.codec.waitLimit:
            seconds -= self.codec.waitLimit
            events += self.codec.timeout()
        return events

    def goAwayCode(self: Any) -> int:
        """Return the error code of the GOAWAY that the codec wants to write."""
        frames = h2.parseFrames(drained(self.codec))
        (code,) = [int.from_bytes(each.payload[4:8], "big") for each in frames if each.type == 7]
        return code

    def counted(self: Any) -> dict[str, int]:
        """Return the waits that were too long."""
        return {name: count for name, count in self.protocol.counters.waits.items() if count}

    def assertEnds(self: Any, name: str, code: int) -> None:
        """The connection goes on for 10 seconds and ends at the next look."""
        self.assertEqual(self.passes(10.0), [])
        ((kind, _, error, _),) = self.passes(10.0 / LOOKS)
        self.assertEqual((kind, error.name), (FAILED, name))
        self.assertEqual(self.goAwayCode(), code)
        self.assertEqual(self.counted(), {name: 1})
        self.assertEqual(self.codec.waitLimit, 0.0)

    def test_silentClient(self: Any) -> None:
        """Who connects and says nothing is not waited for; nor who sends half a preface."""
        for octets in (b"", h2.PREFACE[:10], h2.PREFACE, h2.PREFACE + h2.settings()[:5]):
            self.begin(octets)
            self.assertEnds("preface", SETTINGS_TIMEOUT)

    def test_begun(self: Any) -> None:
        """After SETTINGS nothing in particular is waited for."""
        self.begin(HELLO)
        self.assertEqual(self.codec.waitLimit, 0.0)
        self.begin(HELLO, h2.headers(1, BLOCK))
        self.assertEqual([kind for kind, *_ in self.events], [HEAD])
        self.assertEqual(self.codec.waitLimit, 0.0)

    def test_endlessBlock(self: Any) -> None:
        """A field block that has begun has to end, however its frames are cut."""
        whole = h2.rawFrame(h2.HEADERS, h2.END_HEADERS, 1, BLOCK)
        begun = h2.rawFrame(h2.HEADERS, 0, 1, BLOCK[:5])
        for octets in (
            begun,
            begun + h2.continuation(1, BLOCK[5:6], False),
            begun + h2.continuation(1, BLOCK[5:])[:-1],
            whole[:-1],
            whole[:9],
        ):
            self.begin(HELLO, octets)
            self.assertEnds("headers", ENHANCE_YOUR_CALM)

    def test_dribbledBlock(self: Any) -> None:
        """Another octet now and then does not make the time longer."""
        block = h2.fieldBlock((*h2.GET, (b"x-long", b"long" * 20)))
        self.begin(HELLO, h2.rawFrame(h2.HEADERS, h2.END_HEADERS, 1, block)[:9])
        events = []
        for octet in block:
            events += self.codec.receive(bytes((octet,))) + self.passes(10.0 / LOOKS)
            if events:
                break
        self.assertEqual([kind for kind, *_ in events], [FAILED])
        self.assertEqual(self.counted(), {"headers": 1})

    def test_blockAfterBlock(self: Any) -> None:
        """Blocks that each end in time are many blocks, not a slow one."""
        self.begin(HELLO)
        for number in range(1, 41, 2):
            frame = h2.headers(number, BLOCK, end=True)
            self.assertEqual(self.codec.receive(frame[:-3]), [])
            self.assertEqual(self.passes(10.0 / LOOKS), [])
            self.assertEqual([kind for kind, *_ in self.codec.receive(frame[-3:])], [HEAD])
            self.codec.responseHead(number, response(), True)
            drained(self.codec)
            self.assertEqual(self.codec.waitLimit, 0.0)

    def answer(self: Any, number: int, size: int) -> None:
        """Answer a request with so many octets."""
        self.codec.responseHead(number, response(), False)
        self.codec.responseData(number, b"x" * size, True)
        drained(self.codec)

    def test_closedStream(self: Any) -> None:
        """A stream whose window stays closed is reset; others go on."""
        small = h2.settings((4, 10))
        self.begin(
            h2.PREFACE, small, h2.headers(1, BLOCK, end=True), h2.headers(3, BLOCK, end=True)
        )
        self.answer(1, 100)
        self.answer(3, 10)
        self.assertEqual(self.passes(10.0), [])
        self.assertEqual(self.passes(10.0 / LOOKS), [(RESET, 1, IDLE_TIMEOUT, True)])
        frames = h2.parseFrames(drained(self.codec))
        self.assertEqual(
            [(each.stream, each.code) for each in frames if each.type == h2.RST_STREAM],
            [(1, CANCEL)],
        )
        self.assertEqual((self.counted(), self.codec.queuedTotal), ({"stream_window": 1}, 0))
        self.assertEqual(self.codec.waitLimit, 0.0)

    def test_slowStream(self: Any) -> None:
        """Whoever takes a little every now and then is slow, not gone."""
        self.begin(h2.PREFACE, h2.settings((4, 10)), h2.headers(1, BLOCK, end=True))
        self.answer(1, 100)
        for _ in range(8):
            self.assertEqual(self.passes(9.0), [])
            self.codec.receive(h2.windowUpdate(1, 10))
            drained(self.codec)
        self.assertEqual(self.codec.queuedTotal, 10)

    def test_closedConnection(self: Any) -> None:
        """When the window of the connection stays closed it is the end of the connection."""
        self.begin(h2.PREFACE, h2.settings((4, 200000)), h2.headers(1, BLOCK, end=True))
        self.answer(1, 100000)
        self.assertEqual(self.codec.queuedTotal, 100000 - 65535)
        self.assertEnds("connection_window", ENHANCE_YOUR_CALM)

    def test_slowConnection(self: Any) -> None:
        """A connection that takes a little every now and then goes on."""
        self.begin(h2.PREFACE, h2.settings((4, 200000)), h2.headers(1, BLOCK, end=True))
        self.answer(1, 100000)
        for _ in range(8):
            self.assertEqual(self.passes(9.0), [])
            self.codec.receive(h2.windowUpdate(0, 1))
            drained(self.codec)
        self.assertEqual(self.counted(), {})

    def test_fullTransport(self: Any) -> None:
        """While the transport takes nothing windows are not to blame."""
        self.begin(h2.PREFACE, h2.settings((4, 10)), h2.headers(1, BLOCK, end=True))
        self.answer(1, 100)
        self.codec.corked = True
        self.assertEqual(self.codec.waitLimit, 0.0)
        for _ in range(100):
            self.assertEqual(self.codec.timeout(), [])
        self.codec.corked = False
        self.assertGreater(self.codec.waitLimit, 0.0)

    def test_noLimits(self: Any) -> None:
        """0 is for ever."""
        self.begin(b"", settings_timeout=0.0, header_timeout=0.0, window_timeout=0.0)
        self.codec.receive(HELLO + h2.settings((4, 10)) + h2.headers(1, BLOCK, end=True))
        self.answer(1, 100)
        self.codec.receive(h2.rawFrame(h2.HEADERS, 0, 3, BLOCK))
        self.assertEqual(self.codec.waitLimit, 0.0)
        for _ in range(100):
            self.assertEqual(self.codec.timeout(), [])

    def test_unequal(self: Any) -> None:
        """Each wait has its own time, though they are looked at together."""
        self.begin(h2.PREFACE, h2.settings((4, 10)), window_timeout=25.0, header_timeout=1.0)
        self.codec.receive(h2.headers(1, BLOCK, end=True))
        self.answer(1, 100)
        self.assertEqual(self.passes(25.0), [])
        self.assertEqual(self.passes(0.25), [(RESET, 1, IDLE_TIMEOUT, True)])


class H2Tests(Cases, SynchronousTestCase):
    """With the engine h2."""

    engine = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """With the engine ngh2."""

    engine = "ngh2"
