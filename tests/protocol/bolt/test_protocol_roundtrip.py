"""Tests of both ends against each other."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import MESSAGE
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.playbook import pieces
from tests.protocol.bolt.test_frames import SHAPES

IDS = st.integers(0, 0xFFFFFFFF)
TEXTS = st.binary(max_size=20)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), max_size=5)
COMMON = {
    "requestId": IDS,
    "content": st.binary(max_size=300),
    "headers": PAIRS,
    "codec": st.integers(0, 255),
    "className": TEXTS,
}
REQUESTS = st.fixed_dictionaries({**COMMON, "timeout": st.integers(-(1 << 31), (1 << 31) - 1)})
RESPONSES = st.fixed_dictionaries({**COMMON, "status": st.integers(0, 0xFFFF)})
SIZES = st.lists(st.integers(1, 200), min_size=1, max_size=5)


#: Fields of a request and of its answer, and the shape of both.
Call = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]


def answered(answers: list[tuple[Call, int]]) -> bytes:
    """Return the responses of calls, with these ids."""
    return b"".join(
        boltResponse(**{**answer, "requestId": requestId}, **shape)
        for (_, answer, shape), requestId in answers
    )


class RoundTripTests(SynchronousTestCase):
    """A client, a proxy and an upstream."""

    @given(
        st.lists(st.tuples(REQUESTS, RESPONSES, st.sampled_from(SHAPES)), max_size=5),
        IDS.filter(bool),
        SIZES,
        st.randoms(use_true_random=False),
    )
    def test_through(
        self,
        calls: list[Call],
        firstId: int,
        sizes: list[int],
        order: Any,
    ) -> None:
        """Any calls in any cut, answered in any order: each comes whole to where it belongs."""
        server = BoltProtocol().serverCodec()
        client = BoltProtocol().clientCodec()
        client.nextId = firstId
        octets = b"".join(boltRequest(**fields, **shape) for fields, _, shape in calls)
        numbers = {}
        sent = []
        cut = pieces(sizes)
        for part in cut(octets):
            for kind, number, head, _ in server.receive(part):
                self.assertEqual(kind, MESSAGE)
                upstreamId, frame = client.requestHead(head, True)
                numbers[upstreamId] = number
                sent.append((upstreamId, frame))
        for (fields, _, shape), (upstreamId, frame) in zip(calls, sent, strict=True):
            self.assertEqual(
                frame, boltRequest(**{**fields, "requestId": upstreamId}, **shape), shape
            )
        answers = list(zip(calls, [upstreamId for upstreamId, _ in sent], strict=True))
        order.shuffle(answers)
        written = b"".join(
            server.responseHead(numbers[number], head, True)
            for part in cut(answered(answers))
            for _, number, head, _ in client.receive(part)
        )
        expected = [(call, call[0]["requestId"]) for call, _ in answers]
        self.assertEqual(written, answered(expected))

    @given(REQUESTS, st.sampled_from(SHAPES), TEXTS, st.binary(max_size=50))
    def test_edits(
        self, fields: dict[str, Any], shape: dict[str, Any], name: bytes, content: bytes
    ) -> None:
        """A changed message is the frame that a client would have sent with these fields."""
        name = name.translate(None, b"\r\n\0")
        head: Any = BoltProtocol().serverCodec().receive(boltRequest(**fields, **shape))[0][2]
        head.headers.remove(name)
        head.headers.add(name, b"value")
        head.content = content
        pairs = [pair for pair in fields["headers"] if pair[0] != name]
        expected = {**fields, "headers": [*pairs, (name, b"value")], "content": content}
        self.assertEqual(head.octets(fields["requestId"]), boltRequest(**expected, **shape))
