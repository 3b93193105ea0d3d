"""Tests of `mosntx.upstream.health.grpc`."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import GrpcCheck
from mosntx.contracts.codec import DATA, HEAD
from mosntx.net.connector import ConnectFailed
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.heads import Http2ResponseHead
from mosntx.testing.net import FakeConnector
from mosntx.testing.upstream import FakeHost
from mosntx.upstream.health.grpc import (
    MAX_ANSWER,
    PATH,
    GrpcProbe,
    frame,
    question,
    servingStatus,
)
from tests.upstream.health.build import ADDRESS, Http2Server, probes

SERVING = b"\0\0\0\0\x02\x08\x01"
NOT_SERVING = b"\0\0\0\0\x02\x08\x02"


class MessageTests(SynchronousTestCase):
    """The two messages, octet by octet."""

    def test_question(self) -> None:
        """The name of a service is field 1; the whole server is an empty message."""
        self.assertEqual(question(""), b"")
        self.assertEqual(question("shop.Cart"), b"\x0a\x09shop.Cart")
        self.assertEqual(question("\u00fc" * 100), b"\x0a\xc8\x01" + b"\xc3\xbc" * 100)
        self.assertEqual(frame(b"ab"), b"\0\0\0\0\x02ab")

    def test_status(self) -> None:
        """The status is read wherever it stands, and nothing is UNKNOWN."""
        for message, status in (
            (b"", 0),
            (b"\x08\x01", 1),
            (b"\x08\x02", 2),
            (b"\x08\x81\x00", 1),  # a number may be longer than it has to be
            (b"\x08\x02\x08\x01", 1),
            (b"\x12\x02\x08\x02\x08\x01", 1),  # a field of a later version before it
            (b"\x11" + b"\x08" * 8 + b"\x08\x01\x1d" + b"\x08" * 4, 1),
            (b"\x10\x02", 0),
        ):
            self.assertEqual(servingStatus(frame(message)), status, message)

    def test_broken(self) -> None:
        """What is no message, or not all of it, has no status."""
        for body in (
            b"",
            b"\0\0\0\0",
            b"\x01\0\0\0\x02\x08\x01",  # compressed, which nobody has asked for
            SERVING[:-1],
            SERVING + b"\x08",
            SERVING * 2,
            frame(b"\x08"),
            frame(b"\x08" + b"\x81" * 11),
            frame(b"\x08\x01\x12\x7f"),
            frame(b"\x08\x01\x0b"),  # a kind of field that there is not
            frame(b"\x08\x01\x11\x00"),
        ):
            self.assertEqual(servingStatus(body), -1, body)


class GrpcTestCase(SynchronousTestCase):
    """A host with the health service."""

    engine = "auto"

    def begin(self, address: str = ADDRESS, timeout: float = 1.5, **config: Any) -> Deferred[bool]:
        """Begin a check, up to the connection."""
        self.connector = FakeConnector()
        protocol = probes(engine=self.engine).protocols("Http2")
        probe = GrpcProbe(GrpcCheck(**config), address, timeout, self.connector, protocol)
        check = probe.check(FakeHost(address))
        probe.close()
        self.connection = self.connector.attempts[-1].succeed()
        self.server = Http2Server(self.connection)
        return check

    def answer(
        self, body: bytes, trailers: dict[bytes, bytes] | None = None, status: int = 200
    ) -> bool:
        """Return what an answer comes to."""
        check = self.begin()
        head = Http2ResponseHead(status, Headers([(b"content-type", b"application/grpc")]))
        self.server.respond(head, body, trailers)
        return self.successResultOf(check)


class CallTests(GrpcTestCase):
    """What is sent, and where."""

    def test_call(self) -> None:
        """A call of the service's method, with one message, and the time for it."""
        self.begin(service_name="shop.Cart")
        (kind, _number, head, end), *parts = self.server.events
        self.assertEqual((kind, end), (HEAD, False))
        self.assertEqual((head.method, head.path), (b"POST", PATH))
        self.assertEqual(head.authority, ADDRESS.encode())
        fields = dict(head.headers.items())
        self.assertEqual(fields[b"content-type"], b"application/grpc")
        self.assertEqual((fields[b"te"], fields[b"grpc-timeout"]), (b"trailers", b"1500m"))
        message = b"\0\0\0\0\x0b\x0a\x09shop.Cart"
        self.assertEqual(
            [(kind, part, end) for kind, _, part, end in parts if part or end],
            [(DATA, message, True)],
        )

    def test_elsewhere(self) -> None:
        """The port and the authority can be others."""
        self.begin(port=9090, authority="Shop.example", timeout=1e9)
        head = self.server.events[0][2]
        self.assertEqual(self.connector.attempts[0].address, "127.0.0.1:9090")
        self.assertEqual(head.authority, b"shop.example")
        self.assertEqual(head.headers.get(b"grpc-timeout"), b"99999999m")

    def test_unix(self) -> None:
        """A unix socket is asked as localhost."""
        self.begin("unix:/run/app.sock")
        self.assertEqual(self.server.events[0][2].authority, b"localhost")

    def test_cannotBeAsked(self) -> None:
        """A bad address or authority is said when the probe is made."""
        cases: tuple[tuple[str, dict[str, Any]], ...] = (
            ("nowhere", {}),
            (ADDRESS, {"authority": "a b"}),
            (ADDRESS, {"authority": "\u00fc"}),
        )
        for address, config in cases:
            with self.assertRaises(ValueError):
                self.begin(address, **config)


class AnswerTests(GrpcTestCase):
    """What the answer comes to."""

    def test_serving(self) -> None:
        """SERVING with status 0 is well, and the connection is closed in peace."""
        self.assertTrue(self.answer(SERVING, {b"grpc-status": b"0"}))
        self.assertEqual((self.connection.closing, self.connection.aborted), (True, False))

    def test_pieces(self) -> None:
        """It may come in pieces."""
        check = self.begin()
        octets = self.server.octets(
            Http2ResponseHead(200, Headers()), SERVING, {b"grpc-status": b"0"}
        )
        for octet in octets:
            self.connection.deliver(bytes([octet]))
        self.assertIs(self.successResultOf(check), True)

    def test_bad(self) -> None:
        """Whatever else comes is a bad answer."""
        zero = {b"grpc-status": b"0"}
        for body, trailers, status in (
            (NOT_SERVING, zero, 200),
            (frame(b""), zero, 200),  # UNKNOWN
            (frame(b"\x08\x03"), zero, 200),  # SERVICE_UNKNOWN
            (SERVING, {b"grpc-status": b"14"}, 200),
            (SERVING, {b"other": b"0"}, 200),
            (SERVING, None, 200),  # the end of the body without a status
            (b"", zero, 200),
            (b"", {b"grpc-status": b"12"}, 200),  # UNIMPLEMENTED
            (SERVING, zero, 503),
        ):
            self.assertFalse(self.answer(body, trailers, status), (body, trailers, status))

    def test_trailersOnly(self) -> None:
        """An answer that is a status only has no message."""
        check = self.begin()
        head = Http2ResponseHead(200, Headers([(b"grpc-status", b"5")]))
        self.server.respond(head)
        self.assertIs(self.successResultOf(check), False)

    def test_endless(self) -> None:
        """A message without an end is not collected for ever."""
        check = self.begin()
        self.server.begin(Http2ResponseHead(200, Headers()))
        self.server.data(b"\0\0\1\0\0" + bytes(MAX_ANSWER - 5))
        self.assertNoResult(check)
        self.server.data(b"\0")
        self.assertIs(self.successResultOf(check), False)
        self.assertTrue(self.connection.aborted)

    def test_reset(self) -> None:
        """A stream that is reset is a bad answer."""
        check = self.begin()
        self.server.reset()
        self.assertIs(self.successResultOf(check), False)

    def test_notHttp2(self) -> None:
        """So is a server that speaks HTTP/1."""
        check = self.begin()
        self.connection.deliver(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        self.assertIs(self.successResultOf(check), False)

    def test_refused(self) -> None:
        """So is a refused connect."""
        self.connector = FakeConnector()
        protocol = probes().protocols("Http2")
        check = GrpcProbe(GrpcCheck(), ADDRESS, 1.0, self.connector, protocol).check(FakeHost())
        self.connector.attempts[0].fail(ConnectFailed(ADDRESS, "refused"))
        self.assertIs(self.successResultOf(check), False)


class AnswerOfH2Tests(AnswerTests):
    """The same where the engine is h2."""

    engine = "h2"
