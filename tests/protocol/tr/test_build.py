"""Tests of frames of our own."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.tr.build import (
    MAX_ERROR_TEXT,
    heartbeat,
    heartbeatAck,
    newRequest,
    newResponse,
    plainResponse,
)
from mosntx.protocol.tr.connection import HESSIAN1, JAVA, ConnectionReader
from mosntx.protocol.tr.heads import TrFrame, TrRequest, TrResponse, readHead
from mosntx.testing.trframes import (
    HEARTBEAT_CLASS,
    REQUEST_CLASS,
    RESPONSE_CLASS,
    finalObject,
    trFrame,
    trHeartbeat,
    trHeartbeatAck,
    trRequest,
    trResponse,
)
from tests.protocol.bolt.vectors import load

VECTORS = {vector["name"]: vector["octets"] for vector in load("tr")}


def read(octets: bytes) -> TrFrame:
    head: TrFrame = readHead(octets, ConnectionReader())
    return head


def without(octets: bytes, value: bytes, null: bytes) -> bytes:
    """Make a value in the connection object null."""
    length = int.from_bytes(octets[5:9], "big") - len(value) + len(null)
    return octets[:5] + length.to_bytes(4, "big") + octets[9:].replace(value, null, 1)


class MessageTests(SynchronousTestCase):
    """Requests and responses."""

    def test_request(self) -> None:
        """A request is laid out as SOFA's are; the id is given when it is sent."""
        whole = trRequest(9)
        content = read(whole).content
        self.assertEqual(newRequest(REQUEST_CLASS, content).octets(9), whole)
        oneway = newRequest(REQUEST_CLASS, content, True)
        self.assertEqual(oneway.octets(9), trRequest(9, oneway=True))
        self.assertTrue(oneway.oneway)

    def test_response(self) -> None:
        """So is a response, with and without an error."""
        content = read(trResponse(9)).content
        self.assertEqual(newResponse(RESPONSE_CLASS, content).octets(9), trResponse(9))
        head = newResponse(RESPONSE_CLASS, b"", 2, "boom")
        self.assertEqual((head.result, head.connection.errorText), (2, b"boom"))

    def test_javaWriters(self) -> None:
        """Errors have the octets that Java's writers give them, but for the address."""
        for name, serialization, tag, null in (
            ("h2-res-error", 4, b"", b"N"),
            ("h1-res-error", HESSIAN1, b"S\0", b"N"),
            ("java-res-error", JAVA, b"t\0", b"p"),
        ):
            # Their stack trace and the text of the SofaResponse are of their own.
            expected = without(VECTORS[name], tag + b"\x0f127.0.0.1:12200", null)
            expected = without(expected, tag + b"\x08at x.y.Z", null)
            seen = plainResponse(13, "server error", serialization)
            end = 14 + int.from_bytes(expected[5:9], "big")
            self.assertEqual(seen[14:end], expected[14:end], name)
            content = read(seen).content.replace(tag + b"\x0cserver error", tag + b"\4boom")
            stub = read(expected).content
            if serialization == JAVA:
                # serialVersionUID: the stub's is made up, ours is SOFARPC's.
                at = 8 + len(RESPONSE_CLASS)
                content = content[:at] + stub[at : at + 8] + content[at + 8 :]
            self.assertEqual(content, stub, name)

    def test_serializations(self) -> None:
        """An error, and an empty success, are read back in every serialization."""
        for serialization, final in ((4, False), (4, True), (1, False), (2, False)):
            for text, status in (("no \u00e4 \U0001f600", 500), (None, 200), ("", 500)):
                head = read(plainResponse(-7, text, serialization, final))
                assert isinstance(head, TrResponse)
                self.assertEqual(head.requestId, -7)
                self.assertEqual((head.status, head.connection.final), (status, final))
                self.assertEqual(head.connection.errorText, (text or "").encode())
                self.assertEqual(head.className, RESPONSE_CLASS)
                self.assertEqual(head.octets(1 << 40)[2], serialization)
                self.assertEqual(read(head.octets(1 << 40)).octets(-7), head.frame)

    def test_longText(self) -> None:
        """A text is cut where Java could not read it."""
        for serialization in (1, 2, 4):
            head = read(plainResponse(1, "x" * 100_000, serialization))
            self.assertEqual(head.connection.errorText, b"x" * MAX_ERROR_TEXT)


class HeartbeatTests(SynchronousTestCase):
    """Heartbeats, as far as anybody knows them."""

    def test_request(self) -> None:
        """Inferred: a request of a class of its own, without objects."""
        self.assertEqual(heartbeat(101), VECTORS["h2-hb-empty-content"])
        self.assertEqual(heartbeat(1 << 40), trHeartbeat(1 << 40))

    def test_ack(self) -> None:
        """Inferred: a response with the same id, class and objects."""
        host = b"\x0f127.0.0.1:12200"
        for asked, answered in (
            ("h2-hb-with-object", "h2-hb-ack-object"),
            ("h2-hb-empty-content", "h2-hb-ack-empty"),
        ):
            head = read(VECTORS[asked])
            assert isinstance(head, TrRequest)
            self.assertEqual(heartbeatAck(head), without(VECTORS[answered], host, b"N"))

    def test_status(self) -> None:
        """A status other than 0 is the result; the text says what it is about."""
        head = read(trHeartbeat(-3))
        assert isinstance(head, TrRequest)
        self.assertEqual(heartbeatAck(head), trHeartbeatAck(-3))
        answer = read(heartbeatAck(head, 1))
        assert isinstance(answer, TrResponse)
        self.assertEqual((answer.heartbeatStatus, answer.requestId), (1, -3))
        self.assertEqual(answer.connection.errorText, b"no healthy upstream")

    def test_final(self) -> None:
        """The answer is in the grammar of the request."""
        fields = ((b"id", b"\xe5"), (b"this$0", b"Q\x90"))
        context = finalObject(1, b"a.ConnectionRequest$RequestContext", *fields)
        connection = finalObject(0, b"a.ConnectionRequest", (b"ctx", context))
        head = read(trFrame(0, connection, HEARTBEAT_CLASS, b"x"))
        assert isinstance(head, TrRequest)
        answer = read(heartbeatAck(head))
        self.assertEqual((answer.requestId, answer.content), (5, b"x"))
        self.assertTrue(answer.connection.final)
