"""Tests of the end that reads requests."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEARTBEAT, MESSAGE
from mosntx.contracts.stream import GLOBAL_TIMEOUT, LOCAL_RESET
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.tr.build import heartbeat
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import TrResponse, readHead
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.server import TrServerCodec
from mosntx.testing.trframes import (
    trHeartbeat,
    trHeartbeatAck,
    trRequest,
    trResponse,
)
from tests.protocol.bolt.vectors import load

IDS = st.integers(-(1 << 63), (1 << 63) - 1)
#: Ids of every size that a long can have in Hessian, both ends of each.
EVERY_SIZE = (
    *(-8, 15, -9, 16, -2048, 2047, 2048, -262144, 262143, 262144),
    *(-(1 << 31), (1 << 31) - 1, 1 << 31, -(1 << 63), (1 << 63) - 1),
)


def response(octets: bytes) -> TrResponse:
    head: TrResponse = readHead(octets, ConnectionReader())
    return head


class RequestTests(SynchronousTestCase):
    """Requests get numbers of our own."""

    def test_numbers(self) -> None:
        """Numbers count up, whatever the ids are; ids may repeat."""
        codec = TrServerCodec(TrLimits())
        events = codec.receive(b"".join(trRequest(number) for number in (5, -1, 5)))
        self.assertEqual(
            [event[:2] for event in events], [(MESSAGE, 1), (MESSAGE, 2), (MESSAGE, 3)]
        )
        self.assertEqual([event[2].requestId for event in events], [5, -1, 5])

    def test_waits(self) -> None:
        """There is nothing to wait for, and nothing that the codec says by itself."""
        codec = TrServerCodec(TrLimits())
        codec.receive(trRequest()[:20])
        self.assertEqual((codec.waitLimit, codec.backlog, codec.closing), (0.0, 0, False))
        self.assertEqual((codec.next(), codec.timeout(), codec.bytesToSend()), ([], [], b""))
        codec.drain()
        self.assertEqual((codec.goAway(), codec.closing), (b"", False))

    def test_eof(self) -> None:
        """What has come is still answered, what comes is ignored."""
        codec = TrServerCodec(TrLimits())
        codec.receive(trRequest(9) + b"\x0d")
        self.assertEqual(codec.receiveEof(), [])
        self.assertEqual(codec.receive(trRequest()), [])
        self.assertEqual(codec.responseHead(1, response(trResponse(1)), True), trResponse(9))

    def test_heartbeat(self) -> None:
        """A heartbeat is no request: it has no number, and its own answer."""
        codec = TrServerCodec(TrLimits())
        kind, number, frame, end = codec.receive(trHeartbeat(-77, b"N"))[0]
        self.assertEqual((kind, number, end), (HEARTBEAT, 0, True))
        self.assertEqual(codec.heartbeatAck(frame), trHeartbeatAck(-77, 0, b"N"))
        self.assertEqual(response(codec.heartbeatAck(frame, 1)).heartbeatStatus, 1)
        self.assertEqual(codec.receive(trRequest())[0][1], 1)

    def test_responses(self) -> None:
        """A client that answers something, or a heartbeat of nobody, is ignored."""
        codec = TrServerCodec(TrLimits())
        self.assertEqual(codec.receive(trResponse() + trHeartbeatAck()), [])
        self.assertEqual(codec.ignored, 2)


class ResponseTests(SynchronousTestCase):
    """Responses get the id of their request."""

    def test_everySize(self) -> None:
        """Ids of each size come back as they were, whatever the upstream's id was."""
        for number in EVERY_SIZE:
            for upstream in EVERY_SIZE:
                codec = TrServerCodec(TrLimits())
                codec.receive(trRequest(number))
                answer = response(trResponse(upstream, b"\x01x"))
                self.assertEqual(codec.responseHead(1, answer, True), trResponse(number, b"\x01x"))

    @given(st.lists(IDS, max_size=6), st.randoms(use_true_random=False))
    def test_anyOrder(self, ids: list[int], order: Any) -> None:
        """Answers may come in any order, each once."""
        codec = TrServerCodec(TrLimits())
        events = codec.receive(b"".join(trRequest(number) for number in ids))
        order.shuffle(events)
        for _, number, request, _ in events:
            answer = response(trResponse(number, b"\x91"))
            expected = trResponse(request.requestId, b"\x91")
            self.assertEqual(codec.responseHead(number, answer, True), expected)
            self.assertEqual(codec.responseHead(number, answer, True), b"")
            self.assertEqual(codec.responseReset(number, LOCAL_RESET), b"")

    def test_oneway(self) -> None:
        """Nothing is written for a one-way request, whoever answers."""
        codec = TrServerCodec(TrLimits())
        head = codec.receive(trRequest(4, oneway=True))[0][2]
        self.assertTrue(head.oneway)
        self.assertEqual(codec.responseHead(1, response(trResponse(1)), True), b"")
        self.assertEqual(codec.responseReset(1, LOCAL_RESET), b"")

    def test_reset(self) -> None:
        """A stream that is given up is answered with an error, in its serialization."""
        vectors = {vector["name"]: vector["octets"] for vector in load("tr")}
        for octets, number in (
            (trRequest(700), 700),
            (vectors["java-req-id-262144"], 262144),
        ):
            codec = TrServerCodec(TrLimits())
            codec.receive(octets)
            answer = response(codec.responseReset(1, GLOBAL_TIMEOUT))
            self.assertEqual((answer.requestId, answer.status), (number, 500))
            self.assertEqual(answer.serialization, octets[2])
            self.assertEqual(answer.connection.errorText, b"global timeout")
            self.assertEqual(codec.responseHead(1, answer, True), b"")

    def test_data(self) -> None:
        """Content that comes apart from its head replaces what the head has."""
        codec = TrServerCodec(TrLimits(max_content=500))
        codec.receive(trRequest(5) + trRequest(6))
        for number, ends in ((1, False), (2, True)):
            head = response(trResponse(77))
            self.assertEqual(codec.responseHead(number, head, False), b"")
            self.assertEqual(codec.responseData(number, b"ab", False), b"")
            if ends:
                written = codec.responseTrailers(number, Headers())
            else:
                written = codec.responseData(number, b"c", True)
            self.assertEqual(response(written).requestId, 4 + number)
            self.assertEqual(response(written).content, b"ab" if ends else b"abc")
            self.assertEqual(codec.responseData(number, b"c", True), b"")

    def test_tooMuch(self) -> None:
        """Content over the limit is refused, and another answer may be given."""
        codec = TrServerCodec(TrLimits(max_content=500))
        codec.receive(trRequest(5))
        codec.responseHead(1, response(trResponse(77)), False)
        codec.responseData(1, bytes(500), False)
        with self.assertRaisesRegex(EncodeError, "content of 501 octets, at most 500"):
            codec.responseData(1, b"x", False)
        self.assertEqual(codec.responseHead(1, response(trResponse(7)), True), trResponse(5))

    def test_foreign(self) -> None:
        """What TR cannot say is refused, and another answer may be given."""
        codec = TrServerCodec(TrLimits())
        codec.receive(trRequest(5))
        with self.assertRaises(EncodeError):
            codec.responseHead(1, ResponseHead(200, Headers()), True)
        codec.responseHead(1, ResponseHead(200, Headers()), False)
        with self.assertRaises(EncodeError):
            codec.responseData(1, b"x", True)
        written = codec.responseHead(1, ResponseHead(503, Headers()), True)
        self.assertEqual(response(written).connection.errorText, b"Service Unavailable")
        self.assertEqual(response(written).requestId, 5)

    def test_informational(self) -> None:
        """There are no interim responses."""
        codec = TrServerCodec(TrLimits())
        codec.receive(trRequest(5))
        self.assertEqual(codec.responseInformational(1, ResponseHead(100, Headers())), b"")

    def test_ownHeartbeat(self) -> None:
        """What the client's end sends as a heartbeat is one here."""
        event = TrServerCodec(TrLimits()).receive(heartbeat(1 << 33))[0]
        self.assertEqual((event[0], event[2].requestId), (HEARTBEAT, 1 << 33))
