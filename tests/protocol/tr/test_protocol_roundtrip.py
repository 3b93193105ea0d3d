"""Tests of both ends against each other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEARTBEAT, HEARTBEAT_ACK, MESSAGE
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.playbook import pieces
from mosntx.testing.trframes import trRequest, trResponse

IDS = st.one_of(st.integers(-300_000, 300_000), st.integers(-(1 << 63), (1 << 63) - 1))
SIZES = st.lists(st.integers(1, 200), min_size=1, max_size=5)


class RoundTripTests(SynchronousTestCase):
    """A client, a proxy and an upstream."""

    @given(
        st.lists(st.tuples(IDS, st.binary(max_size=50), st.binary(max_size=50)), max_size=6),
        st.integers(1, 1 << 40),
        SIZES,
        st.randoms(use_true_random=False),
    )
    def test_through(
        self, calls: list[tuple[int, bytes, bytes]], firstId: int, sizes: list[int], order: Any
    ) -> None:
        """Any calls in any cut, answered in any order: each comes whole to where it belongs."""
        server = TrProtocol().serverCodec()
        client = TrProtocol().clientCodec()
        client.nextId = firstId
        waiting = []
        asked = b"".join(trRequest(number, question) for number, question, _ in calls)
        for part in pieces(sizes)(asked):
            for kind, number, head, _ in server.receive(part):
                self.assertEqual(kind, MESSAGE)
                upstreamId, octets = client.requestHead(head, True)
                number_, question, answer = calls[number - 1]
                self.assertEqual(octets, trRequest(upstreamId, question))
                waiting.append((upstreamId, number, number_, answer))
        self.assertEqual(len(waiting), len(calls))
        order.shuffle(waiting)
        numbers = {upstreamId: number for upstreamId, number, _, _ in waiting}
        answers = b"".join(trResponse(upstreamId, answer) for upstreamId, _, _, answer in waiting)
        written = b""
        for part in pieces(sizes)(answers):
            for kind, upstreamId, head, _ in client.receive(part):
                self.assertEqual(kind, MESSAGE)
                written += server.responseHead(numbers[upstreamId], head, True)
        expected = b"".join(trResponse(number, answer) for _, _, number, answer in waiting)
        self.assertEqual(written, expected)

    def test_heartbeats(self) -> None:
        """A heartbeat of one end is acknowledged by the other."""
        server = TrProtocol().serverCodec()
        client = TrProtocol().clientCodec()
        for status in (0, 1):
            number, octets = client.heartbeat()
            kind, _, frame, _ = server.receive(octets)[0]
            self.assertEqual(kind, HEARTBEAT)
            answer = client.receive(server.heartbeatAck(frame, status))[0]
            self.assertEqual(answer[:2], (HEARTBEAT_ACK, number))
            self.assertEqual(answer[2].heartbeatStatus, status)
