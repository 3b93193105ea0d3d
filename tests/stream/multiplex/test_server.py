"""Tests of `mosntx.stream.multiplex.server`: many requests of one client at a time."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    LOCAL_RESET,
    PROTOCOL_ERROR,
    IExchangeFactory,
    IHeartbeatAnswer,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.stream.multiplex.server import ServerConnection
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ServerStreamsSuite
from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltHeartbeatAck,
    boltRequest,
    boltResponse,
)
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingFactory, RecordingRequestSink
from tests.stream.multiplex.fakes import (
    OurMistakeError,
    frames,
    ids,
    responseHead,
    status,
)


class ServerConnectionSuiteTests(ServerStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    def server(self, connection: IConnection, factory: IExchangeFactory) -> Any:
        """See `ServerStreamsSuite`."""
        return ServerConnection(connection, BoltProtocol(), factory, self.wheel)

    def request(self) -> bytes:
        """See `ServerStreamsSuite`."""
        return boltRequest(5)

    def responseHead(self) -> Any:
        """See `ServerStreamsSuite`."""
        return responseHead()


class ServerConnectionReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: Any) -> Any:
        """See `ReceiverSuite`."""
        return ServerConnection(connection, BoltProtocol(), RecordingFactory(), self.wheel)


@implementer(IHeartbeatAnswer)
class Asked:
    """Keeps the heartbeats; ``fail`` = raises instead."""

    fail = False

    def __init__(self) -> None:
        self.frames: list[Any] = []

    def heartbeat(self, streams: Any, frame: Any) -> None:
        """See `IHeartbeatAnswer`."""
        if self.fail:
            raise OurMistakeError
        self.frames.append(frame)


class ServerTestCase(SynchronousTestCase):
    """A test with one accepted connection."""

    def begin(
        self,
        factory: RecordingFactory | None = None,
        heartbeats: Any = None,
        goAway: bool = False,
        limits: BoltLimits | None = None,
    ) -> None:
        """Make the connection."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.factory = factory or RecordingFactory()
        self.connection = FakeConnection()
        self.server = ServerConnection(
            self.connection,
            BoltProtocol(limits=limits),
            self.factory,
            self.wheel,
            heartbeats,
            goAway,
        )
        self.connection.handOver(self.server, b"")

    def sink(self, place: int = -1) -> RecordingRequestSink:
        """Return one of the sinks made so far."""
        return self.factory.sinks[place]

    def answer(self, sink: RecordingRequestSink, content: bytes = b"") -> None:
        """Answer a request."""
        self.server.sendHead(sink.number, responseHead(content), True)


class RequestTests(ServerTestCase):
    """Requests and answers."""

    def test_anyOrder(self) -> None:
        """Answers go out when they come, each with the id of its request."""
        self.begin()
        self.connection.deliver(b"".join(boltRequest(number) for number in (9, 4, 7)))
        self.assertEqual(self.server.active, 3)
        for place in (2, 0, 1):
            self.answer(self.sink(place), b"%d" % place)
        self.assertEqual(
            frames(self.connection.written),
            [boltResponse(7, b"2"), boltResponse(9, b"0"), boltResponse(4, b"1")],
        )
        self.assertEqual(self.server.active, 0)

    def test_sameIdTwice(self) -> None:
        """A client that uses an id twice at a time gets both answers."""
        self.begin()
        self.connection.deliver(boltRequest(9) + boltRequest(9))
        self.answer(self.sink(0), b"a")
        self.answer(self.sink(1), b"b")
        self.assertEqual(ids(self.connection.written), [9, 9])

    def test_oneway(self) -> None:
        """A one-way request has a sink, but no stream: nothing that is said to it goes out."""
        self.begin()
        self.connection.deliver(boltRequest(9, oneway=True))
        self.assertEqual([what for what, *_ in self.sink().parts], ["message"])
        self.assertEqual(self.server.active, 0)
        self.answer(self.sink())
        self.server.reset(self.sink().number, LOCAL_RESET)
        self.assertEqual(self.connection.written, b"")
        self.connection.lose()
        self.assertEqual(len(self.sink().parts), 1)

    def test_inParts(self) -> None:
        """A response in parts, as HTTP has them, goes out as one frame."""
        self.begin()
        self.connection.deliver(boltRequest(9))
        number = self.sink().number
        self.server.sendInformational(number, ResponseHead(103, Headers([])))
        self.server.sendHead(number, ResponseHead(200, Headers([])), False)
        self.server.sendData(number, b"ab", False)
        self.server.sendData(number, b"cd", False)
        self.assertEqual((self.connection.written, self.server.active), (b"", 1))
        self.server.sendTrailers(number, Headers([]))
        (frame,) = frames(self.connection.written)
        self.assertEqual((ids(frame), frame[-4:], self.server.active), ([9], b"abcd", 0))

    def test_unsayable(self) -> None:
        """A response that does not fit into a frame becomes one that says so."""
        for step in ("head", "data", "trailers"):
            self.begin(limits=BoltLimits(max_content=3))
            self.connection.deliver(boltRequest(9))
            number = self.sink().number
            fields = [(b"a", b"x" * 70000)] if step != "data" else []
            head = ResponseHead(200, Headers(fields))
            self.server.sendHead(number, head, step == "head")
            if step == "data":
                self.server.sendData(number, b"abcd", True)
            elif step == "trailers":
                self.server.sendTrailers(number, Headers([]))
            (frame,) = frames(self.connection.written)
            self.assertEqual((ids(frame), status(frame)), ([9], 6), step)
            self.assertEqual((self.server.active, self.connection.closing), (0, False))

    def test_brokenMap(self) -> None:
        """What the codec answers by itself goes out, and the requests around it are served."""
        self.begin()
        broken = boltRequest(2, headers=[(b"a", b"b")])[:-1]
        broken = broken[:16] + (9).to_bytes(2, "big") + broken[18:]
        self.connection.deliver(boltRequest(1) + broken + boltRequest(3))
        (frame,) = frames(self.connection.written)
        self.assertEqual((ids(frame), status(frame)), ([2], 18))
        self.assertEqual(len(self.factory.sinks), 2)

    def test_protocolError(self) -> None:
        """What cannot be understood ends the connection and all that is open on it, once."""
        self.begin()
        self.connection.deliver(boltRequest(1) + b"\x01\x09" + b"\0" * 30 + boltRequest(2))
        self.assertEqual(len(self.factory.errors), 1)
        self.assertEqual(self.sink().parts[1:], [("reset", PROTOCOL_ERROR, True)])
        self.assertTrue(self.connection.closing)
        self.connection.lose()
        self.assertEqual((len(self.sink().parts), self.server.active), (2, 0))
        self.assertEqual(len(self.factory.sinks), 1)

    def test_giantLength(self) -> None:
        """A frame that says to be giant is not waited for."""
        self.begin()
        self.connection.deliver(boltRequest(1, lengths=(0, 0, 0x7FFFFFFF))[:22])
        self.assertIn("2147483647", str(self.factory.errors[0]))
        self.assertTrue(self.connection.closing)

    def test_goAwayOfClient(self) -> None:
        """A client that will send no more requests needs no answer."""
        self.begin()
        self.connection.deliver(boltGoAway() + boltRequest(1))
        self.assertEqual((self.connection.written, len(self.factory.sinks)), (b"", 1))


class HeartbeatTests(ServerTestCase):
    """Heartbeats of clients."""

    def test_answered(self) -> None:
        """Without anybody who decides, all is well; no exchange is made."""
        self.begin()
        self.connection.deliver(boltHeartbeat(5))
        self.assertEqual(self.connection.written, boltHeartbeatAck(5))
        self.assertEqual((self.factory.sinks, self.server.active), ([], 0))

    def test_decided(self) -> None:
        """Who decides may take time; other requests go on meanwhile."""
        asked = Asked()
        self.begin(heartbeats=asked)
        self.connection.deliver(boltHeartbeat(5) + boltRequest(6))
        self.answer(self.sink())
        self.server.answerHeartbeat(asked.frames[0], 1)
        self.assertEqual(ids(self.connection.written), [6, 5])
        self.assertEqual(status(frames(self.connection.written)[1]), 1)

    def test_tooLate(self) -> None:
        """Nothing is written for a client that has gone."""
        asked = Asked()
        self.begin(heartbeats=asked)
        self.connection.deliver(boltHeartbeat(5))
        self.connection.lose()
        self.server.answerHeartbeat(asked.frames[0], 0)
        self.assertEqual(self.connection.written, b"")
