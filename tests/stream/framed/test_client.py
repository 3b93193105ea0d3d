"""Tests of `mosntx.stream.framed.client`: framed streams to one upstream."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, HEAD, RESET
from mosntx.contracts.net import IDLE, IConnection
from mosntx.contracts.stream import (
    CONNECTION_TERMINATION,
    LOCAL_RESET,
    PROTOCOL_ERROR,
    REFUSED,
    REUSE_RACE,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.stream.framed.base import HIGH_WATER
from mosntx.stream.framed.client import FramedClient
from mosntx.stream.framed.turn import WriteTurn
from mosntx.stream.keepalive import Keepalive
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ClientStreamsSuite
from mosntx.testing.net import FakeConnection
from mosntx.testing.sinks import RecordingOwner, RecordingResponseSink
from tests.stream.framed.fakes import OurMistakeError, Peer, requestHead, responseHead


def client(wheel: TimerWheel, owner: Any, **keys: Any) -> FramedClient:
    """Return a client."""
    codec: Any = Http2Protocol().clientCodec()
    return FramedClient(codec, owner, wheel, WriteTurn(), Keepalive(wheel), **keys)


class FramedClientSuiteTests(ClientStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    def connected(self) -> tuple[FakeConnection, Any]:
        """See `ClientStreamsSuite`: the first SETTINGS have come."""
        connection, made = FakeConnection(), client(self.wheel, self.owner)
        self.peer = Peer.server(connection)
        connection.handOver(made, b"")
        self.peer.settle()
        self.owner.log.clear()
        return connection, made

    def requestHead(self) -> Any:
        """See `ClientStreamsSuite`."""
        return requestHead()

    def response(self, number: int) -> bytes:
        """See `ClientStreamsSuite`."""
        self.peer.read()
        self.peer.codec.responseHead(number, responseHead(), True)
        octets: bytes = self.peer.codec.bytesToSend()
        return octets or b"\0\0\0\4\1\0\0\0\0"


class FramedClientReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: IConnection) -> Any:
        """See `ReceiverSuite`."""
        return client(self.wheel, RecordingOwner())


class BreakingSink(RecordingResponseSink):
    """Fails at heads."""

    def responseHead(self, head: Any, end: bool) -> None:
        """Fail."""
        raise OurMistakeError


class PushSink(RecordingResponseSink):
    """Takes pushes."""

    def responsePush(self, number: int, head: Any) -> RecordingResponseSink:
        """See `IResponseSink`."""
        self.pushed = RecordingResponseSink()
        return self.pushed


class ClientTests(SynchronousTestCase):
    """A connection and its upstream."""

    def setUp(self) -> None:
        """Make both ends."""
        self.begin()

    def begin(self, **keys: Any) -> None:
        """Make both ends."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.owner = RecordingOwner()
        self.connection = FakeConnection()
        self.client = client(self.wheel, self.owner, **keys)
        self.peer = Peer.server(self.connection)
        self.connection.handOver(self.client, b"")
        self.peer.settle()
        self.owner.log.clear()

    def open(self, end: bool = True, sink: Any = None) -> tuple[Any, int]:
        """Send a request."""
        sink = sink or RecordingResponseSink()
        number = self.client.open(sink, requestHead(), end)
        self.peer.settle()
        return sink, number

    def answer(self, number: int, body: bytes = b"", end: bool = True) -> None:
        """Answer a request."""
        self.peer.codec.responseHead(number, responseHead(), end and not body)
        if body:
            self.peer.codec.responseData(number, body, end)
        self.peer.settle()

    def reasons(self, sink: Any) -> list[int]:
        """Return the reasons of resets."""
        return [part for what, part, _ in sink.parts if what == "reset"]

    def test_parts(self) -> None:
        """Request and response in parts, of two streams at a time."""
        (first, one), (second, two) = self.open(False), self.open()
        self.client.sendData(one, b"body", False)
        self.client.sendTrailers(one, Headers([(b"x", b"y")]))
        self.answer(two, b"second")
        self.answer(one, b"first")
        self.assertEqual((first.body, second.body), (b"first", b"second"))
        sent = [part for kind, each, part, _ in self.peer.events if (kind, each) == (DATA, one)]
        self.assertEqual(b"".join(sent), b"body")
        self.assertEqual(self.client.active, 0)

    def test_flush(self) -> None:
        """A head without data in its read is not held back."""
        flushed: list[int] = []
        sink, number = self.open()
        sink.responseFlush = lambda: flushed.append(number)
        self.answer(number, b"x", False)
        self.assertEqual(flushed, [])
        sink, number = self.open()
        sink.responseFlush = lambda: flushed.append(number)
        self.answer(number, b"", False)
        self.assertEqual(flushed, [number])

    def test_earlyResponse(self) -> None:
        """What is left of the request is given up."""
        sink, number = self.open(False)
        self.answer(number, b"no")
        self.assertTrue(sink.parts[-1][2])
        self.client.sendData(number, b"x", True)
        self.peer.settle()
        self.assertEqual([k for k in self.peer.kinds(number) if k == DATA], [])
        self.assertEqual(self.client.active, 0)

    def test_slowUpstream(self) -> None:
        """A stream whose window is used up pauses its own exchange only."""
        (sink, number), (other, _) = self.open(False), self.open(False)
        self.peer.codec.pauseData(number)
        for _ in range(300):
            self.client.sendData(number, b"x" * HIGH_WATER, False)
            self.peer.settle()
            if sink.paused:
                break
        self.assertEqual((sink.paused, other.paused), (True, False))
        self.peer.codec.resumeData(number)
        self.peer.settle()
        self.assertFalse(sink.paused)

    def test_refused(self) -> None:
        """Streams that the upstream has not looked at may be sent again; the others go on."""
        looked, one = self.open()
        self.peer.codec.goAway()
        unlooked = RecordingResponseSink()
        self.client.open(unlooked, requestHead(), True)
        self.connection.clear()  # the upstream does not get it
        self.peer.say()
        self.assertEqual(self.reasons(unlooked), [REFUSED])
        self.assertEqual((self.client.capacity, self.owner.log[0]), (0, "goneAway"))
        self.connection.clear()
        self.answer(one)
        self.assertEqual(looked.parts[-1][0], "head")
        self.assertTrue(self.connection.closing)

    def test_openTooLate(self) -> None:
        """A connection that has left opens nothing."""
        self.open()
        self.client.drain()
        sink, number = self.open()
        self.assertEqual((self.reasons(sink), number), ([REFUSED], 0))

    def test_maxStreams(self) -> None:
        """After so many the connection leaves, and ends with the last."""
        self.begin(maxStreams=2)
        (_, one), (_, two) = self.open(), self.open()
        self.assertEqual((self.client.capacity, self.owner.log[-1]), (0, "goneAway"))
        self.answer(one)
        self.assertFalse(self.connection.closing)
        self.answer(two)
        self.assertTrue(self.connection.closing)

    def test_race(self) -> None:
        """A connection that had served dies before anything was heard again."""
        sink, number = self.open()
        self.answer(number)
        sink = RecordingResponseSink()
        self.client.open(sink, requestHead(), True)
        self.connection.lose()
        self.assertEqual(self.reasons(sink), [REUSE_RACE])
        self.assertIn("stale", self.owner.log)

    def test_noRace(self) -> None:
        """A connection that had not served, or was heard of, is lost in earnest."""
        sink, _ = self.open()
        self.connection.lose()
        self.assertEqual(self.reasons(sink), [CONNECTION_TERMINATION])

    def test_ourMistake(self) -> None:
        """It is the end of one stream only."""
        broken, one = self.open(sink=BreakingSink())
        other, two = self.open()
        self.answer(one, b"x")
        self.answer(two, b"y")
        self.assertEqual(self.reasons(broken), [LOCAL_RESET])
        self.assertEqual(other.body, b"y")
        self.assertEqual(len(self.flushLoggedErrors(OurMistakeError)), 1)

    def test_brokenProtocol(self) -> None:
        """All hear of it, the owner too, and the connection ends."""
        sink, _ = self.open()
        self.connection.deliver(b"\xff" * 100)
        self.assertEqual(self.reasons(sink), [PROTOCOL_ERROR])
        self.assertTrue(self.connection.closing)
        self.assertIn("protocolError", self.owner.log)

    def test_push(self) -> None:
        """A push is taken by who wants it, and refused otherwise."""
        for make, wanted in ((PushSink, True), (RecordingResponseSink, False)):
            sink: Any = make()
            _, number = self.open(sink=sink)
            promised = self.peer.codec.push(number, requestHead(b"/style"))
            self.peer.settle()
            if wanted:
                self.answer(promised, b"pushed")
                self.assertEqual(sink.pushed.body, b"pushed")
            self.answer(number)
            self.assertEqual(RESET in self.peer.kinds(promised), not wanted)

    def test_idle(self) -> None:
        """A connection that is closed as idle is of no use."""
        self.client.connectionEvent(self.connection, IDLE)
        self.assertFalse(self.client.reusable)

    def test_heartbeatWithStreams(self) -> None:
        """An answer to a PING is heard though a stream with the same number is open."""
        self.assertEqual(self.open()[1], 1)
        answers: list[int | None] = []
        for _ in range(3):
            self.client.heartbeat(answers.append)
            self.peer.settle()
        self.assertEqual(answers, [0, 0, 0])

    def test_heartbeat(self) -> None:
        """The upstream answers."""
        answers: list[int | None] = []
        self.client.heartbeat(answers.append)
        self.peer.settle()
        self.assertEqual(answers, [0])

    def test_giveUp(self) -> None:
        """The connection is aborted and the owner knows."""
        self.client.giveUp()
        self.assertTrue(self.connection.aborted)
        self.assertEqual(self.owner.log, ["goneAway"])

    def test_checkin(self) -> None:
        """The owner learns of room after each read and each reset."""
        _, number = self.open()
        self.owner.log.clear()
        self.client.reset(number, LOCAL_RESET)
        self.assertEqual(self.owner.log, ["checkin"])
        self.peer.settle()
        self.assertIn(HEAD, self.peer.kinds(number))
