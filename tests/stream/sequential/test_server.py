"""Tests of `mosntx.stream.sequential.server`: requests in their order."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.codec import HEAD, PING_PONG, RESET, IProtocol
from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    LOCAL_RESET,
    REMOTE_RESET,
    IExchangeFactory,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.stream.sequential.server import MAX_BACKLOG, SequentialServer
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ServerStreamsSuite
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.sequential.build import GET, ServerTestCase, head, post

EXPECT = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"


class SequentialServerSuiteTests(ServerStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    def server(self, connection: IConnection, factory: IExchangeFactory) -> Any:
        """See `ServerStreamsSuite`."""
        return SequentialServer(connection, Http1Protocol(), factory, self.wheel)

    def request(self) -> bytes:
        """See `ServerStreamsSuite`."""
        return GET

    def responseHead(self) -> Any:
        """See `ServerStreamsSuite`."""
        return head()


class SequentialServerReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: Any) -> Any:
        """See `ReceiverSuite`."""
        return SequentialServer(connection, Http1Protocol(), RecordingFactory(), self.wheel)


class AnsweringFactory(RecordingFactory):
    """Makes sinks that answer at once.

    :ivar after: which part is answered.
    """

    after = "requestHead"

    def newExchange(self, streams: Any, number: int) -> RecordingRequestSink:
        """See `IExchangeFactory.newExchange`."""

        class Answering(RecordingRequestSink):
            def requestHead(self, request: Any, end: bool) -> None:
                super().requestHead(request, end)
                streams.sendHead(number, head(), True)

        sink = Answering(streams, number)
        self.sinks.append(sink)
        return sink


class PipeliningTests(ServerTestCase):
    """Several requests at once."""

    def test_oneAfterTheOther(self) -> None:
        """The next request is looked at when the one before is answered."""
        self.connection.deliver(GET + GET + GET)
        for turn in range(1, 4):
            self.assertEqual(len(self.factory.sinks), turn)
            self.assertTrue(self.answer())

    def test_byteByByte(self) -> None:
        """However they are cut."""
        for octet in GET + post(3, b"abc") + GET:
            self.connection.deliver(bytes((octet,)))
        for _ in range(3):
            self.answer()
        self.assertEqual([sink.body for sink in self.factory.sinks], [b"", b"abc", b""])

    def test_backlog(self) -> None:
        """A client that sends on and on is not read any more, and again when it is served."""
        many = MAX_BACKLOG // len(GET) + 3
        self.connection.deliver(GET * many)
        self.assertFalse(self.connection.reading)
        for _ in range(4):
            self.answer()
        self.assertTrue(self.connection.reading)
        for _ in range(many - 4):
            self.answer()
        self.assertEqual(len(self.factory.sinks), many)

    def test_backlogBehindAPausedBody(self) -> None:
        """A body that was paused does not make us read more than that."""
        self.request(post(3))
        self.server.pauseStream(self.sink.number)
        self.server.pauseStream(self.sink.number)
        self.assertFalse(self.connection.reading)
        many = MAX_BACKLOG // len(GET) + 9
        self.connection.deliver(b"abc" + GET * many)
        self.answer()
        self.assertFalse(self.connection.reading)
        while len(self.factory.sinks) < many:
            self.answer()
        self.assertTrue(self.connection.reading)

    def test_resumedWhileHeldBack(self) -> None:
        """An exchange that wants its body again does not undo the limit of the backlog."""
        self.request(post(3))
        self.server.pauseStream(self.sink.number)
        self.connection.deliver(b"abc" + GET * (MAX_BACKLOG // len(GET) + 9))
        self.server.resumeStream(self.sink.number)
        self.assertFalse(self.connection.reading)

    def test_slowReader(self) -> None:
        """While the client has not read one response, the next request waits."""
        self.connection.deliver(GET + GET)
        self.connection.block()
        self.answer()
        self.assertEqual(len(self.factory.sinks), 1)
        self.connection.unblock()
        self.assertEqual(len(self.factory.sinks), 2)
        self.answer()

    def test_slowReaderLeaves(self) -> None:
        """A FIN behind complete responses lets them be read."""
        self.connection.deliver(GET)
        self.connection.block()
        self.answer()
        self.connection.peerFinished()
        self.assertTrue(self.connection.closing)
        self.assertFalse(self.connection.aborted)

    def test_lastRequestOfTheConnection(self) -> None:
        """Nothing is looked at after ``Connection: close``."""
        self.connection.deliver(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + GET)
        self.assertIn(b"Connection: close", self.answer())
        self.assertTrue(self.connection.closing)
        self.assertEqual(len(self.factory.sinks), 1)
        self.server.bytesReceived(GET)
        self.assertEqual(len(self.factory.sinks), 1)


class AnsweredAtOnceTests(ServerTestCase):
    """Exchanges that end within the call that begins them."""

    factoryClass = AnsweringFactory

    def test_pipelined(self) -> None:
        """A thousand requests in one read need no stack."""
        self.connection.deliver(GET * 1000)
        self.assertEqual(len(self.factory.sinks), 1000)
        self.assertEqual(self.connection.written.count(b"HTTP/1.1 204"), 1000)

    def test_beforeTheBody(self) -> None:
        """A request that is refused before its body: the client is told and lingered for."""
        self.connection.deliver(post(1000, b"abc"))
        self.assertIn(b"Connection: close", self.connection.written)
        self.assertTrue(self.connection.lingering)

    def test_bodyInTheSameRead(self) -> None:
        """When the body is there already, the connection goes on."""
        self.connection.deliver(post(3, b"abc") + GET)
        self.assertEqual(len(self.factory.sinks), 2)
        self.assertFalse(self.connection.closing)

    def test_expectContinueRefused(self) -> None:
        """Who is refused is not asked to go on."""
        self.connection.deliver(EXPECT)
        self.assertNotIn(b"100 Continue", self.connection.written)


class ResponseTests(ServerTestCase):
    """What is written."""

    def test_parts(self) -> None:
        """Head, data, trailers; the head may wait for the first data."""
        number = self.request().number
        self.server.sendHead(number, head(200), False)
        self.server.sendData(number, b"abc", False)
        self.assertTrue(self.connection.clear().endswith(b"\r\n\r\n3\r\nabc\r\n"))
        self.server.sendData(number, b"", False)
        self.server.sendTrailers(number, Headers([(b"X-T", b"1")]))
        self.assertEqual(self.connection.clear(), b"0\r\nX-T: 1\r\n\r\n")
        self.assertEqual(self.server.active, 0)

    def test_flush(self) -> None:
        """The head does not wait for ever."""
        number = self.request().number
        self.server.sendHead(number, head(200), False)
        self.server.flush(number)
        self.server.flush(number)
        self.assertEqual(self.connection.clear().count(b"HTTP/1.1 200"), 1)
        self.server.sendData(number, b"", True)

    def test_headAndTrailers(self) -> None:
        """Trailers may follow the head."""
        number = self.request().number
        self.server.sendHead(number, head(200), False)
        self.server.sendTrailers(number, Headers([(b"X-T", b"1")]))
        self.assertTrue(self.connection.clear().endswith(b"\r\n\r\n0\r\nX-T: 1\r\n\r\n"))

    def test_informational(self) -> None:
        """Interim responses before the final one; not for HTTP/1.0."""
        number = self.request().number
        self.server.sendInformational(number, head(103))
        self.assertTrue(self.connection.clear().startswith(b"HTTP/1.1 103"))
        self.answer()
        self.server.sendInformational(number, head(103))
        number = self.request(b"GET / HTTP/1.0\r\n\r\n").number
        self.server.sendInformational(number, head(103))
        self.assertEqual(self.connection.clear(), b"")

    def test_cannotBeSaid(self) -> None:
        """A head that HTTP/1 cannot carry becomes a 502; what belongs to it is dropped."""
        number = self.request().number
        two = ((b"Content-Length", b"1"), (b"Content-Length", b"2"))
        self.server.sendHead(number, head(200, *two), False)
        self.server.sendData(number, b"x", True)
        octets = self.connection.clear()
        self.assertTrue(octets.startswith(b"HTTP/1.1 502 "))
        self.assertEqual(octets.count(b"HTTP/1.1"), 1)

    def test_reset(self) -> None:
        """A response that is broken off: the client sees what there was of it, and an end."""
        number = self.request().number
        self.server.sendHead(number, head(200), False)
        self.server.reset(number, LOCAL_RESET)
        self.assertTrue(self.connection.written.startswith(b"HTTP/1.1 200"))
        self.assertTrue(self.connection.aborted)

    def test_expectContinue(self) -> None:
        """A client that waits is told to go on."""
        self.request(EXPECT)
        self.assertEqual(self.connection.clear(), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.connection.deliver(b"abc")
        self.assertEqual(self.sink.body, b"abc")
        self.answer()

    def test_bodyPauses(self) -> None:
        """An exchange may pause its client, as long as its request is coming."""
        number = self.request(post(6, b"abc")).number
        self.server.pauseStream(number)
        self.assertFalse(self.connection.reading)
        self.server.resumeStream(number)
        self.assertTrue(self.connection.reading)
        self.connection.deliver(b"def")
        self.server.pauseStream(number)
        self.assertTrue(self.connection.reading)

    def test_pausedBodyOfAnEarlyAnswer(self) -> None:
        """A client that was paused is read again after its answer, or it could not notice."""
        number = self.request(post(3)).number
        self.server.pauseStream(number)
        self.connection.deliver(b"abc")
        self.answer()
        self.assertTrue(self.connection.reading)

    def test_earlyAnswer(self) -> None:
        """An answer while the request is coming ends the connection, lingering."""
        self.request(post(1000, b"abc"))
        self.answer()
        self.assertTrue(self.connection.lingering)
        self.server.bytesReceived(b"more")
        self.assertEqual(self.sink.body, b"abc")


@implementer(IProtocol)
class ScriptedProtocol:
    """A protocol whose server codec says what a test wants."""

    name = "scripted"
    alpn = b""
    poolMode = PING_PONG

    waitLimit = 0.0
    backlog = 0
    closing = False

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.resetOctets: bytes | None = b"reset"

    def detect(self, prefix: bytes) -> int:
        """See `IProtocol`."""
        return 0

    def serverCodec(self) -> Any:
        """See `IProtocol`: the codec is the protocol itself."""
        return self

    def clientCodec(self) -> Any:
        """See `IProtocol`."""
        return self

    def interimHead(self, status: int) -> Any:
        """See `IProtocol`."""
        return None

    def localReply(self, request: Any, status: int, text: bytes) -> Any:
        """See `IProtocol`."""
        return None

    def receive(self, data: bytes) -> list[Any]:
        """See `ICodec`."""
        events, self.events = self.events, []
        return events

    def next(self) -> list[Any]:
        """See `IServerCodec`."""
        return []

    def responseReset(self, number: int, reason: int) -> bytes | None:
        """See `IServerCodec`."""
        return self.resetOctets


class OtherProtocolTests(SynchronousTestCase):
    """What sequential protocols other than HTTP/1 may do."""

    def test_resets(self) -> None:
        """A stream may be given up in words, by either side."""
        clock = Clock()
        wheel = TimerWheel(clock, clock.seconds)
        protocol, factory, connection = ScriptedProtocol(), RecordingFactory(), FakeConnection()
        server = SequentialServer(connection, protocol, factory, wheel)
        connection.handOver(server, b"")
        protocol.events = [(HEAD, 1, httpRequest(), False)]
        connection.deliver(b"x")
        protocol.events = [(RESET, 1, REMOTE_RESET, True)]
        connection.deliver(b"x")
        self.assertEqual(factory.sinks[0].parts[-1][:2], ("reset", REMOTE_RESET))
        protocol.events = [(HEAD, 2, httpRequest(), True)]
        connection.deliver(b"x")
        server.reset(2, LOCAL_RESET)
        self.assertEqual((connection.written, connection.aborted), (b"reset", False))
        self.assertEqual(server.active, 0)
