"""Tests of `mosntx.proxy.convert.bolt_http1`: clients of Bolt, upstreams of HTTP/1."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import CONTINUE
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.bolt.heads import BoltRequest
from mosntx.protocol.bolt.simplemap import writePairs
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.proxy.convert.base import MAX_CONTENT
from mosntx.proxy.convert.bolt_http1 import ONEWAY_WAIT, BoltToHttp1, toBoltResponse
from mosntx.proxy.convert.fields import PROPERTY
from mosntx.testing.frames import REQUEST_CLASS, boltRequest, boltResponse
from tests.proxy.build import response
from tests.proxy.convert.build import SERVICE, ConversionTestCase, renumbered
from tests.proxy.fakes import FakeClientStreams
from tests.proxy.scripts import Script

OUR = b"x-mosn-sofarpc-headers-property-"
ASKED = b"".join(
    (
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1:9001\r\nContent-Length: 8\r\n",
        OUR + b"protocol: 1\r\n",
        OUR + b"cmdtype: 1\r\n",
        OUR + b"codec: 1\r\n",
        OUR + b"timeout: 3000\r\n",
        OUR + b"classname: " + REQUEST_CLASS + b"\r\n",
        b"service: com.example.Greeter:1.0\r\n\r\nquestion",
    )
)
ANSWERED = b"".join(
    (
        b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n",
        OUR + b"respstatus: 0\r\n",
        OUR + b"classname: com.example.Answer\r\n",
        b"a: b\r\n\r\nanswer",
    )
)


def failed(status: int, number: int = 7) -> bytes:
    """An answer of our own: a status and nothing else."""
    return boltResponse(number, status=status, className=b"")


class ResponseTests(SynchronousTestCase):
    """Responses of HTTP as frames."""

    def setUp(self):
        self.request = BoltRequest.of(version=2, codec=12)

    def converted(self, *fields, status=200, content=b"text"):
        return toBoltResponse(ResponseHead(status, Headers(fields)), content, self.request)

    def test_foreign(self):
        """Of any server: fields are headers, the body is the content, there is no class."""
        made = self.converted((b"Content-Type", b"text/plain"), (b"Content-Length", b"4"))
        self.assertEqual(list(made.headers.items()), [(b"content-type", b"text/plain")])
        self.assertEqual((made.content, made.className, made.boltStatus), (b"text", b"", 0))
        self.assertEqual((made.version, made.codec, made.status), (2, 12, 200))

    def test_statuses(self):
        """A failure is a status by the table of MOSN, and nothing else."""
        for status, bolt in (
            (302, 3), (400, 3), (403, 2), (404, 6), (500, 3), (502, 6), (503, 4), (504, 7),
            (509, 3), (999, 3),
        ):  # fmt: skip
            made = self.converted((b"a", b"b"), status=status)
            self.assertEqual((made.boltStatus, made.status), (bolt, status))
            self.assertEqual((made.content, made.mapOctets(), made.codec), (b"", b"", 1))

    def test_successes(self):
        """Every 2xx is a success."""
        for status in (200, 201, 204, 299):
            made = self.converted(status=status)
            self.assertEqual((made.boltStatus, made.content), (0, b"text"))

    def test_mesh(self):
        """Of a mesh: what its fields say, whatever the status line says."""
        fields = [(PROPERTY + b"respstatus", b"17"), (PROPERTY + b"codec", b"11"), (b"a", b"b")]
        made = self.converted(*fields, status=500)
        self.assertEqual((made.boltStatus, made.codec, made.content), (17, 11, b"text"))
        self.assertEqual(made.mapOctets(), writePairs([(b"a", b"b")]))

    def test_wrong(self):
        """Fields that no frame has are no response."""
        for name, value in ((b"respstatus", b"x"), (b"respstatus", b"65536"), (b"protocol", b"13")):
            fields = [(PROPERTY + b"respstatus", b"0"), (PROPERTY + name, value)]
            self.assertRaises(EncodeError, self.converted, *fields[name == b"respstatus" :])


class Resets:
    """A sink that only notes why it was broken off."""

    def __init__(self):
        self.reasons = []

    def responseReset(self, reason):
        self.reasons.append(reason)


class Refusing(FakeClientStreams):
    """A connection whose codec has the last word about heads."""

    def open(self, sink, head, end):
        try:
            return Http1Protocol().clientCodec().requestHead(head, end)[0]
        except EncodeError:
            sink.responseReset(LOCAL_RESET)
            return 0


class MeshTests(ConversionTestCase):
    """Requests through a Sidecar."""

    def begun(self, octets=None, **settings):
        """A request that has gone up."""
        self.between("bolt", "Http1", **settings)
        return self.ask(octets)

    def test_request(self):
        """A frame becomes a POST that says all of it."""
        client, upstream = self.begun()
        self.assertEqual(upstream.take(), ASKED)
        upstream.send(ANSWERED)
        self.assertEqual(
            client.take(),
            boltResponse(7, b"answer", [(b"a", b"b")], className=b"com.example.Answer"),
        )
        self.assertEnded((200, 0))

    def test_connectionIsUsedAgain(self):
        """One request after the other goes through the same connection."""
        client, upstream = self.begun()
        for number in (7, 8):
            if number == 8:
                client.send(boltRequest(8, b"question", [SERVICE]))
            self.assertEqual(upstream.take(), ASKED)
            upstream.send(ANSWERED)
            self.assertEqual(client.take()[5:9], bytes([0, 0, 0, number]))
        self.assertEqual(self.running.dialled, [])

    def test_atOnce(self):
        """Requests that come together go up on a connection each, and are answered in any order."""
        client, first = self.begun(
            boltRequest(7, b"question", [SERVICE]) + boltRequest(8, b"question", [SERVICE])
        )
        second = self.running.upstream()
        self.assertEqual((first.take(), second.take()), (ASKED, ASKED))
        second.send(response(b"2"))
        first.send(response(b"1"))
        frames = boltResponse(8, b"2", className=b"") + boltResponse(7, b"1", className=b"")
        self.assertEqual(client.take(), frames)

    def test_empty(self):
        """A frame without content."""
        _client, upstream = self.begun(boltRequest(7, b"", [SERVICE]))
        octets = upstream.take()
        self.assertIn(b"\r\nContent-Length: 0\r\n", octets)
        self.assertEqual(octets.count(b"Content-Length"), 1)
        self.assertTrue(octets.endswith(b"\r\n\r\n"))

    def test_pieces(self):
        """A response in pieces, with chunks, an interim one in front and trailers behind."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n")
        upstream.send(b"Transfer-Encoding: chunked\r\n\r\n")
        upstream.send(b"3\r\nans\r\n")
        self.assertEqual(client.take(), b"")
        upstream.send(b"3\r\nwer\r\n0\r\nT: x\r\n\r\n")
        self.assertEqual(client.take(), boltResponse(7, b"answer", className=b""))

    def test_untilClose(self):
        """A response that the close ends."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 200 OK\r\n\r\nanswer")
        upstream.finish()
        self.assertEqual(client.take(), boltResponse(7, b"answer", className=b""))

    def test_failures(self):
        """Statuses of HTTP are failures of Bolt."""
        client, upstream = self.begun()
        upstream.send(response(b"not here\n", b"404 Not Found"))
        self.assertEqual(client.take(), failed(6))
        self.assertEnded((404, 0))

    def test_notUnderstood(self):
        """A response whose fields no frame has."""
        client, upstream = self.begun()
        upstream.send(response(b"", b"200 OK", PROPERTY + b"respstatus: many"))
        self.assertEqual(client.take(), failed(6))
        self.assertEnded((502, 0x8))

    def test_brokenOff(self):
        """A response that breaks off in the middle never looks complete."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nans")
        upstream.reset()
        self.assertEqual(client.take(), failed(6))

    def test_tooLarge(self):
        """A response that no frame holds is given up before it is kept."""
        client, upstream = self.begun()
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_CONTENT + 2))
        part = bytes(8 * 1024 * 1024)
        for _ in range(8):
            upstream.send(part)
            self.assertEqual(client.take(), b"")
        upstream.send(b"x")
        self.assertEqual(client.take(), failed(6))
        self.running.advance(0)
        self.assertTrue(upstream.closed)

    def test_refused(self):
        """Nobody is there."""
        mesh = self.between("bolt", "Http1")
        client = mesh.client("front")
        client.send(boltRequest(7, b"", [SERVICE]))
        for _ in range(4):
            mesh.refuse()
            mesh.advance(0.1)
        self.assertEqual(client.take(), failed(6))
        self.assertEnded((502, 0x20))

    def test_timeout(self):
        """The frame's timeout rules."""
        client, upstream = self.begun()
        self.running.advance(2.9)
        self.assertEqual(client.take(), b"")
        self.running.advance(0.3)
        self.assertEqual(client.take(), failed(7))
        self.assertTrue(upstream.closed)

    def test_noRoute(self):
        """Local replies are Bolt's own."""
        mesh = self.between("bolt", "Http1")
        client = mesh.client("front")
        client.send(boltRequest(7, b"", [(b"a", b"b")]))
        self.assertEqual(client.take(), failed(6))

    def test_retried(self):
        """A status that is retried leads to another attempt with the same octets."""
        policy = {"retry_on": True, "num_retries": 1, "status_codes": [503]}
        client, upstream = self.begun(action={"retry_policy": policy})
        self.assertEqual(upstream.take(), ASKED)
        upstream.send(response(b"busy", b"503 Service Unavailable"))
        self.assertEqual(client.take(), b"")
        self.running.advance(0.1)
        self.assertEqual(upstream.take(), ASKED)
        upstream.send(ANSWERED)
        self.assertEqual(client.take()[:12], boltResponse(7)[:12])

    def test_headersAreRewritten(self):
        """What a route changes in the header map goes up."""
        add = [{"header": {"key": "added", "value": "yes"}, "append": False}]
        self.between("bolt", "Http1")
        self.running.hangUp()
        route = {
            "match": {"headers": [{"name": "service", "value": ".*"}]},
            "route": {
                "cluster_name": "app",
                "upstream_protocol": "Http1",
                "request_headers_to_add": add,
            },
        }
        self.begin(route, proxy={"downstream_protocol": "bolt"})
        _client, upstream = self.ask()
        self.assertIn(b"\r\nadded: yes\r\n", upstream.take())

    def test_filtersSeeData(self):
        """Filters that want to see the body see it on both ways."""
        log: list[Any] = []

        def shorter(exchange, part):
            exchange.part = part[:3]
            return CONTINUE

        script = Script("f", log, requestData=shorter, responseData=shorter)
        client, upstream = self.begun(filters=[script])
        octets = upstream.take()
        self.assertIn(b"Transfer-Encoding: chunked", octets)
        self.assertTrue(octets.endswith(b"\r\n\r\n3\r\nque\r\n0\r\n\r\n"), octets)
        upstream.send(ANSWERED)
        self.assertTrue(client.take().endswith(b"\0\0\0\x01a\0\0\0\x01bans"))

    def test_clientLeaves(self):
        """Nobody waits for the response any more."""
        client, upstream = self.begun()
        client.reset()
        self.running.advance(0)
        self.assertTrue(upstream.closed)

    def test_otherVersion(self):
        """The answer of any server has the version of its request, and its CRC."""
        frame = boltRequest(7, b"q", [SERVICE], version=2, ver1=2, switch=1)
        self.between("boltv2", "Http1")
        client, upstream = self.ask(frame)
        upstream.send(response(b"answer"))
        expected = boltResponse(7, b"answer", className=b"", version=2, ver1=2, switch=1)
        self.assertEqual(client.take(), expected)

    def test_namedUpstream(self):
        """The upstream is asked for by its address."""
        self.between("bolt", "Http1", cluster={"hosts": [{"address": "app.example:80"}]})
        client = self.running.client("front")
        client.send(boltRequest(7, b"", [SERVICE]))
        self.assertIn(b"\r\nHost: app.example:80\r\n", self.running.upstream().take())

    def test_brokenMap(self):
        """A header map that is none goes nowhere, and holds no connection."""
        self.between("bolt", "Http1")
        client, upstream = self.ask()
        upstream.send(response(b""))
        client.take()
        broken = BoltRequest.of(b"\0\0\0\x09x")
        sink: Any = Resets()
        self.assertEqual(BoltToHttp1(Refusing(), self.last).open(sink, broken, True), 0)
        self.assertEqual(sink.reasons, [LOCAL_RESET])


class OnewayTests(ConversionTestCase):
    """Requests that want no answer."""

    def sent(self):
        """A one-way request that has gone up."""
        self.between("bolt", "Http1")
        client, upstream = self.ask(boltRequest(7, b"question", [SERVICE], oneway=True, timeout=-1))
        self.assertIn(OUR + b"cmdtype: 2\r\n", upstream.take())
        return client, upstream

    def test_dropped(self):
        """The response of HTTP is read and dropped; its connection is used again."""
        client, upstream = self.sent()
        self.assertEqual(len(self.witness.ended), 1)
        upstream.send(response(b"unwanted"))
        self.assertEqual(client.take(), b"")
        client.send(boltRequest(8, b"question", [SERVICE]))
        self.assertEqual(upstream.take(), ASKED)
        upstream.send(response(b"wanted"))
        self.assertEqual(client.take(), boltResponse(8, b"wanted", className=b""))

    def test_neverAnswered(self):
        """A response that does not come does not hold a connection for ever."""
        _client, upstream = self.sent()
        self.running.advance(ONEWAY_WAIT - 1)
        self.assertFalse(upstream.closed)
        self.running.advance(2)
        self.assertTrue(upstream.closed)

    def test_upstreamDies(self):
        """Nor does a connection that ends."""
        client, upstream = self.sent()
        upstream.reset()
        self.running.advance(ONEWAY_WAIT + 1)
        self.assertEqual(client.take(), b"")

    def test_filtersSeeData(self):
        """The same when its content passes filters."""
        self.between("bolt", "Http1", filters=[Script("f", [], requestData=lambda *_: CONTINUE)])
        client, upstream = self.ask(boltRequest(7, b"question", [SERVICE], oneway=True))
        self.assertTrue(upstream.take().endswith(b"question\r\n0\r\n\r\n"))
        upstream.send(response(b"unwanted"))
        self.assertEqual(client.take(), b"")
        self.assertEqual(renumbered(b"\1" * 9, 1), b"\1" * 5 + b"\0\0\0\1")
