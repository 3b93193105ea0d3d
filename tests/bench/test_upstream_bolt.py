"""Tests of the Bolt upstream, without its sockets."""

from __future__ import annotations

import random
import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from bench.drivers import bolt_frames as frames
from bench.upstream_bolt import Answers


def call(number: int, content: bytes) -> bytes:
    """Return a request."""
    return bytes(frames.numbered(frames.request(content), struct.pack(">I", number)))


def answer(number: int, content: bytes) -> bytes:
    """Return what has to come back."""
    return bytes(frames.numbered(frames.response(content), struct.pack(">I", number)))


class AnswersTests(SynchronousTestCase):
    """The answers on one connection."""

    @given(
        st.lists(st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([b"", b"a", b"ab", b"ba"]))),
        st.integers(0, 2**32),
    )
    def test_everyCall(self, calls: list[tuple[int, bytes]], seed: int) -> None:
        """Each call gets its own content back under its own id, in any cut."""
        dice = random.Random(seed)
        octets = b"".join(call(*each) for each in calls)
        answers, got = Answers(), b""
        while octets:
            size = dice.randint(1, len(octets))
            got += answers.feed(octets[:size])
            octets = octets[size:]
        self.assertEqual(got, b"".join(answer(*each) for each in calls))

    def test_together(self) -> None:
        """Equal calls that come at once are answered at once."""
        octets = b"".join(call(number, b"x" * 100) for number in range(50))
        expected = b"".join(answer(number, b"x" * 100) for number in range(50))
        self.assertEqual(Answers().feed(octets), expected)

    def test_heartbeat(self) -> None:
        """A heartbeat is acknowledged with its id, between calls, too."""
        heartbeat = frames.REQUEST.pack(1, 1, 0, 1, 5, 1, -1, 0, 0, 0)
        got = Answers().feed(call(1, b"a") + heartbeat + heartbeat + call(2, b"a"))
        ack = frames.RESPONSE.pack(1, 0, 0, 1, 5, 1, 0, 0, 0, 0)
        self.assertEqual(got, answer(1, b"a") + ack + ack + answer(2, b"a"))

    def test_oneway(self) -> None:
        """A one-way call gets no answer."""
        oneway = b"\x01\x02" + call(1, b"a")[2:]
        self.assertEqual(Answers().feed(oneway + oneway + call(2, b"a")), answer(2, b"a"))

    def test_noBolt(self) -> None:
        """Another protocol is refused, behind a call, too."""
        self.assertRaises(frames.FrameError, Answers().feed, b"GET / HTTP/1.1\r\n\r\n")
        self.assertRaises(frames.FrameError, Answers().feed, call(1, b"") + b"\x02" * 30)
