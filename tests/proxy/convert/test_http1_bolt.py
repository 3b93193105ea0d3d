"""Tests of `mosntx.proxy.convert.http1_bolt`: clients of HTTP/1, upstreams of Bolt."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import CONTINUE
from mosntx.protocol.bolt.heads import BoltResponse
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.proxy.convert.base import MAX_CONTENT
from mosntx.proxy.convert.fields import PACKED, PROPERTY
from mosntx.proxy.convert.http1_bolt import toBoltRequest, toHttpResponse, toSimpleResponse
from mosntx.testing.frames import RESPONSE_CLASS, boltRequest, boltResponse
from tests.proxy.convert.build import SERVICE, ConversionTestCase
from tests.proxy.scripts import Script

OUR = b"x-mosn-sofarpc-headers-property-"
SIMPLE = b"GET /x?y HTTP/1.1\r\nHost: a\r\nService: com.a.B:1.0\r\nX-Id: 1\r\n\r\n"


def meshed(*fields: bytes, body: bytes = b"question") -> bytes:
    """A request as the other end of a mesh writes it."""
    lines = (
        b"POST / HTTP/1.1",
        b"Host: a",
        b"Content-Length: %d" % len(body),
        OUR + b"protocol: 1",
        OUR + b"timeout: 3000",
        b"service: com.example.Greeter:1.0",
        *fields,
        b"",
        body,
    )
    return b"\r\n".join(lines)


def simple(content: bytes, number: int = 1, **fields: str) -> bytes:
    """The frame for a request of any client."""
    headers = [(name.encode(), value.encode()) for name, value in fields.items()]
    return boltRequest(number, content, headers, className=b"", timeout=-1)


class RequestTests(SynchronousTestCase):
    """Requests of a mesh as frames."""

    def converted(self, *fields, content=b""):
        return toBoltRequest(RequestHead(b"POST", b"/", b"a", Headers(fields)), content)

    def test_defaults(self):
        """Only the version must be said."""
        made = self.converted((PROPERTY + b"protocol", b"1"), content=b"c")
        self.assertEqual(made.octets(1), boltRequest(1, b"c", className=b"", timeout=-1))

    def test_wrong(self):
        """Fields that no frame has are mistakes of the client."""
        for name, value in (
            (b"protocol", b"13"), (b"protocol", b"0"), (b"cmdtype", b"0"), (b"cmdtype", b"3"),
            (b"codec", b"256"), (b"codec", b"-1"), (b"ver1", b"3"), (b"switchcode", b"128"),
            (b"timeout", b"2147483648"), (b"timeout", b"-2147483649"), (b"timeout", b"soon"),
        ):  # fmt: skip
            error = self.assertRaises(EncodeError, self.converted, (PROPERTY + name, value))
            self.assertEqual(error.status, 400)

    def test_longClass(self):
        """A class name that no frame holds is refused."""
        self.assertRaises(EncodeError, self.converted, (PROPERTY + b"classname", b"c" * 65536))


class ResponseTests(SynchronousTestCase):
    """Frames as responses."""

    def test_statuses(self):
        """Statuses by the table of MOSN."""
        for bolt, http in ((0, 200), (1, 500), (2, 500), (4, 503), (7, 504), (16, 502), (99, 500)):
            self.assertEqual(toHttpResponse(BoltResponse.of(boltStatus=bolt), 0).status, http)

    def test_brokenMap(self):
        """A header map that is none is no response for a mesh; a simple one has no fields of it."""
        broken = BoltResponse.of(b"\0\0\0\x09x")
        self.assertRaises(EncodeError, toHttpResponse, broken, 0)
        made = toSimpleResponse(broken, 3, 200)
        self.assertEqual(list(made.headers.items()), [(b"Content-Length", b"3")])


class SimpleTests(ConversionTestCase):
    """Clients that know nothing of Bolt (http2bolt_simple)."""

    def begun(self, octets=SIMPLE, **settings):
        self.between("Http1", settings.pop("upstream", "bolt"), **settings)
        return self.ask(octets)

    def test_request(self):
        """Fields are headers, the body is the content, and there is no class."""
        client, upstream = self.begun()
        frame = boltRequest(
            1,
            b"",
            [(b"host", b"a"), (b"service", b"com.a.B:1.0"), (b"x-id", b"1")],
            className=b"",
            timeout=-1,
        )
        self.assertEqual(upstream.take(), frame)
        upstream.send(boltResponse(1, b"answer", [(b"Trace", b"x\r\ny"), (b"te", b"no")]))
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nTrace: x%0D%0Ay\r\n\r\nanswer"
        self.assertEqual(client.take(), answer)
        self.assertEnded((200, 0))

    def test_body(self):
        """A body in pieces goes up as one."""
        client, upstream = self.begun(
            b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        client.send(b"3\r\nque\r\n")
        self.assertEqual(upstream.take(), b"")
        client.send(b"5\r\nstion\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual(upstream.take(), simple(b"question", host="a", service="s"))
        upstream.send(boltResponse(1))
        self.assertEqual(client.take(), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def test_versions(self):
        """Frames are of the version that the route names."""
        _client, upstream = self.begun(upstream="boltv2")
        self.assertEqual(upstream.take()[:2], b"\x02\x01")

    def test_failures(self):
        """Statuses of Bolt are statuses of HTTP; the content comes along."""
        client, upstream = self.begun()
        for status, line in ((2, b"500"), (4, b"503"), (7, b"504"), (16, b"502"), (6, b"500")):
            frame = upstream.take()
            number = int.from_bytes(frame[5:9], "big")
            upstream.send(boltResponse(number, b"why", status=status))
            octets = client.take()
            self.assertTrue(octets.startswith(b"HTTP/1.1 " + line + b" "), octets)
            self.assertTrue(octets.endswith(b"\r\n\r\nwhy"))
            client.send(SIMPLE)

    def test_head(self):
        """A response to HEAD has no body."""
        client, upstream = self.begun(SIMPLE.replace(b"GET", b"HEAD"))
        upstream.send(boltResponse(1, b"answer"))
        self.assertEqual(client.take(), b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n")

    def test_twoServices(self):
        """A request that two readers understand in two ways is refused."""
        client, upstream = self.begun(SIMPLE.replace(b"X-Id", b"service"))
        self.assertStatus(client.take(), 400)
        self.assertEqual(upstream.take(), b"")

    def test_tooLarge(self):
        """A body that says it is too large for a frame is refused before it comes."""
        head = b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nContent-Length: %d\r\n\r\n"
        client, _upstream = self.begun(head % (MAX_CONTENT + 1))
        self.assertStatus(client.take(), 413)

    def test_turnsOutTooLarge(self):
        """So is one that turns out to be."""
        client, upstream = self.begun(
            b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        part = b"800000\r\n" + bytes(0x800000) + b"\r\n"
        for _ in range(8):
            client.send(part)
        self.assertEqual(client.take(), b"")
        client.send(b"1\r\nx\r\n")
        self.assertStatus(client.take(), 413)
        self.assertEqual(upstream.take(), b"")
        self.assertEnded((413, 0x1000))

    def test_timeout(self):
        """An upstream that does not answer; what it says later is dropped."""
        client, upstream = self.begun(action={"timeout": "2s"})
        self.running.advance(2.5)
        self.assertStatus(client.take(), 504)
        upstream.send(boltResponse(1, b"late"))
        client.send(SIMPLE)
        upstream.send(boltResponse(2, b"in time"))
        self.assertTrue(client.take().endswith(b"in time"))

    def test_upstreamDies(self):
        """The connection ends with the request on it."""
        client, upstream = self.begun()
        upstream.reset()
        self.assertStatus(client.take(), 500)

    def test_retried(self):
        """A status that is retried, with the body sent again."""
        policy = {"retry_on": True, "num_retries": 1, "status_codes": [503]}
        request = b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nContent-Length: 8\r\n\r\nquestion"
        client, upstream = self.begun(request, action={"retry_policy": policy})
        self.assertEqual(upstream.take(), simple(b"question", 1, host="a", service="s"))
        upstream.send(boltResponse(1, b"busy", status=4))
        self.running.advance(0.1)
        self.assertEqual(upstream.take(), simple(b"question", 2, host="a", service="s"))
        upstream.send(boltResponse(2, b"answer"))
        self.assertTrue(client.take().endswith(b"\r\n\r\nanswer"))

    def test_notFound(self):
        """Local replies are HTTP's own."""
        mesh = self.between("Http1", "bolt")
        client = mesh.client("front")
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assertStatus(client.take(), 404)

    def test_filtersSeeData(self):
        """Filters that want to see the body see it on both ways."""

        def shorter(exchange, part):
            exchange.part = part[:3]
            return CONTINUE

        script = Script("f", [], requestData=shorter, responseData=shorter)
        request = b"POST / HTTP/1.1\r\nHost: a\r\nservice: s\r\nContent-Length: 8\r\n\r\nquestion"
        client, upstream = self.begun(request, filters=[script])
        self.assertTrue(upstream.take().endswith(b"\x01sque"))
        upstream.send(boltResponse(1, b"answer"))
        self.assertTrue(client.take().endswith(b"\r\n\r\nans"))

    def test_oldFile(self):
        """In a file of the old style the listener says what upstreams speak."""
        host = {"name": "all", "domains": ["*"], "routers": [
            {"match": {"prefix": "/"}, "route": {"cluster_name": "app"}}]}  # fmt: skip
        proxy = {"upstream_protocol": "SofaRpc", "virtual_hosts": [host], "router_config_name": ""}
        self.begin(proxy={**proxy, "downstream_protocol": "Http1"})
        _client, upstream = self.ask(SIMPLE)
        self.assertEqual(upstream.take()[:2], b"\x01\x01")


class MeshTests(ConversionTestCase):
    """Requests that come from the other end of a mesh."""

    def begun(self, *fields, **settings):
        body = settings.pop("body", b"question")
        self.between("Http1", "bolt", **settings)
        return self.ask(meshed(*fields, body=body))

    def test_request(self):
        """The frame is what it was, and so is that of the response."""
        client, upstream = self.begun(OUR + b"classname: com.a.B", PACKED + b": A=%00", b"b: c")
        headers = [SERVICE, (b"A", b"\0"), (b"b", b"c")]
        self.assertEqual(
            upstream.take(), boltRequest(1, b"question", headers, className=b"com.a.B")
        )
        upstream.send(boltResponse(1, b"answer", [(b"a", b"b")], status=2))
        answer = (
            b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n",
            OUR + b"protocol: 1\r\n" + OUR + b"cmdtype: 0\r\n" + OUR + b"codec: 1\r\n",
            OUR + b"respstatus: 2\r\n" + OUR + b"classname: " + RESPONSE_CLASS + b"\r\n",
            b"a: b\r\n\r\nanswer",
        )
        self.assertEqual(client.take(), b"".join(answer))
        self.assertEnded((500, 0))

    def test_malformed(self):
        """A request whose fields no frame has is refused, and nothing goes up."""
        client, upstream = self.begun(OUR + b"codec: x")
        self.assertStatus(client.take(), 400)
        self.assertEqual(upstream.take(), b"")

    def test_confusing(self):
        """So is one that hides another service than that of its route."""
        client, upstream = self.begun(PACKED + b": service=com.example.Admin")
        self.assertStatus(client.take(), 400)
        self.assertEqual(upstream.take(), b"")

    def test_brokenAnswer(self):
        """A response whose header map is broken."""
        client, upstream = self.begun()
        good = boltResponse(1, b"", [(b"a", b"b")])
        upstream.send(good.replace(b"\0\0\0\x01a", b"\0\0\0\x09a"))
        self.assertStatus(client.take(), 502)

    def test_oneway(self):
        """A one-way request is answered as soon as it has gone up."""
        client, upstream = self.begun(OUR + b"cmdtype: 2")
        frame = boltRequest(1, b"question", [SERVICE], className=b"", oneway=True)
        self.assertEqual(upstream.take(), frame)
        self.assertEqual(client.take(), b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self.assertEnded((202, 0))

    def test_emptyOneway(self):
        """The same without a content."""
        client, upstream = self.begun(OUR + b"cmdtype: 2", body=b"")
        self.assertEqual(upstream.take()[:2], b"\x01\x02")
        self.assertStatus(client.take(), 202)

    def test_onewayLost(self):
        """One whose connection has ended meanwhile is not said to be accepted: it goes up again."""
        self.between("Http1", "bolt")
        client = self.running.client("front")
        request = meshed(OUR + b"cmdtype: 2")
        client.send(request[:-1])
        upstream = self.running.upstream()
        upstream.reset()
        client.send(request[-1:])
        self.assertEqual(client.take(), b"")
        self.running.advance(0.1)
        self.assertTrue(self.running.upstream().take().endswith(b"question"))
        self.assertStatus(client.take(), 202)

    def test_timeoutOfFrames(self):
        """0 is not -1, also when the body comes later."""
        self.between("Http1", "bolt")
        client = self.running.client("front")
        request = meshed().replace(b"timeout: 3000", b"timeout: 0")
        client.send(request[:-3])
        upstream = self.running.upstream()
        client.send(request[-3:])
        frame = boltRequest(1, b"question", [SERVICE], className=b"", timeout=0)
        self.assertEqual(upstream.take(), frame)
