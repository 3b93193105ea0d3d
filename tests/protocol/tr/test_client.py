"""Tests of the end that writes requests."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEARTBEAT, HEARTBEAT_ACK, MESSAGE
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.tr.client import MAX_ID, TrClientCodec
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import TrRequest, readHead
from mosntx.protocol.tr.limits import TrLimits
from mosntx.testing.trframes import (
    HEARTBEAT_CLASS,
    trFrame,
    trHeartbeat,
    trHeartbeatAck,
    trRequest,
    trResponse,
)

IDS = st.integers(-(1 << 63), (1 << 63) - 1)


def request(octets: bytes) -> TrRequest:
    head: TrRequest = readHead(octets, ConnectionReader())
    return head


def foreign() -> Any:
    return RequestHead(b"GET", b"/", b"a", Headers())


class RequestTests(SynchronousTestCase):
    """Requests get ids of this connection."""

    @given(st.integers(1, MAX_ID), IDS, st.binary(max_size=50))
    def test_ids(self, nextId: int, downstream: int, arguments: bytes) -> None:
        """The id is replaced, and nothing else but a length changes."""
        codec = TrClientCodec(TrLimits())
        codec.nextId = nextId
        number, octets = codec.requestHead(request(trRequest(downstream, arguments)), True)
        self.assertEqual((number, octets), (nextId, trRequest(nextId, arguments)))

    def test_small(self) -> None:
        """Ids begin small and count up; one-way requests and heartbeats have one, too."""
        codec = TrClientCodec(TrLimits())
        self.assertEqual(codec.requestHead(request(trRequest(1 << 40)), True)[0], 1)
        oneway = request(trRequest(1 << 40, oneway=True))
        self.assertEqual(codec.requestHead(oneway, True), (2, trRequest(2, oneway=True)))
        self.assertEqual(codec.heartbeat(), (3, trHeartbeat(3)))
        self.assertEqual(codec.nextId, 4)

    def test_wrap(self) -> None:
        """Ids stay positive, and ones in flight can be left out."""
        codec = TrClientCodec(TrLimits())
        codec.nextId = MAX_ID
        self.assertEqual(codec.requestHead(request(trRequest()), True)[0], MAX_ID)
        self.assertEqual(codec.nextId, 1)
        codec.skipId()
        self.assertEqual(codec.requestHead(request(trRequest()), True)[0], 2)

    def test_data(self) -> None:
        """Content that comes apart from its head replaces what the head has."""
        codec = TrClientCodec(TrLimits())
        head = request(trRequest(5))
        self.assertEqual(codec.requestHead(head, False), (1, b""))
        self.assertEqual(codec.requestData(1, b"ab", False), b"")
        written = request(codec.requestTrailers(1, Headers()))
        self.assertEqual((written.requestId, written.content), (1, b"ab"))
        self.assertEqual(codec.requestData(1, b"c", True), b"")

    def test_tooMuch(self) -> None:
        """Content over the limit ends the stream."""
        codec = TrClientCodec(TrLimits(max_content=3))
        codec.requestHead(request(trRequest()), False)
        with self.assertRaises(EncodeError):
            codec.requestData(1, b"abcd", True)
        self.assertEqual(codec.requestData(1, b"", True), b"")

    def test_reset(self) -> None:
        """A stream that is given up is not written any more; there is nothing to say."""
        codec = TrClientCodec(TrLimits())
        codec.requestHead(request(trRequest()), False)
        self.assertEqual(codec.reset(1, LOCAL_RESET), b"")
        self.assertEqual(codec.requestData(1, b"x", True), b"")

    def test_foreign(self) -> None:
        """What TR cannot say is refused, and takes no id."""
        codec = TrClientCodec(TrLimits())
        with self.assertRaises(EncodeError):
            codec.requestHead(foreign(), True)
        self.assertEqual(codec.nextId, 1)
        codec.requestHead(foreign(), False)
        with self.assertRaises(EncodeError):
            codec.requestData(1, b"x", True)


class ResponseTests(SynchronousTestCase):
    """Numbers of responses are their ids."""

    @given(IDS)
    def test_numbers(self, number: int) -> None:
        """Any id is a number: who waits for it knows."""
        event = TrClientCodec(TrLimits()).receive(trResponse(number))[0]
        self.assertEqual(
            (event[0], event[1], event[2].frame), (MESSAGE, number, trResponse(number))
        )

    def test_heartbeats(self) -> None:
        """An acknowledgement is told by its class, or by the id of a heartbeat of ours, once."""
        codec = TrClientCodec(TrLimits())
        number, _ = codec.heartbeat()
        events = codec.receive(
            trHeartbeatAck(99, 1) + trResponse(number) + trResponse(number) + trResponse(7)
        )
        kinds = [(event[0], event[1]) for event in events]
        self.assertEqual(
            kinds, [(HEARTBEAT_ACK, 99), (HEARTBEAT_ACK, number), (MESSAGE, number), (MESSAGE, 7)]
        )
        self.assertEqual([event[2].heartbeatStatus for event in events[:2]], [1, 0])

    def test_unanswered(self) -> None:
        """Heartbeats that nobody answers are not remembered for ever."""
        codec = TrClientCodec(TrLimits())
        first, _ = codec.heartbeat()
        for _ in range(100):
            codec.heartbeat()
        self.assertEqual(codec.receive(trResponse(first))[0][0], MESSAGE)

    def test_requests(self) -> None:
        """An upstream may ask whether we live; its other requests are ignored."""
        codec = TrClientCodec(TrLimits())
        events = codec.receive(trRequest() + trHeartbeat(5))
        self.assertEqual([event[:2] for event in events], [(HEARTBEAT, 0)])
        self.assertEqual(codec.heartbeatAck(events[0][2]), trHeartbeatAck(5))
        self.assertEqual(codec.ignored, 1)

    def test_withoutId(self) -> None:
        """A heartbeat of the upstream that cannot be answered is dropped."""
        codec = TrClientCodec(TrLimits())
        events = codec.receive(trFrame(0, b"", HEARTBEAT_CLASS, b"") + trResponse(3))
        self.assertEqual([event[:2] for event in events], [(MESSAGE, 3)])
        self.assertEqual(codec.ignored, 1)

    def test_failed(self) -> None:
        """After broken input the connection is not used again."""
        codec = TrClientCodec(TrLimits())
        self.assertTrue(codec.reusable)
        error = codec.receive(b"?")[0][2]
        self.assertEqual((codec.reusable, error.status, codec.bytesToSend()), (False, 502, b""))
