"""Tests of HTTP/1 heads."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass, verifyObject

from mosntx.contracts.message import ILocalReply, IRequestHead, IResponseHead
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import (
    LocalReply,
    RequestHead,
    ResponseHead,
    statusLine,
    validAuthority,
)


class RequestHeadTests(SynchronousTestCase):
    """See `RequestHead`."""

    def head(self, method: bytes = b"GET") -> RequestHead:
        """Make a head with its line as received."""
        headers = Headers([(b"host", b"A"), (b"service", b"s")])
        return RequestHead(method, b"/a", b"a", headers, method + b" /a HTTP/1.1")

    def test_contract(self) -> None:
        """It is an `IRequestHead`, with the values that HTTP/1 gives."""
        head = self.head()
        verifyClass(IRequestHead, RequestHead)
        verifyObject(IRequestHead, head)
        self.assertEqual((head.protocol, head.scheme, head.service), ("Http1", b"http", b"s"))
        self.assertEqual((head.oneway, head.timeout), (False, None))
        self.assertEqual(RequestHead(b"GET", b"/", b"", Headers()).service, b"")

    def test_replayable(self) -> None:
        """Idempotent methods may be sent twice, others and unknown ones not."""
        for method in (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"):
            self.assertTrue(self.head(method).replayable)
        for method in (b"POST", b"PATCH", b"CONNECT", b"FROB", b"get"):
            self.assertFalse(self.head(method).replayable)

    def test_path(self) -> None:
        """An assigned path replaces the line as received; a bad one is refused."""
        head = self.head()
        head.path = b"/b?c"
        self.assertEqual((head.path, head.line), (b"/b?c", b""))
        for path in (b"", b"a", b"/ ", b"/\r\nX: y", b"/#a", b"/\0", b"http://a/"):
            with self.assertRaises(ValueError):
                head.path = path
        self.assertEqual(head.path, b"/b?c")

    def test_authority(self) -> None:
        """An assigned authority is also the Host field, at its place."""
        head = self.head()
        head.authority = b"B:80"
        self.assertEqual(head.authority, b"b:80")
        self.assertEqual(head.headers.items(), [(b"Host", b"B:80"), (b"service", b"s")])
        with self.assertRaises(ValueError):
            head.authority = b"a b"

    def test_method(self) -> None:
        """The method cannot be assigned: the line as received depends on it."""
        with self.assertRaises(AttributeError):
            self.head().method = b"PUT"

    def test_repr(self) -> None:
        """Representations show no field values."""
        self.assertEqual(repr(self.head()), "<RequestHead b'GET' b'/a'>")
        self.assertEqual(repr(ResponseHead(200, Headers())), "<ResponseHead 200>")


class ResponseHeadTests(SynchronousTestCase):
    """See `ResponseHead`."""

    def test_contract(self) -> None:
        """Heads and local replies provide their contracts."""
        verifyClass(IResponseHead, ResponseHead)
        head = ResponseHead(200, Headers())
        verifyObject(IResponseHead, head)
        verifyObject(ILocalReply, LocalReply(head, b""))

    def test_status(self) -> None:
        """An assigned status brings its own line."""
        head = ResponseHead(200, Headers(), b"HTTP/1.1 200 Fine")
        self.assertEqual(head.line, b"HTTP/1.1 200 Fine")
        head.status = 404
        self.assertEqual((head.status, head.line), (404, b"HTTP/1.1 404 Not Found"))
        for status in (0, 99, 1000):
            with self.assertRaises(ValueError):
                head.status = status
        self.assertEqual(statusLine(298), b"HTTP/1.1 298 Success")


class AuthorityTests(SynchronousTestCase):
    """Hosts and ports."""

    def test_good(self) -> None:
        """Names, addresses and ports in their usual forms."""
        for authority in (b"a", b"A.b-c_d:80", b"127.0.0.1", b"[::1]:8080", b"a:", b"a:65535"):
            self.assertTrue(validAuthority(authority), authority)

    def test_bad(self) -> None:
        """What could be read in two ways is none."""
        for authority in (b"", b":80", b"a b", b"u@a", b"a/", b"a:65536", b"a:x", b"::1", b"a,b"):
            self.assertFalse(validAuthority(authority), authority)
