"""Tests of `mosntx.upstream.health.asking`; what is asked is in the tests of the probes."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEAD
from mosntx.testing.net import FakeConnector
from mosntx.testing.requests import httpRequest
from mosntx.upstream.health.asking import Asking, placeOf
from tests.upstream.health.build import ADDRESS, probes


class Echo(Asking):
    """Asks with octets that a test gives, and wants a head."""

    octets: bytes | None = b"hello"

    def request(self, codec: Any) -> bytes:
        """See `Asking.request`."""
        if self.octets is None:
            raise ValueError("nothing to say")
        return self.octets

    def heard(self, kind: int, part: Any, end: bool) -> None:
        """See `Asking.heard`."""
        self.finish(kind == HEAD, whole=True)


class PlaceTests(SynchronousTestCase):
    """Where to connect to, and what it is called there."""

    def test_places(self) -> None:
        """The port can be another; a unix socket has no name."""
        for address, port, expected in (
            ("10.0.0.1:80", 0, ("10.0.0.1:80", "10.0.0.1:80")),
            ("shop.example:80", 81, ("shop.example:81", "shop.example:81")),
            ("[::1]:80", 81, ("[::1]:81", "[::1]:81")),
            ("unix:/run/app.sock", 81, ("unix:/run/app.sock", "localhost")),
        ):
            self.assertEqual(placeOf(address, port), expected)


class AskingTests(SynchronousTestCase):
    """One check."""

    def setUp(self) -> None:
        self.connector = FakeConnector()
        self.asking = Echo(self.connector, probes().protocols("Http1"))

    def test_nothingToSay(self) -> None:
        """A request that cannot be said is a bad answer."""
        self.asking.octets = None
        self.asking.connect(ADDRESS)
        connection = self.connector.attempts[0].succeed()
        self.assertIs(self.successResultOf(self.asking.answer), False)
        self.assertTrue(connection.aborted)

    def test_whole(self) -> None:
        """After a whole answer the connection is closed, and hears nothing more."""
        self.asking.connect(ADDRESS)
        connection = self.connector.attempts[0].succeed()
        self.assertEqual(connection.written, b"hello")
        self.asking._codec.requestHead(httpRequest(), True)
        connection.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        self.assertIs(self.successResultOf(self.asking.answer), True)
        self.assertEqual((connection.closing, connection.aborted), (True, False))

    def test_cancelledWhileConnecting(self) -> None:
        """A check that is given up early ends its connect."""
        self.asking.connect(ADDRESS)
        self.asking.answer.cancel()
        self.failureResultOf(self.asking.answer)
        self.assertTrue(self.connector.attempts[0].cancelled)
