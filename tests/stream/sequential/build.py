"""A test with one accepted connection."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stream.sequential.server import SequentialServer
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


def head(status: int = 204, *pairs: tuple[bytes, bytes]) -> ResponseHead:
    """Return the head of a response."""
    return ResponseHead(status, Headers(pairs))


def post(length: int, body: bytes = b"") -> bytes:
    """Return a POST, or its beginning."""
    return b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%b" % (length, body)


class ServerTestCase(SynchronousTestCase):
    """A test with one connection."""

    factoryClass: type[RecordingFactory] = RecordingFactory

    def setUp(self) -> None:
        """Connect."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.factory = self.factoryClass()
        self.connection = FakeConnection()
        self.server = SequentialServer(self.connection, Http1Protocol(), self.factory, self.wheel)
        self.connection.handOver(self.server, b"")

    def tearDown(self) -> None:
        """Hang up; no timer may be left."""
        self.connection.lose()
        self.assertEqual(self.wheel.active, 0)

    def request(self, octets: bytes = GET) -> RecordingRequestSink:
        """Let a request come."""
        self.connection.deliver(octets)
        return self.sink

    @property
    def sink(self) -> RecordingRequestSink:
        """Of the last request."""
        return self.factory.sinks[-1]

    def answer(self, response: ResponseHead | None = None) -> bytes:
        """Answer the last request; return what is written."""
        self.server.sendHead(self.sink.number, response or head(), True)
        return self.connection.clear()
