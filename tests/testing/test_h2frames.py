"""Tests of the builders of HTTP/2 frames against another implementation."""

from __future__ import annotations

from hpack import Decoder
from hyperframe.frame import Frame as OtherFrame
from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing import h2frames as h2


class FrameTests(SynchronousTestCase):
    """What hyperframe reads in them, and the parser."""

    def read(self, octets: bytes) -> OtherFrame:
        frame, length = OtherFrame.parse_frame_header(memoryview(octets)[:9])
        self.assertEqual(length, len(octets) - 9)
        frame.parse_body(memoryview(octets)[9:])
        return frame

    def test_everyType(self) -> None:
        """Another implementation writes the same octets."""
        block = h2.fieldBlock(h2.GET)
        for octets in (
            h2.data(1, b"abc", end=True),
            h2.data(1, b"abc", padding=7),
            h2.headers(3, block, end=True, padding=3, priority=(1, 256, True)),
            h2.headers(3, block, whole=False),
            h2.continuation(3, block),
            h2.continuation(3, block, whole=False),
            h2.priority(5, 3, 1, exclusive=True),
            h2.rstStream(5, h2.STREAM_CLOSED),
            h2.settings((h2.MAX_FRAME_SIZE, 20000), (h2.ENABLE_PUSH, 0)),
            h2.settingsAck(),
            h2.pushPromise(1, 2, block),
            h2.ping(b"12345678", ack=True),
            h2.goAway(7, h2.ENHANCE_YOUR_CALM, b"slowly"),
            h2.windowUpdate(0, (1 << 31) - 1),
        ):
            self.assertEqual(self.read(octets).serialize(), octets)

    def test_priorityUpdate(self) -> None:
        """The stream is named in the payload."""
        (frame,) = h2.parseFrames(h2.priorityUpdate(3, b"u=1"))
        self.assertEqual(frame, (h2.PRIORITY_UPDATE, 0, 0, b"\0\0\0\3u=1"))

    def test_lies(self) -> None:
        """A frame can say another length, and set the reserved bit."""
        self.assertEqual(h2.rawFrame(9, 255, 1, length=2), b"\0\0\2\x09\xff\0\0\0\1")
        self.assertEqual(h2.rawFrame(9, 0, 1, reserved=True)[5:9], b"\x80\0\0\1")

    def test_parse(self) -> None:
        """Frames come back as they were; one that is cut off is an error."""
        octets = h2.goAway(7, h2.CANCEL) + h2.rstStream(3, h2.STREAM_CLOSED)
        frames = h2.parseFrames(octets)
        self.assertEqual([(each.type, each.stream) for each in frames], [(7, 0), (3, 3)])
        self.assertEqual([each.code for each in frames], [h2.CANCEL, h2.STREAM_CLOSED])
        self.assertRaises(ValueError, h2.parseFrames, octets[:-1])
        self.assertRaises(ValueError, h2.parseFrames, b"\0\0\0")

    def test_readSettings(self) -> None:
        """The last value of an id counts."""
        (frame,) = h2.parseFrames(h2.settings((4, 1), (5, 2), (4, 3)))
        self.assertEqual(h2.readSettings(frame.payload), {4: 3, 5: 2})


class BlockTests(SynchronousTestCase):
    """What hpack reads in the header blocks."""

    def decode(self, *blocks: bytes) -> list[tuple[bytes, bytes]]:
        decoder = Decoder()
        fields: list[tuple[bytes, bytes]] = []
        for block in blocks:
            fields = [
                (bytes(name), bytes(value)) for name, value in decoder.decode(block, raw=True)
            ]
        return fields

    def test_request(self) -> None:
        """Plain literals."""
        (frame,) = h2.parseFrames(h2.request(1, h2.POST, end=False))
        self.assertEqual(frame.flags, h2.END_HEADERS)
        self.assertEqual(self.decode(frame.payload), list(h2.POST))

    def test_tables(self) -> None:
        """Names by index, Huffman's code, fields of the table and another size of it."""
        first = h2.tableSize(100) + h2.indexed(b"a", b"b" * 8) + h2.literal(58, b"c", huffman=True)
        second = h2.fieldIndex(62) + h2.fieldIndex(2) + h2.indexed(4, b"/x", huffman=True)
        self.assertEqual(self.decode(first), [(b"a", b"b" * 8), (b"user-agent", b"c")])
        self.assertEqual(
            self.decode(first, second),
            [(b"a", b"b" * 8), (b":method", b"GET"), (b":path", b"/x")],
        )

    def test_integers(self) -> None:
        """The examples of RFC 7541, C.1."""
        self.assertEqual(h2.hpackInteger(10, 5), b"\x0a")
        self.assertEqual(h2.hpackInteger(1337, 5), b"\x1f\x9a\x0a")
        self.assertEqual(h2.hpackInteger(42, 8), b"\x2a")
