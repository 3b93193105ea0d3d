"""Heads of HTTP/2 messages."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.message import ILocalReply, IRequestHead, IResponseHead, Pair
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import (
    Http2LocalReply,
    Http2RequestHead,
    Http2ResponseHead,
    grpcTimeout,
    validAuthority,
)


def head(method: bytes = b"GET", fields: list[Pair] | None = None) -> Http2RequestHead:
    """Return the head of a request."""
    return Http2RequestHead(method, b"/", b"a", Headers(fields or []))


class RequestHeadTests(SynchronousTestCase):
    """What a request says."""

    def test_contract(self) -> None:
        """The head has all that filters and routers ask for."""
        self.assertTrue(verifyObject(IRequestHead, head()))
        self.assertEqual((head().protocol, head().oneway, head().upgrade), ("Http2", False, b""))

    def test_replayable(self) -> None:
        """Idempotent methods may be sent twice, others not (RFC 9110 9.2.2)."""
        for method in (b"GET", b"HEAD", b"OPTIONS", b"TRACE", b"PUT", b"DELETE"):
            self.assertTrue(head(method).replayable, method)
        for method in (b"POST", b"PATCH", b"CONNECT", b"get", b"OTHER"):
            self.assertFalse(head(method).replayable, method)

    def test_fieldsThatMean(self) -> None:
        """Service and timeout are read from fields whenever they are asked for."""
        request = head(fields=[(b"service", b"pay"), (b"grpc-timeout", b"5S")])
        self.assertEqual((request.service, request.timeout), (b"pay", 5.0))
        request.headers.remove(b"service")
        request.headers.set(b"grpc-timeout", b"soon")
        self.assertEqual((request.service, request.timeout), (b"", None))
        self.assertIsNone(head().timeout)

    def test_path(self) -> None:
        """A filter cannot assign a path that could be read as something else."""
        request = head()
        for path in (b"/", b"/a?b=c", b"*", b"/\xc3\xa4", b"//x"):
            request.path = path
            self.assertEqual(request.path, path)
        for path in (b"", b"a", b"/a b", b"/a#b", b"/a\r\nx: y", b"/\0", b"/\x7f", b"**"):
            self.assertRaises(ValueError, setattr, request, "path", path)

    def test_authority(self) -> None:
        """An authority is a host with or without a port, kept in lower case."""
        request = head()
        request.authority = b"Shop.Example:80"
        self.assertEqual(request.authority, b"shop.example:80")
        for authority in (b"a/b", b"u@h", b"a b", b"a:b", b""):
            self.assertRaises(ValueError, setattr, request, "authority", authority)

    def test_repr(self) -> None:
        """Method and path are shown, and no field, which may be secret."""
        request = head(fields=[(b"authorization", b"secret")])
        self.assertEqual(repr(request), "<Http2RequestHead b'GET' b'/'>")


class ReadingTests(SynchronousTestCase):
    """Texts inside of fields."""

    def test_validAuthority(self) -> None:
        """Names, addresses and ports that exist are taken."""
        for authority in (b"a", b"a.b:0", b"10.0.0.1:65535", b"[::1]", b"[::1]:80", b"a:"):
            self.assertTrue(validAuthority(authority), authority)
        for authority in (b"", b":80", b"a:65536", b"a:-1", b"::1", b"[::1", b"a,b", b"a?b"):
            self.assertFalse(validAuthority(authority), authority)

    def test_grpcTimeout(self) -> None:
        """Every unit is known, and what is no timeout is none."""
        for text, seconds in (
            (b"1H", 3600.0),
            (b"1M", 60.0),
            (b"1S", 1.0),
            (b"1000m", 1.0),
            (b"1000000u", 1.0),
            (b"0n", 0.0),
        ):
            said = grpcTimeout(text)
            assert said is not None
            self.assertAlmostEqual(said, seconds)
        for text in (b"", b"S", b"1", b"1s", b"-1S", b"1.5S", b"123456789S", b"1S "):
            self.assertIsNone(grpcTimeout(text), text)


class ResponseHeadTests(SynchronousTestCase):
    """What a response says."""

    def test_contracts(self) -> None:
        """Heads and local replies have all that the proxy asks for."""
        response = Http2ResponseHead(200, Headers(), 5)
        self.assertTrue(verifyObject(IResponseHead, response))
        self.assertTrue(verifyObject(ILocalReply, Http2LocalReply(response, b"hello")))
        self.assertEqual((response.contentLength, repr(response)), (5, "<Http2ResponseHead 200>"))

    def test_status(self) -> None:
        """A status has three digits, also one that is assigned."""
        response = Http2ResponseHead(200, Headers())
        for status in (100, 999):
            response.status = status
            self.assertEqual(response.status, status)
        for status in (0, 99, 1000):
            self.assertRaises(ValueError, setattr, response, "status", status)
