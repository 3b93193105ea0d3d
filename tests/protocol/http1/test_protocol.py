"""Tests of HTTP/1 as a protocol: detection, local replies, and the contract suite."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import MATCH, NEED_MORE, NO_MATCH
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.testing.contracts.codec import CodecSuite


class Http1SuiteTests(CodecSuite, SynchronousTestCase):
    """HTTP/1 keeps the contract."""

    def protocol(self) -> Http1Protocol:
        """See `CodecSuite`."""
        return Http1Protocol()

    def requests(self) -> list[bytes]:
        """See `CodecSuite`."""
        return [
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"HEAD /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
            b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5;x=y\r\nhello\r\n1\r\n!\r\n0\r\nA: b\r\n\r\n",
        ]

    def requestHead(self) -> Any:
        """See `CodecSuite`."""
        return RequestHead(b"GET", b"/", b"a", Headers())

    def response(self, number: int) -> bytes:
        """See `CodecSuite`."""
        return (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nhello\r\n0\r\nA: b\r\n\r\n"
        )

    def brokenRequests(self) -> list[bytes]:
        """See `CodecSuite`."""
        return [
            b"GET / HTTP/1.1\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET / HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
            b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
            b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
        ]


class DetectTests(SynchronousTestCase):
    """The table of spec/proxy.md 3."""

    def test_table(self) -> None:
        """Methods match from the third octet on, anything else is refused at the seventh."""
        protocol = Http1Protocol()
        for prefix, expected in (
            (b"", NEED_MORE),
            (b"GE", NEED_MORE),
            (b"GET", MATCH),
            (b"GET / HTTP/1.1", MATCH),
            (b"OPTION", NEED_MORE),
            (b"OPTIONS", MATCH),
            (b"CONNECT", MATCH),
            (b"UNLINK /", MATCH),
            (b"PRI * ", NEED_MORE),
            (b"PRI * H", NO_MATCH),
            (b"get / HTTP/1.1", NO_MATCH),
            (b"\x01\x01\x00", NEED_MORE),
            (b"\x01" * 7, NO_MATCH),
        ):
            self.assertEqual(protocol.detect(prefix), expected, prefix)


class LocalReplyTests(SynchronousTestCase):
    """Answers of this process."""

    def test_text(self) -> None:
        """A text becomes a plain body, octet for octet, with its length."""
        reply = Http1Protocol().localReply(None, 502, b"no healthy upstream")
        self.assertEqual(reply.body, b"no healthy upstream")
        self.assertEqual(
            reply.head.headers.items(),
            [(b"Content-Type", b"text/plain; charset=utf-8"), (b"Content-Length", b"19")],
        )

    def test_noText(self) -> None:
        """Without a text, and where none is allowed, there is no body."""
        for status, text in ((502, b""), (204, b"text"), (304, b"text")):
            reply = Http1Protocol().localReply(None, status, text)
            self.assertEqual((reply.head.status, reply.body), (status, b""))

    def test_noEcho(self) -> None:
        """Nothing of the request comes back."""
        protocol = Http1Protocol()
        codec = protocol.serverCodec()
        request = codec.receive(b"GET /s3cret HTTP/1.1\r\nHost: s3cret\r\nX: s3cret\r\n\r\n")[0][2]
        reply = protocol.localReply(request, 404, b"route not found")
        out = codec.responseHead(1, reply.head, False) + codec.responseData(1, reply.body, True)
        self.assertNotIn(b"s3cret", out)
        self.assertTrue(out.startswith(b"HTTP/1.1 404 Not Found\r\n"))
