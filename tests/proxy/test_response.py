"""Tests of `mosntx.proxy.response`: the way down."""

from __future__ import annotations

from mosntx.contracts.stream import UPSTREAM_RESET
from mosntx.protocol.headers import Headers
from tests.proxy.build import GET, OK, MeshTestCase, response, toCluster
from tests.proxy.fakes import ExchangeTestCase, head

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class ResponseTests(MeshTestCase):
    """What clients get of what upstreams send."""

    def test_unchanged(self) -> None:
        """Head and body as they came."""
        self.begin()
        client, upstream = self.get()
        octets = response(b"abc", b"200 Fine", b"X-A: 1", b"x-a: 2", b"Set-Cookie: a=b")
        upstream.send(octets)
        self.assertEqual(client.take(), octets)

    def test_cutAnywhere(self) -> None:
        """However it is cut, the client gets the same."""
        octets = response(b"abc", b"200 OK", b"X-A: 1")
        self.begin()
        client, upstream = self.get()
        got = b""
        for octet in octets:
            upstream.send(bytes((octet,)))
            got += client.take()
        self.assertEqual(got, octets)
        self.assertEnded((200, 0))
        self.assertEqual(self.last.bytesSent, 3)

    def test_headDoesNotWaitForTheBody(self) -> None:
        """A head without its body goes to the client at once."""
        self.begin()
        client, upstream = self.get()
        upstream.send(CHUNKED)
        self.assertTrue(client.take().startswith(b"HTTP/1.1 200 OK\r\n"))

    def test_chunkedWithTrailers(self) -> None:
        """Chunks and trailers are passed on."""
        self.begin()
        client, upstream = self.get()
        upstream.send(CHUNKED + b"3\r\nabc\r\n")
        upstream.send(b"0\r\nX-T: 1\r\n\r\n")
        self.assertTrue(client.take().endswith(b"\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"))
        client.send(GET)
        upstream.send(OK)
        self.assertEqual(client.take(), OK)

    def test_chunkedForHttp10(self) -> None:
        """An HTTP/1.0 client gets the body until the close."""
        self.begin()
        client, upstream = self.get(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        upstream.send(CHUNKED + b"3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")
        octets = client.take()
        self.assertTrue(octets.endswith(b"\r\n\r\nabc"))
        self.assertNotIn(b"chunked", octets)
        self.assertTrue(client.closed)

    def test_closeDelimited(self) -> None:
        """A body without a length becomes chunks, ended by the FIN."""
        self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        upstream.send(b"def")
        upstream.finish()
        self.assertTrue(client.take().endswith(b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"))
        self.assertFalse(client.closed)
        self.assertEnded((200, 0))

    def test_closeDelimitedReset(self) -> None:
        """A RST is no end of such a body."""
        self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\n\r\nabc")
        upstream.reset()
        self.assertFalse(client.take().endswith(b"0\r\n\r\n"))
        self.assertTrue(client.closed)
        self.assertEqual(self.witness.resets, [UPSTREAM_RESET])

    def test_tooShort(self) -> None:
        """A body that breaks off breaks the client's connection off."""
        for rest in (
            b"Content-Length: 9\r\n\r\nabc",
            b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
        ):
            self.begin()
            client, upstream = self.get()
            upstream.send(b"HTTP/1.1 200 OK\r\n" + rest)
            upstream.finish()
            self.assertTrue(client.take().endswith(b"abc") or rest.startswith(b"T"))
            self.assertTrue(client.closed)
            self.assertEnded((200, 0))
            self.tearDown()

    def test_informational(self) -> None:
        """Interim responses but 100 are passed on; not to HTTP/1.0."""
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        for version, expected in ((b"1.1", hints + OK), (b"1.0", b"")):
            self.begin()
            client, upstream = self.get(b"GET / HTTP/%b\r\nHost: a\r\n\r\n" % version)
            upstream.send(b"HTTP/1.1 100 Continue\r\n\r\n" + hints + OK)
            octets = client.take()
            if expected:
                self.assertEqual(octets, expected)
            else:
                self.assertNotIn(b"103", octets)
            self.tearDown()

    def test_head(self) -> None:
        """The answer to HEAD has a length and no body."""
        self.begin()
        client, upstream = self.get(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        octets = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        upstream.send(octets)
        self.assertEqual(client.take(), octets)
        self.assertEnded((200, 0))

    def test_bigBody(self) -> None:
        """Ten megabytes in odd pieces, octet by octet the same; nothing is kept."""
        piece = bytes(range(251)) * 160
        self.begin()
        client, upstream = self.get()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(piece) * 250))
        client.take()
        for _ in range(250):
            upstream.send(piece)
            self.assertEqual(client.take(), piece)
        self.assertEnded((200, 0))
        self.assertEqual(self.last.bytesSent, len(piece) * 250)

    def test_notUnderstood(self) -> None:
        """What is no response is a 502."""
        self.begin()
        client, upstream = self.get()
        upstream.send(b"SSH-2.0-OpenSSH\r\n\r\n")
        self.assertStatus(client.take(), 502)
        self.assertTrue(upstream.closed)

    def test_surplus(self) -> None:
        """Octets behind the response reach nobody."""
        mesh = self.begin()
        client, upstream = self.get()
        upstream.send(OK + OK)
        self.assertEqual(client.take(), OK)
        self.assertTrue(upstream.closed)
        self.assertEqual(mesh.value("response_protocol_error", host="127.0.0.1:9001"), 1)

    def test_headersOfTheRoute(self) -> None:
        """A route may change the head."""
        add = [{"header": {"key": "X-Added", "value": "1"}}]
        self.begin(toCluster(response_headers_to_add=add))
        client, upstream = self.get()
        upstream.send(OK)
        self.assertIn(b"x-added: 1", client.take().lower())


class PlayedResponseTests(ExchangeTestCase):
    """Calls by themselves."""

    def test_trailers(self) -> None:
        """Trailers end the exchange."""
        exchange = self.requested()
        exchange.responseHead(head(), False)
        exchange.responseData(b"x", False)
        exchange.responseTrailers(Headers([(b"x-t", b"1")]))
        self.assertEqual(self.down.sent[-1], ("trailers", [(b"x-t", b"1")], True))
        self.assertOver(200)

    def test_times(self) -> None:
        """When things happened."""
        exchange = self.begin()
        self.clock.advance(5.0)
        from mosntx.testing.requests import httpRequest

        exchange.requestHead(httpRequest(), True)
        self.clock.advance(1.0)
        exchange.responseHead(head(), False)
        self.clock.advance(2.0)
        exchange.responseData(b"", True)
        times = (exchange.startTime, exchange.requestEndTime, exchange.responseTime)
        self.assertEqual((*times, exchange.endTime), (5.0, 5.0, 6.0, 8.0))
        self.assertEqual(self.host.stats.request_duration_time.max, 3_000_000_000)
        self.assertEqual(self.listener.stats.process_time.max, 2_000_000_000)
        self.assertEqual(self.listener.stats.request_time.max, 3_000_000_000)

    def test_pause(self) -> None:
        """A slow client pauses the upstream while there is one."""
        exchange = self.requested()
        exchange.pauseResponse()
        self.assertTrue(self.up.paused)
        exchange.resumeResponse()
        self.assertFalse(self.up.paused)
        exchange.responseHead(head(), True)
        self.assertOver(200)
