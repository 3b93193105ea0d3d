"""Tests of `mosntx.upstream.health.http` in HTTP/2."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CodeRange, HttpCheck
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2ResponseHead
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.http import HttpProbe
from tests.upstream.health.build import ADDRESS, Http2Server, probes


def response(status: int, *fields: tuple[bytes, bytes]) -> Http2ResponseHead:
    """Return the head of a response."""
    return Http2ResponseHead(status, Headers(fields))


class Http2Tests(SynchronousTestCase):
    """A host that is asked by HTTP/2 without being asked whether it speaks it."""

    engine = "auto"

    def begin(self, **config: Any) -> Deferred[bool]:
        """Begin a check."""
        self.connector = FakeConnector()
        protocol = probes(engine=self.engine).protocols("Http2")
        check = HttpProbe(HttpCheck(**config), ADDRESS, self.connector, protocol).check(FakeHost())
        self.server = self.connect()
        return check

    def connect(self) -> Http2Server:
        """Let the last connect succeed."""
        self.connection = self.connector.attempts[-1].succeed()
        return Http2Server(self.connection)

    def test_request(self) -> None:
        """The same request as in HTTP/1."""
        self.begin(path="/health?deep=1", method="HEAD", domain="shop.example", port=81)
        head, end = self.server.events[0][2:]
        self.assertTrue(end)
        self.assertEqual((head.method, head.path), (b"HEAD", b"/health?deep=1"))
        self.assertEqual((head.authority, head.scheme), (b"shop.example", b"http"))
        self.assertEqual(self.connector.attempts[0].address, "127.0.0.1:81")

    def test_status(self) -> None:
        """The status tells."""
        codes = (CodeRange(start=200, end=204),)
        for status, ranges, good in (
            (200, (), True),
            (204, (), False),
            (204, codes, True),
            (503, codes, False),
        ):
            check = self.begin(codes=ranges)
            self.server.respond(response(status))
            self.assertIs(self.successResultOf(check), good)
            self.assertTrue(self.connection.closing)

    def test_interim(self) -> None:
        """Interim responses are passed over, and a body is not waited for."""
        check = self.begin()
        self.server.inform(response(103))
        self.assertNoResult(check)
        self.server.begin(response(200, (b"content-length", b"99")))
        self.assertIs(self.successResultOf(check), True)

    def test_acknowledges(self) -> None:
        """What the protocol wants to be said meanwhile is said: the server's SETTINGS came."""
        self.begin()
        octets = self.connection.clear()
        self.assertEqual(octets, b"\0\0\0\x04\x01\0\0\0\0")

    def test_redirect(self) -> None:
        """A redirect is followed on another connection."""
        check = self.begin()
        first = self.connection
        self.server.respond(response(302, (b"location", b"/there")))
        self.assertTrue(first.aborted)
        server = self.connect()
        self.assertEqual(server.events[0][2].path, b"/there")
        server.respond(response(200))
        self.assertIs(self.successResultOf(check), True)

    def test_reset(self) -> None:
        """A server that resets the request, or does not speak HTTP/2, is not well."""
        check = self.begin()
        self.server.reset()
        self.assertIs(self.successResultOf(check), False)
        check = self.begin()
        self.connection.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.assertIs(self.successResultOf(check), False)


class Http2OfH2Tests(Http2Tests):
    """The same where the engine is h2."""

    engine = "h2"
