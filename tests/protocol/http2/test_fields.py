"""What is a message of HTTP/2, and what is none (RFC 9113 section 8)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import CONNECT_TUNNEL, Pair
from mosntx.protocol.errors import EncodeError, LimitError, ProtocolError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.http2.fields import (
    FieldReader,
    fieldPairs,
    requestFields,
    responseFields,
    trailerFields,
)
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead, grpcTimeout

GET: list[Pair] = [
    (b":method", b"GET"),
    (b":scheme", b"http"),
    (b":authority", b"Shop.example"),
    (b":path", b"/a?b"),
]


def without(name: bytes) -> list[Pair]:
    return [pair for pair in GET if pair[0] != name]


class Requests(SynchronousTestCase):
    """Reading requests."""

    def setUp(self) -> None:
        self.reader = FieldReader(10, 400, 4096)

    def test_aRequest(self) -> None:
        """A plain request is read with all that it says."""
        head = self.reader.request([*GET, (b"service", b"pay"), (b"content-length", b"5")])
        self.assertEqual(
            (head.method, head.path, head.authority, head.scheme, head.service),
            (b"GET", b"/a?b", b"shop.example", b"http", b"pay"),
        )
        self.assertEqual((head.contentLength, head.replayable, head.timeout), (5, True, None))

    def test_malformed(self) -> None:
        """Each breach of the rules for requests is found."""
        cases: list[list[Pair]] = [
            without(b":method"),
            without(b":scheme"),
            without(b":path"),
            [*GET, (b":path", b"/")],
            [*GET, (b":status", b"200")],
            [*GET, (b"a", b"b"), (b":late", b"x")],
            [*GET, (b"A", b"b")],
            [*GET, (b"a b", b"b")],
            [*GET, (b"", b"b")],
            [*GET, (b"a", b"b\r\nc")],
            [*GET, (b"a", b"b\0")],
            [*GET, (b"a", b" b")],
            [*GET, (b"a", b"b\t")],
            [*GET, (b"connection", b"close")],
            [*GET, (b"transfer-encoding", b"chunked")],
            [*GET, (b"upgrade", b"h2c")],
            [*GET, (b"te", b"gzip")],
            [*GET, (b"content-length", b"x")],
            [*GET, (b"content-length", b"5"), (b"content-length", b"6")],
            [*GET, (b"host", b"other")],
            [*without(b":path"), (b":path", b"/a b")],
            [*without(b":path"), (b":path", b"")],
            [*without(b":path"), (b":path", b"*")],
            [*without(b":path"), (b":path", b"http://x/")],
            [*without(b":authority"), (b":authority", b"a@b")],
            [*without(b":method"), (b":method", b"G T")],
            [*without(b":method"), (b":method", b"CONNECT")],
            [*GET, (b":protocol", b"websocket")],
            [(b":method", b"CONNECT")],
        ]
        for fields in cases:
            self.assertRaises(ProtocolError, self.reader.request, fields)

    def test_tooMany(self) -> None:
        """More fields than allowed are a limit, not a mistake."""
        self.assertRaises(LimitError, self.reader.request, [*GET, *[(b"a", b"b")] * 11])

    def test_hostStandsInForTheAuthority(self) -> None:
        """A Host field names the authority when the pseudo field is missing."""
        head = self.reader.request([*without(b":authority"), (b"host", b"Shop.Example:80")])
        self.assertEqual(head.authority, b"shop.example:80")
        self.assertEqual(head.headers.items(), [])

    def test_cookiesAreJoined(self) -> None:
        """Crumbs of cookies become one field."""
        head = self.reader.request([*GET, (b"cookie", b"a=1"), (b"x", b"y"), (b"cookie", b"b=2")])
        self.assertEqual(head.headers.items(), [(b"x", b"y"), (b"cookie", b"a=1; b=2")])

    def test_expect(self) -> None:
        """The wish for 100 (Continue) becomes a flag of the head."""
        head = self.reader.request([*GET, (b"expect", b"100-continue"), (b"x", b"y")])
        self.assertEqual((head.expectContinue, head.headers.items()), (True, [(b"x", b"y")]))

    def test_connect(self) -> None:
        """A tunnel has an authority and no path."""
        head = self.reader.request([(b":method", b"CONNECT"), (b":authority", b"db:5432")])
        self.assertEqual((head.path, head.authority, head.upgrade), (b"", b"db:5432", b"connect"))

    def test_extendedConnect(self) -> None:
        """An extended CONNECT is what a GET with an offer is in HTTP/1.1."""
        fields = [(b":method", b"CONNECT"), *without(b":method"), (b":protocol", b"websocket")]
        head = self.reader.request(fields)
        self.assertEqual((head.method, head.path, head.upgrade), (b"GET", b"/a?b", b"websocket"))

    def test_unknownProtocol(self) -> None:
        """A CONNECT to another protocol than WebSocket is none that we can make."""
        fields = [(b":method", b"CONNECT"), *without(b":method"), (b":protocol", b"connect-udp")]
        error = self.assertRaises(ProtocolError, self.reader.request, fields)
        self.assertEqual(error.status, 501)

    def test_grpcTimeouts(self) -> None:
        """Every unit of a gRPC timeout is understood."""
        for text, seconds in ((b"1S", 1.0), (b"250m", 0.25), (b"2H", 7200.0), (b"5", None)):
            self.assertEqual(grpcTimeout(text), seconds)
        head = self.reader.request([*GET, (b"grpc-timeout", b"3S")])
        self.assertEqual(head.timeout, 3.0)

    def test_assigning(self) -> None:
        """Filters may change path and authority, but to nothing malformed."""
        head = self.reader.request(GET)
        head.path, head.authority = b"/other", b"Else"
        self.assertEqual((head.path, head.authority), (b"/other", b"else"))
        for name, value in (("path", b"no slash"), ("authority", b"a/b")):
            self.assertRaises(ValueError, setattr, head, name, value)


class Responses(SynchronousTestCase):
    """Reading responses and trailers."""

    def setUp(self) -> None:
        self.reader = FieldReader(10, 502, 4096)

    def test_aResponse(self) -> None:
        """A plain response is read, and its status may be changed to another that exists."""
        head = self.reader.response([(b":status", b"204"), (b"content-length", b"0")])
        self.assertEqual((head.status, head.contentLength), (204, 0))
        head.status = 200
        self.assertRaises(ValueError, setattr, head, "status", 99)

    def test_malformed(self) -> None:
        """Each breach of the rules for responses is found."""
        for fields in (
            [],
            [(b":status", b"20")],
            [(b":status", b"abc")],
            [(b":status", b"200"), (b":path", b"/")],
            [(b":status", b"200"), (b"connection", b"close")],
        ):
            self.assertRaises(ProtocolError, self.reader.response, fields)

    def test_trailers(self) -> None:
        """Fields that would change the message are dropped from trailers."""
        trailers = self.reader.trailers([(b"a", b"b"), (b"content-length", b"5"), (b"host", b"x")])
        self.assertEqual(trailers.items(), [(b"a", b"b")])
        self.assertRaises(ProtocolError, self.reader.trailers, [(b":status", b"200")])


class PassingOn(SynchronousTestCase):
    """Fields that go from one connection of HTTP/2 to another are not looked at again."""

    def setUp(self) -> None:
        self.head = FieldReader(10, 400, 1000).request([*GET, (b"x-a", b"1"), (b"x-a", b"2")])

    def test_same(self) -> None:
        """They leave as they came; so do those of a response, with its length."""
        self.assertEqual(requestFields(self.head, True)[-2:], [(b"x-a", b"1"), (b"x-a", b"2")])
        fields = [(b":status", b"200"), (b"content-length", b"3")]
        response = FieldReader(10, 502, 1000).response(fields)
        self.assertIs(fieldPairs(response.headers, frozenset([b"te"])), response.headers.items())
        self.assertEqual(responseFields(response), fields)

    def test_changed(self) -> None:
        """What a filter has written is looked at like anybody's."""
        headers = self.head.headers
        headers.set(b"X-New", b" spaced ")
        headers.set(b"TE", b"gzip")
        pairs = requestFields(self.head, True)
        self.assertEqual(pairs[-1], (b"x-new", b"spaced"))
        self.assertEqual((headers.get(b"x-new"), headers.get(b"X-A")), (b" spaced ", b"1"))

    def test_special(self) -> None:
        """Fields with a meaning of their own are still left out, or made anew."""
        names = [(b"te", b"trailers"), (b"http2-settings", b"a"), (b"content-length", b"5")]
        head = FieldReader(10, 400, 1000).request([*GET, *names])
        self.assertEqual(requestFields(head, True)[len(GET) :], [(b"te", b"trailers")])

    def test_lookUp(self) -> None:
        """The first of several values is found, by any spelling of its name."""
        headers = self.head.headers
        self.assertEqual((headers.get(b"x-a"), headers.get(b"X-A")), (b"1", b"1"))
        self.assertEqual(headers.getAll(b"X-a"), [b"1", b"2"])

    def test_copy(self) -> None:
        """A copy can be changed without its original."""
        copy = self.head.headers.copy()
        copy.set(b"x-a", b"3")
        self.assertEqual(copy.getAll(b"x-a"), [b"3"])
        self.assertEqual(requestFields(self.head, True)[-1], (b"x-a", b"2"))

    def test_spaces(self) -> None:
        """Spaces inside of values and empty values are no spaces at their ends."""
        values = [b"", b"a b", b"a\tb", b""]
        pairs = [(b"x", value) for value in values]
        head = FieldReader(10, 400, 1000).request([*GET, *pairs])
        self.assertEqual(head.headers.getAll(b"x"), values)


class Writing(SynchronousTestCase):
    """From any protocol to HTTP/2."""

    def test_fromHttp1(self) -> None:
        """Fields of an HTTP/1 connection are left out and names get lower case."""
        headers = Headers(
            [
                (b"Host", b"Shop"),
                (b"X-One", b" a "),
                (b"Connection", b"close"),
                (b"Transfer-Encoding", b"chunked"),
                (b"TE", b"trailers"),
            ]
        )
        head = RequestHead(b"POST", b"/p", b"shop", headers)
        self.assertEqual(
            requestFields(head, False),
            [
                (b":method", b"POST"),
                (b":scheme", b"http"),
                (b":path", b"/p"),
                (b":authority", b"shop"),
                (b"x-one", b"a"),
                (b"te", b"trailers"),
            ],
        )

    def test_aBodyThatDoesNotComeHasNoLength(self) -> None:
        """A length is not announced when nothing follows the head."""
        head = Http2RequestHead(b"POST", b"/", b"a", Headers([(b"content-length", b"5")]))
        self.assertNotIn((b"content-length", b"5"), requestFields(head, True))
        self.assertIn((b"content-length", b"5"), requestFields(head, False))

    def test_connect(self) -> None:
        """Tunnels are written without path, extended ones with their protocol."""
        head = Http2RequestHead(b"CONNECT", b"", b"db:1", Headers())
        self.assertEqual(
            requestFields(head, False), [(b":method", b"CONNECT"), (b":authority", b"db:1")]
        )
        head.upgrade = CONNECT_TUNNEL
        self.assertNotIn(b":protocol", dict(requestFields(head, False)))
        pairs = [(b"sec-websocket-key", b"k"), (b"content-length", b"0"), (b"origin", b"b")]
        head = Http2RequestHead(b"GET", b"/c", b"a", Headers(pairs), upgrade=b"websocket")
        self.assertEqual(
            requestFields(head, False),
            [
                (b":method", b"CONNECT"),
                (b":protocol", b"websocket"),
                (b":scheme", b"http"),
                (b":path", b"/c"),
                (b":authority", b"a"),
                (b"origin", b"b"),
            ],
        )
        self.assertEqual(requestFields(head, True)[0], (b":method", b"GET"))

    def test_whatCannotBeSaid(self) -> None:
        """Heads that HTTP/2 cannot say raise."""
        bad = Headers.trusted([(b"a", b"b\nc")])
        self.assertRaises(EncodeError, requestFields, Http2RequestHead(b"G", b"/", b"", bad), True)
        name = Headers.trusted([(b"a b", b"c")])
        self.assertRaises(EncodeError, responseFields, Http2ResponseHead(200, name))
        self.assertRaises(EncodeError, responseFields, Http2ResponseHead(101, Headers()))
        head = Http2RequestHead(b"G T", b"/", b"", Headers())
        self.assertRaises(EncodeError, requestFields, head, True)

    def test_responsesAndTrailers(self) -> None:
        """Responses and trailers lose what belongs to a connection."""
        head = Http2ResponseHead(200, Headers([(b"Keep-Alive", b"5"), (b"A", b"b")]))
        self.assertEqual(responseFields(head), [(b":status", b"200"), (b"a", b"b")])
        self.assertEqual(trailerFields(Headers([(b"TE", b"x"), (b"Sum", b"1")])), [(b"sum", b"1")])
