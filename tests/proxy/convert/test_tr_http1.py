"""Tests of `mosntx.proxy.convert.tr_http1`: TR through a mesh of HTTP."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import CONTINUE
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead, ResponseHead
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.proxy.convert.tr_http1 import (
    FRAME,
    toHttpRequest,
    toHttpResponse,
    toTrRequest,
    toTrResponse,
)
from mosntx.testing.trframes import SERVICE, trRequest, trResponse
from tests.proxy.convert.build import ConversionTestCase, backOverHttp, overHttp
from tests.proxy.scripts import Script

ARGUMENTS = b"\x05hello"
MARK = b"x-mosn-sofarpc-headers-property-protocol"


def requestOf(frame):
    (event,) = TrProtocol().serverCodec().receive(frame)
    return event[2]


def responseOf(frame):
    (event,) = TrProtocol().clientCodec().receive(frame)
    return event[2]


class HeadTests(SynchronousTestCase):
    """What becomes of heads."""

    def test_request(self):
        """There and back nothing is lost."""
        for oneway in (False, True):
            frame = trRequest(5, ARGUMENTS, oneway=oneway)
            request = requestOf(frame)
            content = request.content
            head, body = overHttp(toHttpRequest(request, b"a", len(content)), content)
            self.assertEqual((head.method, head.path, head.service), (b"POST", b"/", SERVICE))
            back = toTrRequest(head)
            self.assertEqual(back.oneway, oneway)
            back.content = body
            self.assertEqual(back.octets(5), frame)

    def test_response(self):
        """Nor of a response, whatever it says."""
        for fields in ({}, {"text": b"no such name"}, {"text": b"why", "result": 1}):
            frame = trResponse(5, **fields)
            response = responseOf(frame)
            content = response.content
            head, body = backOverHttp(toHttpResponse(response, len(content)), content)
            self.assertEqual(head.status, response.status)
            self.assertEqual(toTrResponse(head, body).octets(5), frame)

    def test_noFrame(self):
        """Fields that hold no frame, or one of another kind, are refused."""
        response = b"%0D%01" + b"%00" * 12
        for text in (b"", b"x", b"%0D", response, b"%0D" + b"%FF" * 13):
            fields = [(MARK, b"13"), (FRAME, text)]
            head = RequestHead(b"POST", b"/", b"a", Headers(fields))
            self.assertRaises(EncodeError, toTrRequest, head)
            answer = ResponseHead(200, Headers([(FRAME, text if text != response else b"%0D%00")]))
            self.assertRaises(EncodeError, toTrResponse, answer, b"")

    def test_others(self):
        """What was never TR."""
        for value in (None, b"1", b"x"):
            fields = [] if value is None else [(MARK, value)]
            head = RequestHead(b"POST", b"/", b"a", Headers(fields))
            error = self.assertRaises(EncodeError, toTrRequest, head)
            self.assertEqual(error.status, 502)
        self.assertRaises(EncodeError, toTrResponse, ResponseHead(200, Headers([])), b"x")
        self.assertEqual(toTrResponse(ResponseHead(504, Headers([])), b"x").status, 504)


class TrToHttp1Tests(ConversionTestCase):
    """Clients of TR, upstreams of HTTP/1.1."""

    def begun(self, octets=b"", **settings):
        self.between("tr", "Http1", **settings)
        return self.ask(octets or trRequest(5, ARGUMENTS))

    def test_request(self):
        """A POST whose answer becomes a frame with the client's id."""
        client, upstream = self.begun()
        self.assertTrue(upstream.take().startswith(b"POST / HTTP/1.1\r\n"))
        response = responseOf(trResponse(9))
        fields = b"".join(
            b"%b: %b\r\n" % pair
            for pair in toHttpResponse(response, response.contentLength).headers.items()
        )
        upstream.send(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + response.content)
        self.assertEqual(client.take(), trResponse(5))

    def test_failure(self):
        """An answer of the other sidecar itself is TR's own error."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n")
        answer = responseOf(client.take())
        self.assertEqual((answer.requestId, answer.status, answer.result), (5, 500, 1))

    def test_stranger(self):
        """A success of a server that knows nothing of TR is none."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        self.assertEqual(responseOf(client.take()).status, 500)

    def test_oneway(self):
        """A one-way request ends when it is sent."""
        client, upstream = self.begun(trRequest(5, ARGUMENTS, oneway=True))
        self.assertIn(b"cmdtype: 2\r\n", upstream.take())
        upstream.send(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(client.take(), b"")
        self.assertEqual(len(self.witness.ended), 1)

    def test_filtersSeeData(self):
        """Filters that want to see the objects see them; nobody knows the length then."""
        script = Script("f", [], requestData=lambda *_: CONTINUE)
        _client, upstream = self.begun(filters=[script])
        self.assertIn(b"ransfer-", upstream.take())


class Http1ToTrTests(ConversionTestCase):
    """The other sidecar."""

    def posted(self, octets):
        request = requestOf(octets)
        head = toHttpRequest(request, b"a", request.contentLength)
        fields = b"".join(b"%b: %b\r\n" % pair for pair in head.headers.items())
        return b"POST / HTTP/1.1\r\n" + fields + b"\r\n" + request.content

    def test_request(self):
        """The application gets the frame, and its answer goes back as one."""
        self.between("Http1", "tr")
        client, upstream = self.ask(self.posted(trRequest(5, ARGUMENTS)))
        self.assertEqual(upstream.take(), trRequest(1, ARGUMENTS))
        upstream.send(trResponse(1))
        answer = client.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK\r\n"), answer)
        self.assertTrue(answer.endswith(responseOf(trResponse(1)).content))

    def test_oneway(self):
        """A one-way request is answered with 202."""
        self.between("Http1", "tr")
        client, upstream = self.ask(self.posted(trRequest(5, ARGUMENTS, oneway=True)))
        self.assertEqual(upstream.take(), trRequest(1, ARGUMENTS, oneway=True))
        self.assertStatus(client.take(), 202)

    def test_refused(self):
        """What was never TR, and frames that are none."""
        self.between("Http1", "tr")
        post = b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nContent-Length: 0\r\n"
        client, _upstream = self.ask(post + b"\r\n")
        self.assertStatus(client.take(), 502)
        client.send(post + MARK + b": 13\r\n\r\n")
        self.assertStatus(client.take(), 400)
        client.send(post + b"Content-Length: 99999999\r\n\r\n")
        self.assertStatus(client.take(), 400)
