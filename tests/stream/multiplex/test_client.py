"""Tests of `mosntx.stream.multiplex.client`: many streams to one upstream at a time."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.net import IConnection
from mosntx.contracts.stream import (
    GLOBAL_TIMEOUT,
    LOCAL_RESET,
    IFrameConnectionOwner,
)
from mosntx.net.timers import TimerWheel
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.headers import Headers
from mosntx.stream.keepalive import Keepalive
from mosntx.stream.multiplex.client import ClientConnection
from mosntx.testing.contracts.network import ReceiverSuite
from mosntx.testing.contracts.streams import ClientStreamsSuite
from mosntx.testing.frames import (
    boltHeartbeat,
    boltHeartbeatAck,
    boltResponse,
)
from mosntx.testing.net import FakeConnection
from mosntx.testing.requests import httpRequest
from mosntx.testing.sinks import RecordingOwner, RecordingResponseSink
from tests.stream.multiplex.fakes import (
    frames,
    ids,
    requestHead,
)

#: The largest id.
LAST_ID = 0xFFFFFFFF


class ClientConnectionSuiteTests(ClientStreamsSuite, SynchronousTestCase):
    """The contract of streams."""

    checksIn = False

    def client(self, owner: Any) -> Any:
        """See `ClientStreamsSuite`."""
        verifyObject(IFrameConnectionOwner, owner)
        return ClientConnection(BoltProtocol().clientCodec(), owner, Keepalive(self.wheel))

    def requestHead(self) -> Any:
        """See `ClientStreamsSuite`."""
        return requestHead()

    def response(self, number: int) -> bytes:
        """See `ClientStreamsSuite`."""
        return boltResponse(number)


class ClientConnectionReceiverTests(ReceiverSuite, SynchronousTestCase):
    """The contract of receivers."""

    def receiver(self, connection: IConnection) -> Any:
        """See `ReceiverSuite`."""
        codec = BoltProtocol().clientCodec()
        return ClientConnection(codec, RecordingOwner(), Keepalive(self.wheel))


class ClientTestCase(SynchronousTestCase):
    """A test with one opened connection."""

    def begin(self, limits: BoltLimits | None = None) -> None:
        """Make the connection."""
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, self.clock.seconds)
        self.owner = RecordingOwner()
        self.connection = FakeConnection()
        self.codec = BoltProtocol(limits=limits).clientCodec()
        self.client = ClientConnection(self.codec, self.owner, Keepalive(self.wheel))
        self.connection.handOver(self.client, b"")
        self.acks: list[int | None] = []

    def open(
        self, sink: RecordingResponseSink | None = None, *, oneway: bool = False
    ) -> tuple[RecordingResponseSink, int]:
        """Send a request; return its sink and number."""
        sink = sink or RecordingResponseSink()
        return sink, self.client.open(sink, requestHead(oneway=oneway), True)

    def parts(self, sink: RecordingResponseSink) -> list[Any]:
        """Return what a sink was told: kinds, contents of messages, reasons of resets."""
        return [part.content if what == "message" else (what, part) for what, part, _ in sink.parts]


class StreamTests(ClientTestCase):
    """Requests and answers."""

    def test_anyOrder(self) -> None:
        """Answers may come in any order and in any cut."""
        self.begin()
        opened = [self.open() for _ in range(3)]
        octets = b"".join(boltResponse(opened[at][1], b"%d" % at) for at in (2, 0, 1))
        for place in range(0, len(octets), 7):
            self.connection.deliver(octets[place : place + 7])
        self.assertEqual([self.parts(sink) for sink, _ in opened], [[b"0"], [b"1"], [b"2"]])
        self.assertEqual((self.client.active, self.owner.log), (0, []))

    def test_surplusAnswers(self) -> None:
        """Answers to nothing are dropped and told: unknown, twice, too late, to a one-way."""
        self.begin()
        sink, number = self.open()
        _, oneway = self.open(oneway=True)
        given_, stale = self.open()
        self.client.reset(stale, GLOBAL_TIMEOUT)
        answers = (number, 4711, number, oneway, stale)
        self.connection.deliver(b"".join(boltResponse(one, b"x") for one in answers))
        self.assertEqual((self.parts(sink), self.parts(given_)), ([b"x"], []))
        self.assertEqual((self.owner.log, self.client.late), (["lateAnswer"] * 4, 4))
        self.assertFalse(self.connection.closing)

    def test_oneway(self) -> None:
        """A one-way request is written, and no stream is open for it."""
        self.begin()
        sink, number = self.open(oneway=True)
        self.assertEqual(ids(self.connection.written), [number])
        self.assertEqual(self.client.active, 0)
        self.connection.lose()
        self.assertEqual(sink.parts, [])

    def test_idsWrap(self) -> None:
        """Ids wrap around, and leave out those in flight, of heartbeats too."""
        self.begin()
        _, first = self.open()
        beat = self.client.heartbeat(self.acks.append)
        _, third = self.open()
        self.assertEqual((first, beat, third), (1, 2, 3))
        self.codec.nextId = LAST_ID
        numbers = [self.open()[1], self.open()[1]]
        self.assertEqual(numbers, [LAST_ID, 4])
        self.connection.deliver(boltResponse(third))
        self.codec.nextId = LAST_ID
        again = [self.client.heartbeat(self.acks.append), self.open()[1]]
        self.assertEqual(again, [3, 5])
        written = ids(self.connection.written)
        self.assertEqual(written, [1, 2, 3, LAST_ID, 4, 3, 5])

    def test_inParts(self) -> None:
        """A request that comes in parts goes out as one frame; until then nothing answers it."""
        self.begin()
        sink = RecordingResponseSink()
        number = self.client.open(sink, httpRequest(method=b"PUT"), False)
        self.client.sendData(number, b"ab", False)
        self.connection.deliver(boltResponse(number, b"guessed"))
        self.assertEqual((self.parts(sink), self.client.late), ([], 1))
        self.client.sendData(number, b"cd", False)
        self.assertEqual(self.connection.written, b"")
        self.client.sendTrailers(number, Headers([]))
        (frame,) = frames(self.connection.clear())
        self.assertEqual((ids(frame), frame[-4:]), ([number], b"abcd"))
        self.client.sendData(number, b"ef", True)
        self.assertEqual(self.connection.written, b"")
        self.connection.deliver(boltResponse(number, b"x"))
        self.assertEqual(self.parts(sink), [b"x"])

    def test_unsayable(self) -> None:
        """A request that does not fit into a frame ends its own stream only."""
        self.begin(BoltLimits(max_content=3))
        other, number = self.open()
        sinks = [RecordingResponseSink() for _ in range(3)]
        huge = httpRequest(headers={"X": "y" * 70000})
        self.assertEqual(self.client.open(sinks[0], huge, True), 0)
        self.client.sendData(self.client.open(sinks[1], httpRequest(), False), b"abcd", True)
        self.client.sendTrailers(self.client.open(sinks[2], huge, False), Headers([]))
        self.assertEqual([self.parts(sink) for sink in sinks], [[("reset", LOCAL_RESET)]] * 3)
        self.assertEqual(ids(self.connection.written), [number])
        self.connection.deliver(boltResponse(number, b"x"))
        self.assertEqual((self.parts(other), self.client.active), ([b"x"], 0))

    def test_resetInParts(self) -> None:
        """A request that is given up half-way is never sent."""
        self.begin()
        sink = RecordingResponseSink()
        number = self.client.open(sink, httpRequest(), False)
        self.client.reset(number, LOCAL_RESET)
        self.client.sendData(number, b"x", True)
        self.assertEqual((self.connection.written, self.client.active), (b"", 0))


class HeartbeatTests(ClientTestCase):
    """Heartbeats in both directions."""

    def test_answered(self) -> None:
        """Who asked gets the status, once; it is no answer to a request."""
        self.begin()
        number = self.client.heartbeat(self.acks.append)
        self.assertEqual(self.connection.written, boltHeartbeat(number))
        self.connection.deliver(boltHeartbeatAck(number, 1) * 2)
        self.assertEqual((self.acks, self.client.late, self.client.active), ([1], 0, 0))

    def test_forgotten(self) -> None:
        """Nobody is told of an answer that nobody wants any more."""
        self.begin()
        number = self.client.heartbeat(self.acks.append)
        self.client.forgetHeartbeat(number)
        self.connection.deliver(boltHeartbeatAck(number))
        self.connection.lose()
        self.assertEqual((self.acks, self.client.late), ([], 0))

    def test_asResponse(self) -> None:
        """A response with the id of a heartbeat is no answer to it, nor the other way round."""
        self.begin()
        beat = self.client.heartbeat(self.acks.append)
        sink, number = self.open()
        self.connection.deliver(boltResponse(beat) + boltHeartbeatAck(number))
        self.assertEqual((self.acks, sink.parts, self.client.late), ([], [], 1))

    def test_whenClosed(self) -> None:
        """A connection that has ended says so at once."""
        self.begin()
        self.connection.lose()
        self.client.heartbeat(self.acks.append)
        self.assertEqual(self.acks, [None])
