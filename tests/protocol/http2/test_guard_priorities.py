"""Tests of what the guard keeps of priorities."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.codes import PREFACE
from mosntx.protocol.http2.guard import (
    MAX_PRIORITIES,
    MAX_PRIORITY_VALUE,
    FloodLimits,
    FrameGuard,
    PrioritySeen,
)
from tests.protocol.http2.test_guard import (
    CONTINUATION,
    DATA,
    END_HEADERS,
    HEADERS,
    PADDED,
    PRIORITY,
    PRIORITY_UPDATE,
    WITH_PRIORITY,
    cuts,
    dependency,
    fed,
    frame,
)


class PriorityTests(SynchronousTestCase):
    """What is said of priorities, in any cut."""

    def check(self, data: bytes, *expected: PrioritySeen) -> None:
        for client in (True, False):
            whole = data if client else PREFACE + data
            ways = [[whole], [whole[i : i + 1] for i in range(len(whole))]]
            ways += [cuts(whole, seed) for seed in range(20)]
            for pieces in ways:
                guard = FrameGuard(FloodLimits(), client)
                self.assertEqual(fed(guard, pieces), ("", list(expected)))

    def test_priorityFrame(self) -> None:
        """PRIORITY frames say on which stream another depends, and how."""
        self.check(
            frame(PRIORITY, 0, 3, dependency(1, 256, True))
            + frame(PRIORITY, 0, 5 | 1 << 31, dependency(0, 1)),
            ("dependency", 3, 1, 256, True),
            ("dependency", 5, 0, 1, False),
        )

    def test_headers(self) -> None:
        """HEADERS may say it too, padded or not, with their block in one frame or more."""
        said = dependency(7, 16)
        self.check(
            frame(HEADERS, END_HEADERS | WITH_PRIORITY, 9, said + b"block")
            + frame(HEADERS, END_HEADERS | WITH_PRIORITY | PADDED, 11, b"\2" + said + b"block\0\0")
            + frame(HEADERS, END_HEADERS | PADDED, 13, b"\2block\0\0")
            + frame(HEADERS, WITH_PRIORITY, 15, said)
            + frame(CONTINUATION, END_HEADERS, 15, b"block"),
            ("dependency", 9, 7, 16, False),
            ("dependency", 11, 7, 16, False),
            ("dependency", 15, 7, 16, False),
        )

    def test_update(self) -> None:
        """PRIORITY_UPDATE frames give the value of the field as it came."""
        self.check(
            frame(PRIORITY_UPDATE, 0, 0, b"\x80\0\0\5u=1, i")
            + frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\7")
            + frame(DATA, 0, 5, b"data"),
            ("update", 5, b"u=1, i"),
            ("update", 7, b""),
        )

    def test_longUpdate(self) -> None:
        """A value of 256 octets is taken, a longer one passed over."""
        longest = b"a" * MAX_PRIORITY_VALUE
        self.check(
            frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\5b" + longest)
            + frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\5" + longest),
            ("update", 5, longest),
        )

    def test_tooShort(self) -> None:
        """Frames that are too short for a priority say none, and are for the engine to refuse."""
        self.check(
            frame(PRIORITY, 0, 3, b"\0\0\0\1")
            + frame(PRIORITY, 0, 3)
            + frame(HEADERS, END_HEADERS | WITH_PRIORITY, 9, b"\0\0\0\1")
            + frame(HEADERS, END_HEADERS | WITH_PRIORITY | PADDED, 9, b"\0\0\0\0\1")
            + frame(PRIORITY_UPDATE, 0, 0, b"\0\0\1")
            + frame(PRIORITY, 0, 3, dependency(1, 2)),
            ("dependency", 3, 1, 2, False),
        )

    def test_bounded(self) -> None:
        """No more are kept than the bound, and there is room again when they were taken."""
        guard = FrameGuard(FloodLimits(), True)
        update = frame(PRIORITY_UPDATE, 0, 0, b"\0\0\0\1u=3")
        self.assertIsNone(
            guard.feed((update + frame(PRIORITY, 0, 1, dependency(3, 16))) * 100, 1.0)
        )
        self.assertEqual(len(guard.priorities), MAX_PRIORITIES)
        guard.priorities.clear()
        self.assertIsNone(guard.feed(update, 1.0))
        self.assertEqual(guard.priorities, [("update", 1, b"u=3")])
