"""Heads and trailers as field lists of HTTP/2."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.protocol.http2.encode import fieldPairs, requestFields, responseFields, trailerFields
from mosntx.protocol.http2.fields import FieldReader
from mosntx.protocol.http2.heads import Http2RequestHead, Http2ResponseHead
from tests.protocol.http2.test_fields import GET


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
