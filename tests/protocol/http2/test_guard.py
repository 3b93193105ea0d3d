"""Tests of the guard against floods."""

from __future__ import annotations

import random
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.buckets import Rate
from mosntx.protocol.errors import LimitError
from mosntx.protocol.http2.codes import ENHANCE_YOUR_CALM, PREFACE
from mosntx.protocol.http2.guard import (
    FloodError,
    FloodLimits,
    FrameGuard,
    PrioritySeen,
)

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY = range(8)
WINDOW_UPDATE, CONTINUATION, PRIORITY_UPDATE = 0x8, 0x9, 0x10
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, WITH_PRIORITY = 0x4, 0x8, 0x20


def frame(kind: int, flags: int = 0, streamId: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame."""
    start = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return start + streamId.to_bytes(4, "big") + payload


def dependency(on: int, weight: int, exclusive: bool = False) -> bytes:
    """Return the five octets of a priority as in RFC 7540."""
    return (on | exclusive << 31).to_bytes(4, "big") + bytes([weight - 1])


def fed(
    guard: FrameGuard, pieces: Iterable[bytes], now: float = 1.0
) -> tuple[str, list[PrioritySeen]]:
    """Feed pieces until a limit is passed; return its name and the priorities seen."""
    for piece in pieces:
        error = guard.feed(piece, now)
        if error is not None:
            assert error.name == guard.tripped
            break
    return guard.tripped, guard.priorities


def cuts(data: bytes, seed: int) -> list[bytes]:
    """Return the octets in pieces of random sizes, empty ones among them."""
    source = random.Random(seed)
    pieces = []
    while data:
        size = source.choice((0, 1, 2, 5, 8, 9, 10, 14, 30, 300))
        pieces.append(data[:size])
        data = data[size:]
    return pieces


RESET = frame(RST_STREAM, 0, 1, bytes(4))
SETTING = bytes(6)
BLOCK = frame(HEADERS, 0, 1, b"a")
#: limit -> its burst, its rate, a frame that counts.
COUNTED = {
    "resets": (1000, 33, RESET),
    "settings": (100, 10, frame(SETTINGS, 0, 0, SETTING)),
    "pings": (1000, 100, frame(PING, 0, 0, bytes(8))),
    "ping_acks": (100, 10, frame(PING, ACK, 0, bytes(8))),
    "window_updates": (1000, 100, frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\1")),
    "priorities": (1000, 100, frame(PRIORITY, 0, 1, dependency(3, 16))),
    "empty_data": (100, 10, frame(DATA, 0, 1)),
    "others": (1000, 100, frame(0x42, 0xFF, 7, b"what")),
}


class RateTests(SynchronousTestCase):
    """What is counted over time."""

    def test_burst(self) -> None:
        """As many as the limit pass, one more does not."""
        for name, (burst, _, one) in COUNTED.items():
            for client in (False, True):
                guard = FrameGuard(FloodLimits(), client)
                start = b"" if client else PREFACE
                self.assertIsNone(guard.feed(start + one * burst, 1.0), name)
                self.assertEqual(guard.tripped, "")
                error = guard.feed(one, 1.0)
                assert error is not None
                self.assertEqual((error.name, guard.tripped), (name, name))
                self.assertEqual(error.code, ENHANCE_YOUR_CALM)

    def test_refill(self) -> None:
        """After a second there is room for the rate of a second."""
        for name, (burst, rate, one) in COUNTED.items():
            guard = FrameGuard(FloodLimits(), True)
            self.assertIsNone(guard.feed(one * burst, 1.0), name)
            self.assertIsNone(guard.feed(one * rate, 2.0), name)
            self.assertIsNotNone(guard.feed(one, 2.0), name)

    def test_clockGoesBack(self) -> None:
        """A clock that goes back gives nothing and breaks nothing."""
        guard = FrameGuard(FloodLimits(), True)
        self.assertIsNone(guard.feed(RESET * 999, 10.0))
        self.assertIsNone(guard.feed(RESET, 3.0))
        self.assertIsNotNone(guard.feed(RESET, 4.0))

    def test_apart(self) -> None:
        """No limit counts what belongs to another."""
        guard = FrameGuard(FloodLimits(), True)
        for burst, _, one in COUNTED.values():
            self.assertIsNone(guard.feed(one * burst, 1.0))

    def test_otherFrames(self) -> None:
        """GOAWAY counts with unknown types; PRIORITY_UPDATE with PRIORITY."""
        update = frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=3")
        for one, name in ((frame(GOAWAY, 0, 0, bytes(8)), "others"), (update, "priorities")):
            guard = FrameGuard(FloodLimits(), True)
            burst, _, other = COUNTED[name]
            self.assertIsNone(guard.feed((one + other) * (burst // 2), 1.0))
            self.assertEqual(fed(guard, [one])[0], name)

    def test_ownResets(self) -> None:
        """Streams that we had to reset count as those that the peer reset."""
        guard = FrameGuard(FloodLimits(), True)
        self.assertIsNone(guard.feed(RESET * 600, 1.0))
        for _ in range(400):
            self.assertIsNone(guard.streamReset(1.0))
        error = guard.streamReset(1.0)
        assert error is not None
        self.assertEqual((error.name, guard.tripped), ("resets", "resets"))
        for _ in range(33):
            self.assertIsNone(guard.streamReset(2.0))
        self.assertIsNotNone(guard.feed(RESET, 2.0))

    def test_dataEarnsUpdates(self) -> None:
        """Each DATA frame that we sent allows ten WINDOW_UPDATE frames more."""
        guard = FrameGuard(FloodLimits(), True)
        guard.dataSent(5)
        guard.dataSent(2)
        one = COUNTED["window_updates"][2]
        self.assertIsNone(guard.feed(one * 1070, 1.0))
        self.assertIsNotNone(guard.feed(one, 1.0))

    def test_limitsOfOnesOwn(self) -> None:
        """The limits that were given are the limits that count."""
        guard = FrameGuard(FloodLimits(resets=Rate(2, 0.5)), True)
        self.assertIsNone(guard.feed(RESET * 2, 1.0))
        self.assertIsNone(guard.feed(RESET, 3.0))
        self.assertIsNotNone(guard.feed(RESET, 4.0))


class DataTests(SynchronousTestCase):
    """Which DATA frames are empty."""

    def check(self, one: bytes, counts: bool) -> None:
        guard = FrameGuard(FloodLimits(), True)
        name, _ = fed(guard, [one * 101])
        self.assertEqual(name, "empty_data" if counts else "", one)

    def test_whichCount(self) -> None:
        """Those with nothing or nothing but padding, unless they end the stream."""
        self.check(frame(DATA, 0, 1), True)
        self.check(frame(DATA, PADDED, 1), True)  # malformed: no octet for its padding
        self.check(frame(DATA, PADDED, 1, b"\x00"), True)
        self.check(frame(DATA, PADDED, 1, b"\x03\0\0\0"), True)
        self.check(frame(DATA, PADDED, 1, b"\xff\0\0\0"), True)  # malformed: too much padding
        self.check(frame(DATA, PADDED, 1, b"\x02\0\0\0"), False)
        self.check(frame(DATA, 0, 1, b"a"), False)
        self.check(frame(DATA, END_STREAM, 1), False)
        self.check(frame(DATA, END_STREAM | PADDED, 1, b"\0"), False)


SMALL_BLOCK = FloodLimits(max_header_block=1000)


class BlockTests(SynchronousTestCase):
    """Field blocks, and SETTINGS frames, that are too large."""

    def test_continuations(self) -> None:
        """Eight CONTINUATION frames pass for each block, nine do not."""
        one = frame(CONTINUATION, 0, 1)
        for first in (BLOCK, frame(PUSH_PROMISE, 0, 1, bytes(4))):
            guard = FrameGuard(FloodLimits(), True)
            for _ in range(50):
                self.assertIsNone(guard.feed(first + one * 8, 1.0))
            self.assertEqual(fed(guard, [one])[0], "max_continuations")

    def test_blockOctets(self) -> None:
        """A block of 65536 octets passes, one octet more does not."""
        full = frame(HEADERS, 0, 1, bytes(16384)) + frame(CONTINUATION, 0, 1, bytes(16384)) * 2
        guard = FrameGuard(FloodLimits(), True)
        for _ in range(3):
            self.assertIsNone(guard.feed(full + frame(CONTINUATION, 4, 1, bytes(16384)), 1.0))
        self.assertEqual(
            fed(guard, [full, *(frame(CONTINUATION, 0, 1, bytes(n)) for n in (16384, 1))])[0],
            "max_header_block",
        )

    def test_blockInOneFrame(self) -> None:
        """The same for a block in one frame; one that is too long for a frame is not ours."""
        for kind in (HEADERS, PUSH_PROMISE):
            for flags in (0, END_HEADERS, END_HEADERS | WITH_PRIORITY | PADDED):
                guard = FrameGuard(SMALL_BLOCK, True)
                self.assertIsNone(guard.feed(frame(kind, flags, 1, bytes(1000)), 1.0))
                self.assertIsNone(guard.feed(frame(kind, flags, 1, bytes(16385)), 1.0))
                name, _ = fed(guard, [frame(kind, flags, 1, bytes(1001))])
                self.assertEqual(name, "max_header_block")

    def test_cutBeforeItCame(self) -> None:
        """A header that announces too much is enough; its payload need not come."""
        guard = FrameGuard(SMALL_BLOCK, True)
        name, _ = fed(guard, [frame(HEADERS, END_HEADERS, 1, bytes(1001))[:9]])
        self.assertEqual(name, "max_header_block")

    def test_settingsEntries(self) -> None:
        """Thirty-two settings in a frame pass, one more does not."""
        guard = FrameGuard(FloodLimits(), True)
        self.assertIsNone(guard.feed(frame(SETTINGS, 0, 0, SETTING * 32), 1.0))
        self.assertEqual(fed(guard, [frame(SETTINGS, 0, 0, SETTING * 33)])[0], "max_settings")


class ReasonTests(SynchronousTestCase):
    """What people are told."""

    def test_texts(self) -> None:
        """The figure and what it counts."""
        for data, text in (
            (RESET * 1001, "flood: more than 1000 stream resets (33 per second)"),
            (COUNTED["ping_acks"][2] * 101, "flood: more than 100 answers to PING (10 per second)"),
            (frame(SETTINGS, 0, 0, SETTING * 33), "flood: more than 32 settings in a frame"),
            (
                BLOCK + frame(CONTINUATION) * 9,
                "flood: more than 8 CONTINUATION frames of a field block",
            ),
            (
                frame(HEADERS, 0, 1, bytes(16384)) + frame(CONTINUATION, 0, 1, bytes(16384)) * 4,
                "flood: more than 65536 octets of a field block",
            ),
        ):
            error = FrameGuard(FloodLimits(), True).feed(data, 1.0)
            self.assertEqual(str(error), text)

    def test_error(self) -> None:
        """It is a limit's error; its status speaks for an upstream, and not to a client."""
        for client, status in ((True, 502), (False, 0)):
            start = b"" if client else PREFACE
            error = FrameGuard(FloodLimits(), client).feed(start + RESET * 1001, 1.0)
            assert isinstance(error, FloodError)
            self.assertIsInstance(error, LimitError)
            self.assertEqual(error.status, status)


KINDS = st.one_of(st.integers(0, 0x10), st.just(PRIORITY_UPDATE), st.integers(0, 255))
FRAMES = st.builds(
    frame, KINDS, st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=300)
)
FEW = Rate(2, 1.0)
SMALL = FloodLimits(FEW, FEW, FEW, FEW, FEW, FEW, FEW, FEW, 2, 400, 3)


class CutTests(SynchronousTestCase):
    """However the octets are cut, the same is seen."""

    def check(self, data: bytes, seed: int) -> None:
        for client in (True, False):
            for limits in (SMALL, FloodLimits()):
                whole = fed(FrameGuard(limits, client), [data])
                single = [data[i : i + 1] for i in range(len(data))]
                self.assertEqual(fed(FrameGuard(limits, client), single), whole)
                self.assertEqual(fed(FrameGuard(limits, client), cuts(data, seed)), whole)

    @given(st.lists(FRAMES, max_size=12), st.integers(0, 1000))
    def test_frames(self, frames: list[bytes], seed: int) -> None:
        """Frames of all types and flags."""
        self.check(b"".join(frames), seed)
        self.check(PREFACE + b"".join(frames), seed)

    @given(st.binary(max_size=200), st.integers(0, 1000))
    def test_junk(self, data: bytes, seed: int) -> None:
        """What is no frame at all raises nothing."""
        self.check(data, seed)

    def test_eachLimit(self) -> None:
        """Each limit is passed by the same frame in any cut."""
        for name, (burst, _, one) in COUNTED.items():
            for data, expected in ((one * burst, ""), (one * (burst + 1), name)):
                ways = [[data[i : i + 1] for i in range(len(data))], cuts(data, burst)]
                for pieces in ways:
                    self.assertEqual(fed(FrameGuard(FloodLimits(), True), pieces)[0], expected)

    def test_longFrames(self) -> None:
        """A frame longer than any that is allowed is walked over as others are."""
        data = frame(DATA, 0, 1, b"\xff" * 100_000) + RESET
        guard = FrameGuard(FloodLimits(resets=Rate(0, 0.0)), True)
        self.assertEqual(fed(guard, [data[i : i + 1000] for i in range(0, 100_000, 1000)])[0], "")
        self.assertEqual(fed(guard, [data[100_000:]])[0], "resets")


class BetweenTests(SynchronousTestCase):
    """Where frames of ours could stand among those of the peer."""

    def test_anyCut(self) -> None:
        """Only behind whole frames, and outside of a field block."""
        frames = (
            frame(DATA, 0, 1, b"data"),
            frame(PING, 0, 0, bytes(8)),
            frame(HEADERS, END_HEADERS, 3, b"block"),
            frame(HEADERS, 0, 5, b"block"),
            frame(CONTINUATION, 0, 5, b"block"),
            frame(CONTINUATION, END_HEADERS, 5, b"block"),
            frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\5u=1"),
        )
        ends = {len(b"".join(frames[:count])) for count in (0, 1, 2, 3, 6, 7)}
        whole = b"".join(frames)
        for cut in range(len(whole) + 1):
            guard = FrameGuard(FloodLimits(), True)
            guard.feed(whole[:cut], 1.0)
            self.assertEqual(guard.between, cut in ends, cut)
            guard.feed(whole[cut:], 1.0)
            self.assertTrue(guard.between, cut)

    def test_beforeThePreface(self) -> None:
        """A client has to say its preface first."""
        guard = FrameGuard(FloodLimits(), False)
        self.assertFalse(guard.between)
        guard.feed(PREFACE, 1.0)
        self.assertTrue(guard.between)


class OrdinaryTests(SynchronousTestCase):
    """What clients and servers do every day."""

    def test_requests(self) -> None:
        """Ten thousand requests at once, with windows, settings and pings, pass no limit."""
        guard = FrameGuard(FloodLimits(), False)
        start = frame(SETTINGS, 0, 0, SETTING * 6) + frame(WINDOW_UPDATE, 0, 0, b"\0\1\0\0")
        self.assertIsNone(guard.feed(PREFACE + start + frame(SETTINGS, ACK), 1.0))
        for i in range(10_000):
            streamId = 2 * i + 1
            request = (
                frame(HEADERS, END_HEADERS | WITH_PRIORITY, streamId, dependency(0, 16) + b"block")
                + frame(DATA, 0, streamId, b"data" * 50)
                + frame(DATA, END_STREAM, streamId)
                + frame(WINDOW_UPDATE, 0, streamId, b"\0\0\0\1")
                + frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\1")
            )
            guard.dataSent(1)
            self.assertIsNone(guard.feed(request, 1.0))
            if i % 20 == 0:
                self.assertIsNone(guard.feed(frame(PING, 0, 0, bytes(8)), 1.0))
        self.assertEqual(guard.tripped, "")
