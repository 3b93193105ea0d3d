"""Tests of TR as a protocol: detection, local replies, and the contract suite."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import MATCH, MULTIPLEX, NEED_MORE, NO_MATCH
from mosntx.protocol.tr.build import newRequest
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import readHead
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.contracts.codec import CodecSuite
from mosntx.testing.trframes import REQUEST_CLASS, RESPONSE_CLASS, trFrame, trRequest, trResponse
from tests.protocol.bolt.vectors import load


class TrSuiteTests(CodecSuite, SynchronousTestCase):
    """TR keeps the contract."""

    def protocol(self) -> TrProtocol:
        """See `CodecSuite`."""
        return TrProtocol(TrLimits(max_content=1000))

    def requests(self) -> list[bytes]:
        """See `CodecSuite`."""
        vectors = {vector["name"]: vector["octets"] for vector in load("tr")}
        return [trRequest(7, b"\x05hello"), trRequest(-(1 << 40)), vectors["java-req-id-1"]]

    def requestHead(self) -> Any:
        """See `CodecSuite`."""
        return newRequest(REQUEST_CLASS, b"")

    def response(self, number: int) -> bytes:
        """See `CodecSuite`."""
        return trResponse(number, b"\x05hello")

    def brokenRequests(self) -> list[bytes]:
        """See `CodecSuite`."""
        return [
            b"GET / HTTP/1.1\r\n",
            trFrame(0, b"N", REQUEST_CLASS, b""),
            trFrame(0, b"", REQUEST_CLASS, b"", lengths=(0, 0, 1001)),
            trFrame(2, b"", b"", b""),
            trFrame(0, b"", b"", b"", serialization=3),
            trRequest() + b"\0",
        ]


class NameTests(SynchronousTestCase):
    """What wiring asks."""

    def test_detect(self) -> None:
        """The first octet decides."""
        protocol = TrProtocol()
        self.assertEqual((protocol.name, protocol.poolMode), ("tr", MULTIPLEX))
        self.assertEqual(protocol.detect(b""), NEED_MORE)
        self.assertEqual(protocol.detect(b"\x0d"), MATCH)
        self.assertEqual(protocol.detect(b"\x0d\xff" * 50), MATCH)
        for first in (b"\1", b"\2", b"\x0a", b"G", b"\x16\3\1"):
            self.assertEqual(protocol.detect(first), NO_MATCH)

    def test_limits(self) -> None:
        """Limits reach both ends."""
        protocol = TrProtocol(TrLimits(max_content=1))
        for codec, octets in (
            (protocol.serverCodec(), trRequest()),
            (protocol.clientCodec(), trResponse()),
        ):
            self.assertIn("at most 1", str(codec.receive(octets)[0][2]))


class LocalReplyTests(SynchronousTestCase):
    """Answers of this process."""

    def test_failure(self) -> None:
        """They say it twice, in the serialization of the request, with its id."""
        vectors = {vector["name"]: vector["octets"] for vector in load("tr")}
        java, hessian1 = vectors["java-req-id-262144"], bytearray(vectors["h1-req-oneway"])
        hessian1[3] = 2
        for octets, serialization in ((trRequest(-9), 4), (java, 2), (bytes(hessian1), 1)):
            protocol = TrProtocol()
            codec = protocol.serverCodec()
            _, number, request, _ = codec.receive(octets)[0]
            reply = protocol.localReply(request, 502, b"no healthy upstream")
            self.assertEqual((reply.head.status, reply.body), (502, b""))
            reply.head.headers.set(b"Location", b"/x")
            written = readHead(codec.responseHead(number, reply.head, True), ConnectionReader())
            self.assertEqual(written.requestId, request.requestId)
            self.assertEqual((written.serialization, written.result), (serialization, 1))
            self.assertEqual(written.connection.errorText, b"no healthy upstream")
            self.assertEqual((written.className, written.status), (RESPONSE_CLASS, 500))
            self.assertIn(b"no healthy upstream", written.content)

    def test_noText(self) -> None:
        """Without a text it is the phrase of the status; no UTF-8 does no harm."""
        for text, expected in ((b"", b"Gateway Timeout"), (b"a\xff", "a\ufffd".encode())):
            head = TrProtocol().localReply(None, 504, text).head
            self.assertEqual(head.connection.errorText, expected)

    def test_success(self) -> None:
        """A direct response that is a success has no error, and no result either."""
        head = TrProtocol().localReply(None, 200, b"fine").head
        self.assertEqual((head.result, head.connection.errorText, head.status), (0, b"", 200))

    def test_interim(self) -> None:
        """There are no interim responses."""
        self.assertEqual(TrProtocol().interimHead(100).status, 100)
