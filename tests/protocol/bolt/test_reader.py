"""Tests of what both ends read."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, GOAWAY, HEARTBEAT, HEARTBEAT_ACK, MESSAGE
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.errors import LimitError, ProtocolError
from mosntx.testing.frames import (
    boltFrame,
    boltGoAway,
    boltHeartbeat,
    boltHeartbeatAck,
    boltRequest,
    boltResponse,
)
from mosntx.testing.playbook import pieces, single
from tests.protocol.bolt.test_frames import SHAPES

MIB = 1024 * 1024


def server(**limits: Any) -> Any:
    return BoltProtocol(limits=BoltLimits(**limits)).serverCodec()


def client(**limits: Any) -> Any:
    return BoltProtocol(limits=BoltLimits(**limits)).clientCodec()


class FailureTests(SynchronousTestCase):
    """Input that cannot be understood."""

    def failure(self, codec: Any, octets: bytes) -> ProtocolError:
        events = codec.receive(octets)
        self.assertEqual([event[:2] for event in events], [(FAILED, 0)])
        error = events[0][2]
        assert isinstance(error, ProtocolError)
        self.assertEqual(codec.receive(boltHeartbeat()), [])
        self.assertEqual(codec.receiveEof() + codec.timeout(), [])
        self.assertEqual(codec.bytesToSend(), b"")
        return error

    def test_texts(self) -> None:
        """The text names the field and its value, and quotes nothing else."""
        octets = boltRequest(7, b"s3cret")
        v2 = boltRequest(7, b"s3cret", version=2)
        for broken, text in (
            (b"GET / HTTP/1.1\r\n", "bolt: version 71"),
            (b"\0", "bolt: version 0"),
            (octets[:1] + b"\3" + octets[2:], "bolt: type 3"),
            (octets[:1] + b"\xff" + octets[2:], "bolt: type 255"),
            (boltRequest(command=99), "bolt: command 99 with type 1"),
            (boltRequest(command=2), "bolt: command 2 with type 1"),
            (boltRequest(command=99, oneway=True), "bolt: command 99 with type 2"),
            (boltResponse(command=1), "bolt: command 1 with type 0"),
            (boltResponse(command=100), "bolt: command 100 with type 0"),
            (boltRequest(command=65535, version=2), "bolt: command 65535 with type 1"),
            (v2[:1] + b"\3" + v2[2:], "bolt: ver1 3"),
            (v2[:11] + b"\x80" + v2[12:], "bolt: switch 128"),
            (boltHeartbeat(version=2, ver1=0), "bolt: ver1 0 in a heartbeat"),
            (boltRequest(7, b"s3cret", version=2, ver1=2, switch=1)[:-1] + b"!", "CRC32"),
        ):
            for codec, status in ((server(), 400), (client(), 502)):
                error = self.failure(codec, broken)
                self.assertIn(text, str(error))
                self.assertNotIn("s3cret", str(error))
                self.assertEqual(error.status, status)

    def test_limits(self) -> None:
        """Each length has its limit, which is seen before anything behind it has come."""
        small = {"max_content": 9, "max_header_map": 8, "max_class_name": 7}
        for lengths, text in (
            ((0, 0, 10), "bolt: content of 10 octets, at most 9"),
            ((0, 9, 0), "bolt: header map of 9 octets, at most 8"),
            ((8, 0, 0), "bolt: class name of 8 octets, at most 7"),
            ((0, 0, 0xFFFFFFFF), "bolt: content of 4294967295 octets, at most 9"),
        ):
            for make in (boltRequest, boltResponse):
                for shape in SHAPES:
                    octets = make(7, className=b"", lengths=lengths, **shape)
                    if shape.get("ver1") == 2 and shape.get("switch"):
                        octets = octets[:-4]
                    for codec in (server(**small), client(**small)):
                        error = self.failure(codec, octets)
                        self.assertIsInstance(error, LimitError)
                        self.assertEqual(str(error), text)
        for make, codec in ((boltRequest, server(**small)), (boltResponse, client(**small))):
            octets = make(7, b"123456789", [(b"", b"")], className=b"1234567")
            self.assertEqual([event[0] for event in codec.receive(octets)], [MESSAGE])

    def test_goodBefore(self) -> None:
        """What came whole before the garbage is delivered."""
        octets = boltRequest(1) + boltRequest(2) + b"\xff"
        events = server().receive(octets)
        self.assertEqual([event[0] for event in events], [MESSAGE, MESSAGE, FAILED])


class BufferTests(SynchronousTestCase):
    """What is kept of frames that are not whole."""

    def test_lyingLengths(self) -> None:
        """A length within the limit reserves nothing: what is held is what has come."""
        octets = boltRequest(7, b"x" * 5000, lengths=(44, 65535, 64 * MIB))
        tracemalloc.start()
        try:
            codecs = [server() for _ in range(20)]
            before = tracemalloc.get_traced_memory()[0]
            for codec in codecs:
                self.assertEqual(codec.receive(octets), [])
            held = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        self.assertLess(held, 20 * 3 * len(octets))

    def test_nothingHeld(self) -> None:
        """After broken input, and after the end, nothing is held."""
        for codec, last in ((server(), b""), (client(), b""), (server(), b"\0" * (MIB + 1))):
            gc.disable()
            tracemalloc.start()
            try:
                octets = boltRequest(7, b"x" * MIB, oneway=True)
                codec.receive(octets[:MIB])
                codec.receive(octets[MIB:] + last)
                codec.receive(octets[:MIB])
                del octets
                codec.receiveEof()
                self.assertEqual(codec.receive(b"x" * MIB), [])
                self.assertLess(tracemalloc.get_traced_memory()[0], 10_000)
            finally:
                tracemalloc.stop()
                gc.enable()

    def test_large(self) -> None:
        """A frame of many reads comes whole, with what follows it in the last read."""
        content = bytes(range(256)) * (3 * MIB // 256)
        octets = boltRequest(7, content) + boltRequest(8)
        for size in (65536, 65537, 1_000_003):
            codec = server()
            events = [event for part in pieces([size])(octets) for event in codec.receive(part)]
            self.assertEqual([event[2].requestId for event in events], [7, 8])
            self.assertTrue(events[0][2].content == content)

    def test_dribble(self) -> None:
        """Octet by octet the frame comes with its last octet, not before."""
        for shape in SHAPES:
            for codec, octets in (
                (server(), boltRequest(7, b"abc", [(b"a", b"b")], **shape)),
                (client(), boltResponse(7, b"abc", [(b"a", b"b")], **shape)),
            ):
                for part in single(octets[:-1]):
                    self.assertEqual(codec.receive(part), [])
                self.assertEqual(codec.receive(octets[-1:])[0][2].frame, octets)

    def test_noCopy(self) -> None:
        """A read that is one frame is the frame."""
        octets = boltRequest(7, b"abc")
        self.assertIs(server().receive(octets)[0][2].frame, octets)

    def test_emptyRead(self) -> None:
        """An empty read is nothing, also in the middle of a frame."""
        codec = server()
        octets = boltRequest(7, b"abc")
        self.assertEqual(codec.receive(b""), [])
        self.assertEqual(codec.receive(octets[:9]) + codec.receive(b""), [])
        self.assertEqual(len(codec.receive(octets[9:])), 1)

    @given(
        st.lists(st.sampled_from(range(8)), max_size=6), st.lists(st.integers(1, 50), min_size=1)
    )
    def test_cuts(self, shapes: list[int], sizes: list[int]) -> None:
        """Any frames in any cut come out whole and in order."""
        frames = [boltRequest(n, b"x" * n, **SHAPES[n]) for n in shapes]
        codec = server()
        octets = b"".join(frames)
        events = [event for part in pieces(sizes)(octets) for event in codec.receive(part)]
        self.assertEqual([event[2].frame for event in events], frames)


class OtherFrameTests(SynchronousTestCase):
    """Frames that are no requests and responses."""

    def test_heartbeats(self) -> None:
        """Either end may ask, in any version, one-way or not; the answer has number and version."""
        for shape in SHAPES:
            if shape.get("ver1") == 0:
                continue
            for codec in (server(), client()):
                octets = boltHeartbeat(0xFFFFFFFF, **shape)
                kind, number, frame, end = codec.receive(octets)[0]
                self.assertEqual((kind, number, end), (HEARTBEAT, 0, True))
                ack = {**shape, "switch": 0}
                self.assertEqual(codec.heartbeatAck(frame), boltHeartbeatAck(0xFFFFFFFF, **ack))
                self.assertEqual(
                    codec.heartbeatAck(frame, 1), boltHeartbeatAck(0xFFFFFFFF, 1, **ack)
                )
        oneway = boltRequest(3, command=0, oneway=True, className=b"")
        self.assertEqual(server().receive(oneway)[0][0], HEARTBEAT)

    def test_acks(self) -> None:
        """An answer to a heartbeat carries its status; contents do no harm."""
        for shape in SHAPES:
            octets = boltResponse(9, b"abc", status=1, command=0, codec=0, **shape)
            kind, number, frame, end = client().receive(octets)[0]
            self.assertEqual((kind, number, end), (HEARTBEAT_ACK, 9, True))
            self.assertEqual((frame.heartbeatStatus, frame.status), (1, 500))

    def test_goAway(self) -> None:
        """Go-away is an event in both versions."""
        for version in (1, 2):
            self.assertEqual(client().receive(boltGoAway(version=version)), [(GOAWAY, 0, 0, True)])

    def test_ignored(self) -> None:
        """Responses to a server and requests to a client are counted, and the rest goes on."""
        codec = server()
        self.assertEqual(codec.receive(boltResponse(1) + boltResponse(2, version=2)), [])
        self.assertEqual(codec.ignored, 2)
        self.assertEqual(len(codec.receive(boltRequest(1))), 1)
        codec = client()
        self.assertEqual(codec.receive(boltRequest(1) + boltRequest(2, oneway=True)), [])
        self.assertEqual(codec.ignored, 2)
        self.assertEqual(len(codec.receive(boltResponse(1))), 1)

    def test_oddities(self) -> None:
        """ver2, codec and status are nobody's business here."""
        octets = boltFrame(1, 1, 5, b"\0\0\0\1", ver2=0, codec=99)
        self.assertEqual(server().receive(octets)[0][0], MESSAGE)
        octets = boltFrame(0, 2, 5, b"\x7f\xff", ver2=9, codec=99)
        self.assertEqual(client().receive(octets)[0][2].boltStatus, 0x7FFF)
