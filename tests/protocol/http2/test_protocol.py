"""HTTP/2 as a protocol of listeners and clusters."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.codec import FRAMED, MATCH, NEED_MORE, NO_MATCH, IProtocol
from mosntx.contracts.message import Pair
from mosntx.protocol.http2.client import Http2ClientCodec
from mosntx.protocol.http2.codes import PREFACE
from mosntx.protocol.http2.h2_engine import H2Engine
from mosntx.protocol.http2.heads import Http2LocalReply
from mosntx.protocol.http2.ngh2_engine import Ngh2Engine
from mosntx.protocol.http2.protocol import (
    AUTO,
    ENGINES,
    H2,
    NGH2,
    Http2Protocol,
    engineFor,
    fastEngineInstalled,
)
from mosntx.protocol.http2.server import Http2ServerCodec
from tests.protocol.http2.build import request


class ProtocolTests(SynchronousTestCase):
    """What a protocol is asked for."""

    def setUp(self) -> None:
        self.protocol = Http2Protocol()

    def test_contract(self) -> None:
        """It is a protocol of framed streams, and TLS knows it as h2."""
        self.assertTrue(verifyObject(IProtocol, self.protocol))
        self.assertEqual(self.protocol.alpn, b"h2")
        self.assertEqual((self.protocol.name, self.protocol.poolMode), ("Http2", FRAMED))

    def test_detect(self) -> None:
        """The preface is known in any cut, whatever follows it."""
        for size in range(len(PREFACE)):
            self.assertEqual(self.protocol.detect(PREFACE[:size]), NEED_MORE)
        self.assertEqual(self.protocol.detect(PREFACE), MATCH)
        self.assertEqual(self.protocol.detect(PREFACE + b"\0\0\0"), MATCH)

    def test_detectOthers(self) -> None:
        """One octet that differs is enough to say no."""
        for size in range(len(PREFACE)):
            self.assertEqual(self.protocol.detect(PREFACE[:size] + b"\x01"), NO_MATCH)
        for other in (b"GET / HTTP/1.1\r\n", b"PRI * HTTP/1.1\r\n", b"POST", b"\x16\x03\x01"):
            self.assertEqual(self.protocol.detect(other), NO_MATCH)

    def test_codecs(self) -> None:
        """Every connection gets a codec of its own."""
        for make, kind in (
            (self.protocol.serverCodec, Http2ServerCodec),
            (self.protocol.clientCodec, Http2ClientCodec),
        ):
            first, second = make(), make()
            self.assertIsInstance(first, kind)
            self.assertIsNot(first, second)

    def test_interimHead(self) -> None:
        """An interim head has a status and nothing else."""
        head = self.protocol.interimHead(100)
        self.assertEqual((head.status, head.headers.items()), (100, []))


class EngineChoiceTests(SynchronousTestCase):
    """Which library stands below."""

    def test_names(self) -> None:
        """The names stand for engines; auto takes the fast one when it is there."""
        self.assertTrue(fastEngineInstalled())
        self.assertIs(engineFor(H2), H2Engine)
        self.assertIs(engineFor(NGH2), Ngh2Engine)
        self.assertIs(engineFor(AUTO), Ngh2Engine)

    def test_unknown(self) -> None:
        """A name that is none is told with those that are."""
        for make in (engineFor, lambda name: Http2Protocol(engine=name)):
            error = self.assertRaises(ValueError, make, "h3")
            for name in ("h3", *ENGINES):
                self.assertIn(name, str(error))


class LocalReplyTests(SynchronousTestCase):
    """Answers of the proxy itself."""

    def setUp(self) -> None:
        self.protocol = Http2Protocol()

    def reply(self, kind: bytes | None, status: int, text: bytes = b"") -> Http2LocalReply:
        fields: list[Pair] = [] if kind is None else [(b"content-type", kind)]
        return self.protocol.localReply(request(fields=fields), status, text)

    def test_text(self) -> None:
        """A plain request gets the status and the text."""
        reply = self.reply(b"text/html", 503, b"no upstream")
        self.assertEqual((reply.head.status, reply.body), (503, b"no upstream"))
        self.assertEqual(
            reply.head.headers.items(),
            [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"11")],
        )

    def test_withoutRequest(self) -> None:
        """A head that could not be read is answered too."""
        reply = self.protocol.localReply(None, 400, b"")
        self.assertEqual((reply.head.status, reply.body), (400, b""))
        self.assertEqual(reply.head.headers.items(), [(b"content-length", b"0")])

    def test_withoutBody(self) -> None:
        """A status that has no body gets none, whatever the text."""
        for status in (204, 304):
            self.assertEqual(self.reply(None, status, b"text").body, b"")

    def test_grpcStatuses(self) -> None:
        """A gRPC call hears of a failure by a status of gRPC, in a head that ends the stream."""
        for status, code in (
            (200, b"0"),
            (400, b"13"),
            (401, b"16"),
            (403, b"7"),
            (404, b"12"),
            (408, b"4"),
            (413, b"8"),
            (429, b"14"),
            (431, b"8"),
            (500, b"2"),
            (502, b"14"),
            (503, b"14"),
            (504, b"4"),
            (418, b"2"),
        ):
            reply = self.reply(b"application/grpc", status)
            self.assertEqual((reply.head.status, reply.body), (200, b""))
            self.assertEqual(
                reply.head.headers.items(),
                [(b"content-type", b"application/grpc"), (b"grpc-status", code)],
            )

    def test_grpcKinds(self) -> None:
        """Any message format of gRPC gets its own type back; other types are not gRPC."""
        reply = self.reply(b"application/grpc+proto", 503)
        self.assertEqual(reply.head.headers.get(b"content-type"), b"application/grpc+proto")
        for kind in (b"application/grpc;v=1", b"application/grpc ; v=1", b"Application/gRPC"):
            self.assertEqual(self.reply(kind, 503).head.status, 200, kind)
        other = (b"application/grpc-web", b"application/grpc-web+proto", b"application/grpcs")
        for kind in (b"application/json", b"text/application/grpc", b"", *other):
            self.assertEqual(self.reply(kind, 503).head.status, 503)

    def test_grpcMessage(self) -> None:
        """The text is percent-encoded, so no octet of it can break the head."""
        for text, message in (
            (b"no upstream", b"no upstream"),
            (b" 100% \n", b"100%25"),
            (b"a\r\nb: c", b"a%0D%0Ab: c"),
            ("zu sp\u00e4t".encode(), b"zu sp%C3%A4t"),
            (b"a\0\x7f~", b"a%00%7F~"),
            (b"\n", None),
        ):
            reply = self.reply(b"application/grpc", 503, text)
            self.assertEqual(reply.head.headers.get(b"grpc-message"), message)
