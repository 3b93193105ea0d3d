"""What is a message of HTTP/2, and what is none (RFC 9113 section 8)."""

from __future__ import annotations

from hpack import NeverIndexedHeaderTuple
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import Pair
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.protocol.http2.fields import (
    FieldReader,
)
from mosntx.protocol.http2.heads import Http2RequestHead, grpcTimeout

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


class Remembering(SynchronousTestCase):
    """Lists that were good are found again instead of being checked again."""

    def setUp(self) -> None:
        self.reader = FieldReader(10, 400, 4000)

    def read(self, *fields: Pair, first: list[Pair] = GET) -> Http2RequestHead:
        """Return the head of a request with these fields."""
        return self.reader.request([*first, *fields])

    def test_theSame(self) -> None:
        """The same fields give the same headers with any path; what is changed is one's own."""
        fields = ((b"x-a", b"1"), (b"x-a", b"2"), (b"content-length", b"7"))
        one = self.read(*fields)
        other = self.read(*fields, first=[*without(b":path"), (b":path", b"/other")])
        self.assertIs(one.headers.items(), other.headers.items())
        self.assertEqual((one.path, other.path), (b"/a?b", b"/other"))
        self.assertEqual((other.contentLength, other.headers.get(b"x-a")), (7, b"1"))
        one.headers.set(b"x-a", b"3")
        one.headers.remove(b"content-length")
        for head in (other, self.read(*fields)):
            self.assertEqual(head.headers.items(), list(fields))
            self.assertEqual(head.headers.getAll(b"X-A"), [b"1", b"2"])

    def test_specialOnes(self) -> None:
        """Host, Cookie and Expect mean the same the second time."""
        fields = ((b"host", b"shop.example"), (b"cookie", b"a"), (b"cookie", b"b"))
        for _ in range(2):
            head = self.read(*fields, (b"expect", b"100-continue"))
            self.assertEqual(head.headers.items(), [(b"cookie", b"a; b")])
            self.assertTrue(head.expectContinue)
            with self.assertRaises(ProtocolError):
                self.read(*fields, first=[*without(b":authority"), (b":authority", b"other")])

    def test_pseudoFieldsAreStillLookedAt(self) -> None:
        """Fields that are known make no pseudo field good."""
        field = (b"x-a", b"1")
        self.read(field)
        for name, value in (
            (b":method", b"G\nT"),
            (b":scheme", b"ht\rtp"),
            (b":scheme", b" http"),
            (b":authority", b"a\0"),
            (b":path", b"/ "),
            (b":path", b"/\n"),
            (b":protocol", b"web\nsocket"),
        ):
            with self.assertRaises(ProtocolError) as caught:
                self.read(field, first=[*without(name), (name, value)])
            self.assertEqual(caught.exception.status, 400)
        self.assertEqual(self.read(field).headers.get(b"x-a"), b"1")

    def test_sizeIsStillMeasured(self) -> None:
        """Fields that are known and a long path are too large together."""
        field = (b"x-a", b"1" * 100)
        self.read(field)
        with self.assertRaises(LimitError) as caught:
            self.read(field, first=[*without(b":path"), (b":path", b"/" * 3900)])
        self.assertEqual(caught.exception.status, 431)

    def test_secrets(self) -> None:
        """A field never to be indexed is neither kept nor taken for one that may be."""
        secret = NeverIndexedHeaderTuple(b"x-a", b"1")
        for _ in range(2):
            for field in (secret, (b"x-a", b"1")):
                self.assertIs(type(self.read(field).headers.items()[0]), type(field))
        self.assertEqual(len(self.reader._seen), 1)

    def test_bounded(self) -> None:
        """Neither many lists nor long ones are kept."""
        for number in range(self.reader.MAX_SEEN + 1):
            self.read((b"x-a", b"%d" % number))
        self.assertEqual(len(self.reader._seen), 1)
        reader = FieldReader(10, 502, 100_000)
        reader.response([(b":status", b"200"), (b"x-a", b"1" * reader.MAX_SEEN_OCTETS)])
        self.assertEqual(reader._seen, {})

    def test_malformed(self) -> None:
        """What is refused once is refused again."""
        for _ in range(2):
            with self.assertRaises(ProtocolError):
                self.read((b"x-a", b"1\n"))
