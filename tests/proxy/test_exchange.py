"""Tests of `mosntx.proxy.exchange`: requests on their way up, and clients that leave."""

from __future__ import annotations

from zope.interface.verify import verifyObject

from mosntx.contracts.filters import DOWNSTREAM_TERMINATE, IExchange
from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    LOCAL_RESET,
    IRequestSink,
    IResponseSink,
)
from mosntx.contracts.upstream import ILoadBalancerContext
from mosntx.protocol.headers import Headers
from mosntx.testing.requests import httpRequest
from tests.proxy.build import (
    GET,
    NO_CONTENT,
    OK,
    MeshTestCase,
    post,
    response,
    toCluster,
)
from tests.proxy.fakes import ExchangeTestCase, FakeClientStreams, head
from tests.router.build import acting

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


class RequestTests(MeshTestCase):
    """Heads, bodies and trailers on their way to the upstream."""

    def test_unchanged(self) -> None:
        """A request without a body goes up as it came."""
        self.begin()
        request = b"GET /a?b=%20 HTTP/1.1\r\nHost: A.example\r\nX-Y: 1\r\nx-y: 2\r\n\r\n"
        self.assertEqual(self.get(request)[1].take(), request)

    def test_http10(self) -> None:
        """An HTTP/1.0 client is served in HTTP/1.1 by the upstream, then closed."""
        self.begin()
        client, upstream = self.get(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        self.assertTrue(upstream.take().startswith(b"GET / HTTP/1.1\r\n"))
        upstream.send(OK)
        self.assertStatus(client.take(), 200)
        self.assertTrue(client.closed)

    def test_chunked(self) -> None:
        """A chunked body stays chunked, its trailers come last."""
        self.begin()
        client, upstream = self.get(
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n"
        )
        upstream.take()
        client.send(b"3\r\nabc\r\n")
        self.assertEqual(upstream.take(), b"3\r\nabc\r\n")
        client.send(b"0\r\nX-T: 1\r\n\r\n")
        self.assertEqual(upstream.take(), b"0\r\nX-T: 1\r\n\r\n")
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.last.bytesReceived, 3)

    def test_trailersBeforeTheConnection(self) -> None:
        """Everything that came while the upstream was being connected goes up in order."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(CHUNKED + b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")
        upstream = mesh.upstream()
        self.assertTrue(upstream.take().endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"))
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_bigBody(self) -> None:
        """A megabyte in odd pieces arrives octet by octet the same."""
        body = bytes(range(251)) * 4200
        self.begin()
        client, upstream = self.get(post(length=len(body)))
        upstream.take()
        got = b""
        for start in range(0, len(body), 30011):
            client.send(body[start : start + 30011])
            got += upstream.take()
        self.assertEqual(got, body)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(self.last.bytesReceived, len(body))

    def test_clientIsPausedWithoutAnUpstream(self) -> None:
        """A body for which there is no connection yet is not read on and on."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(post(b"abc", length=100))
        self.assertFalse(client.reading)
        upstream = mesh.upstream()
        self.assertTrue(client.reading)
        self.assertTrue(upstream.take().endswith(b"abc"))

    def test_slowUpstream(self) -> None:
        """An upstream that reads slowly slows the client down."""
        self.begin()
        client, upstream = self.get(post(b"abc", length=9))
        upstream.block()
        self.assertFalse(client.reading)
        upstream.unblock()
        self.assertTrue(client.reading)
        client.send(b"defghi")
        self.assertTrue(upstream.take().endswith(b"abcdefghi"))

    def test_slowClient(self) -> None:
        """A client that reads slowly slows the upstream down."""
        self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        client.block()
        self.assertFalse(upstream.reading)
        client.unblock()
        self.assertTrue(upstream.reading)
        upstream.send(b"def")
        self.assertTrue(client.take().endswith(b"abcdef"))

    def test_slowClientDoesNotKeepTheUpstream(self) -> None:
        """When the response is complete, its connection serves others, slow client or not."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        client.block()
        upstream.send(b"def")
        self.assertTrue(upstream.reading)
        other = mesh.client("front")
        other.send(GET)
        upstream.send(OK)
        self.assertEqual(other.take(), OK)
        client.unblock()
        self.assertTrue(client.take().endswith(b"abcdef"))

    def test_slowClientWithPipelinedRequests(self) -> None:
        """A client that does not read gets no second response into our memory."""
        mesh = self.begin()
        client, upstream = self.get(GET + GET)
        upstream.take()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        client.block()
        upstream.send(b"def")
        self.assertTrue(client.take().endswith(b"abcdef"))
        taken = upstream.take()
        if taken:  # the second request has been sent: its response must wait in the kernel
            self.assertFalse(upstream.reading)
        client.unblock()
        self.assertEqual(taken + upstream.take(), GET)
        self.assertTrue(upstream.reading)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertEqual(mesh.value("request_total", listener="front"), 2)

    def test_expectContinue(self) -> None:
        """100 is ours to say; the upstream is not asked, and its own is not passed on."""
        self.begin()
        client, upstream = self.get(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertNotIn(b"xpect", upstream.take())
        upstream.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(b"abc")
        self.assertEqual(upstream.take(), b"abc")
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_expectContinueRefused(self) -> None:
        """A request that is refused is not asked for its body."""
        mesh = self.begin(toCluster(prefix="/known"))
        client = mesh.client("front")
        client.send(
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        self.assertStatus(client.take(), 404)
        self.assertTrue(client.closed)

    def test_earlyResponse(self) -> None:
        """An answer while the request is coming: the client gets it, both connections close."""
        mesh = self.begin()
        client, upstream = self.get(post(b"abc", length=1000))
        upstream.send(response(b"no", b"413 Content Too Large"))
        octets = client.take()
        self.assertStatus(octets, 413)
        self.assertTrue(upstream.closed)
        self.assertTrue(client.transport.writeEnded)  # and reading goes on: RFC 9112 9.6
        self.assertFalse(client.transport.lost)
        client.send(bytes(500))
        client.finish()
        mesh.advance(0)
        self.assertTrue(client.transport.lost)
        self.assertEnded((413, 0))

    def test_echo(self) -> None:
        """Both bodies may flow at the same time."""
        self.begin()
        client, upstream = self.get(CHUNKED)
        upstream.take()
        upstream.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.take()
        for _ in range(3):
            client.send(b"1\r\nx\r\n")
            self.assertEqual(upstream.take(), b"1\r\nx\r\n")
            upstream.send(b"1\r\ny\r\n")
            self.assertEqual(client.take(), b"1\r\ny\r\n")
        client.send(b"0\r\n\r\n")
        self.assertEqual(upstream.take(), b"0\r\n\r\n")
        upstream.send(b"0\r\n\r\n")
        self.assertEqual(client.take(), b"0\r\n\r\n")
        client.send(GET)
        self.assertEqual(upstream.take(), GET)
        upstream.send(OK)

    def test_pipelined(self) -> None:
        """Answers come in the order of the requests."""
        self.begin()
        client, upstream = self.get(GET + b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n" + GET)
        self.assertEqual(upstream.take(), GET)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)
        self.assertIn(b"/2", upstream.take())
        upstream.send(NO_CONTENT)
        self.assertEqual(client.take(), NO_CONTENT)
        self.assertEqual(upstream.take(), GET)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_brokenAtOnce(self) -> None:
        """What is no request is answered with 400 and counted; there is no exchange."""
        mesh = self.begin()
        client = mesh.client("front")
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        self.assertStatus(client.take(), 400)
        self.assertTrue(client.closed)
        self.assertEqual(mesh.value("protocol_error_total", listener="front"), 1)
        self.assertEqual(self.witness.exchanges, [])


class PlayedExchangeTests(ExchangeTestCase):
    """Contracts, and calls in odd orders."""

    def test_contracts(self) -> None:
        """An exchange is all that it claims to be."""
        exchange = self.requested()
        for contract in (IExchange, IRequestSink, IResponseSink, ILoadBalancerContext):
            verifyObject(contract, exchange)
        exchange.responseHead(head(), True)
        self.assertOver(200)

    def test_nothingAfterTheEnd(self) -> None:
        """Each call is harmless when the exchange is over."""
        exchange = self.requested(end=False)
        exchange.reply(403)
        sent = list(self.down.sent)
        exchange.requestData(b"x", False)
        exchange.requestTrailers(Headers([]))
        exchange.requestReset(DOWNSTREAM_GONE)
        exchange.responseReset(LOCAL_RESET)
        exchange.responseData(b"x", True)
        exchange.responseInformational(head(103))
        exchange.pauseResponse()
        exchange.resumeResponse()
        exchange.resume()
        exchange.abort()
        exchange.reply(500)
        self.assertEqual(self.down.sent, sent)
        self.assertOver(403)

    def test_replyWhileTheUpstreamWorks(self) -> None:
        """A reply cancels the attempt."""
        exchange = self.requested()
        exchange.reply(403, b"no")
        self.assertEqual(self.up.sent[-1], ("reset", LOCAL_RESET, True))
        self.assertOver(403)

    def test_replyAfterTheHead(self) -> None:
        """It is too late for a reply then; the response goes on."""
        exchange = self.requested()
        exchange.responseHead(head(), False)
        exchange.reply(403)
        exchange.responseData(b"x", True)
        self.assertEqual(self.down.sent, [("head", 200, False), ("data", b"x", True)])
        self.assertOver(200)

    def test_abort(self) -> None:
        """Nothing is sent, both sides are reset."""
        exchange = self.requested()
        exchange.abort()
        self.assertEqual(self.down.sent, [("reset", LOCAL_RESET, True)])
        self.assertEqual(self.up.sent[-1], ("reset", LOCAL_RESET, True))
        self.assertOver(0, DOWNSTREAM_TERMINATE)
        self.assertEqual(self.listener.stats.request_failed, 1)

    def test_partsBehindHeldOnes(self) -> None:
        """What comes while something is held waits behind it."""
        exchange = self.begin()
        self.pool.ready = []
        exchange.requestHead(httpRequest(method=b"PUT"), False)
        exchange.requestData(b"a", False)
        self.assertTrue(self.down.paused)
        exchange.requestData(b"b", False)
        exchange.resumeRequest()  # of an upstream that is none: changes nothing
        self.assertTrue(self.down.paused)
        self.pool.waiters[0].callback(self.up)
        self.assertFalse(self.down.paused)
        exchange.requestTrailers(Headers([(b"x", b"1")]))
        self.assertEqual(
            [part for _, part, _ in self.up.sent], [b"PUT", b"a", b"b", [(b"x", b"1")]]
        )
        exchange.responseHead(head(204), True)
        self.assertOver(204)

    def test_connectionThatDiesAtOnce(self) -> None:
        """A stream that cannot even be opened takes nothing of the body."""
        exchange = self.begin()
        self.up.dead = LOCAL_RESET
        exchange.requestHead(httpRequest(method=b"PUT"), False)
        exchange.requestData(b"a", True)
        self.assertEqual(self.up.sent, [])
        self.assertEqual(self.down.sent[0][:2], ("head", 502))

    def test_attributes(self) -> None:
        """Handlers may keep things in an exchange without filters; data is nobody's then."""
        exchange = self.requested()
        self.assertEqual(exchange.part, b"")
        exchange.part = b"x"
        self.assertEqual(exchange.part, b"")
        exchange.attributes["a"] = 1
        self.assertEqual(exchange.attributes, {"a": 1})
        exchange.resume()
        exchange.responseHead(head(), True)
        self.assertOver(200)

    def test_hashKeyAndMetadata(self) -> None:
        """Balancers get what the route says, nothing without a route."""
        exchange = self.begin(acting(metadata_match={"zone": "a"}))
        self.assertIsNone(exchange.hashKey())
        self.assertIsNone(exchange.metadata())
        exchange.requestHead(httpRequest(), True)
        self.assertIsInstance(exchange.hashKey(), int)
        self.assertEqual(exchange.metadata(), (("zone", "a"),))
        exchange.responseHead(head(), True)

    def test_fakesKeepTheirContracts(self) -> None:
        """The fakes of these tests are what they stand for."""
        from mosntx.contracts.stream import IClientStreams, IServerStreams

        self.begin()
        verifyObject(IServerStreams, self.down)
        verifyObject(IClientStreams, FakeClientStreams())
