"""Tests of the end that writes requests and reads responses."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, MESSAGE
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import RequestHead
from mosntx.testing.frames import boltHeartbeat, boltRequest, boltResponse
from tests.protocol.bolt.test_frames import SHAPES
from tests.protocol.bolt.test_heads import PAIRS, request


class RequestTests(SynchronousTestCase):
    """What is written."""

    def test_unchanged(self) -> None:
        """A frame keeps its version and octets, but for the id, and CRC32 where there is one."""
        for name in ("bolt", "boltv2"):
            codec = BoltProtocol(name).clientCodec()
            for number, shape in enumerate(SHAPES, 1):
                head = request(boltRequest(7, b"content", PAIRS, codec=12, timeout=5, **shape))
                expected = boltRequest(number, b"content", PAIRS, codec=12, timeout=5, **shape)
                self.assertEqual(codec.requestHead(head, True), (number, expected))

    def test_changed(self) -> None:
        """A changed header map is written anew."""
        codec = BoltProtocol().clientCodec()
        for number, shape in enumerate(SHAPES, 1):
            head = request(boltRequest(7, b"content", PAIRS, **shape))
            head.headers.set(b"service", b"x")
            expected = boltRequest(number, b"content", [(b"service", b"x"), PAIRS[1]], **shape)
            self.assertEqual(codec.requestHead(head, True), (number, expected))

    def test_again(self) -> None:
        """A head may be sent twice: retries and mirrors."""
        codec = BoltProtocol().clientCodec()
        head = request(boltRequest(7, b"content", oneway=True))
        for number in (1, 2):
            expected = boltRequest(number, b"content", oneway=True)
            self.assertEqual(codec.requestHead(head, True), (number, expected))

    def test_tooMuch(self) -> None:
        """What does not fit is refused, and its id goes to the next request."""
        codec = BoltProtocol().clientCodec()
        head = request(boltRequest(7))
        head.headers.set(b"a", b"b" * 65536)
        self.assertRaises(EncodeError, codec.requestHead, head, True)
        http = RequestHead(b"GET", b"/", b"a", Headers([(b"a", b"b" * 65536)]))
        self.assertRaises(EncodeError, codec.requestHead, http, True)
        self.assertEqual(codec.requestHead(request(boltRequest(7)), True), (1, boltRequest(1)))


class IdTests(SynchronousTestCase):
    """Ids on the wire."""

    def test_wrap(self) -> None:
        """After the last comes 1: 0 stands for no stream."""
        codec = BoltProtocol().clientCodec()
        head = request(boltRequest(7))
        changed = request(boltRequest(7))
        changed.headers.set(b"a", b"b")
        http = RequestHead(b"GET", b"/", b"a", Headers())
        for sent in (head, changed, http):
            codec.nextId = 0xFFFFFFFF
            number, octets = codec.requestHead(sent, True)
            self.assertEqual((number, octets[5:9]), (0xFFFFFFFF, b"\xff\xff\xff\xff"))
            self.assertEqual(codec.nextId, 1)
        codec.nextId = 0xFFFFFFFF
        self.assertEqual(codec.heartbeat(), (0xFFFFFFFF, boltHeartbeat(0xFFFFFFFF)))
        self.assertEqual(codec.nextId, 1)

    def test_skip(self) -> None:
        """Whoever knows that an id is in flight leaves it out."""
        codec = BoltProtocol().clientCodec()
        codec.nextId = 0xFFFFFFFE
        codec.skipId()
        self.assertEqual(codec.nextId, 0xFFFFFFFF)
        codec.skipId()
        self.assertEqual(codec.nextId, 1)


class ForeignTests(SynchronousTestCase):
    """Requests of other protocols."""

    def head(self) -> RequestHead:
        return RequestHead(b"POST", b"/", b"a", Headers([(b"Service", b"s")]))

    def test_collected(self) -> None:
        """Data are collected to one frame; trailers are not said."""
        codec = BoltProtocol("boltv2", crc=True).clientCodec()
        self.assertEqual(codec.requestHead(self.head(), False), (1, b""))
        self.assertEqual(codec.requestHead(self.head(), False), (2, b""))
        self.assertEqual(codec.requestData(2, b"con", False), b"")
        self.assertEqual(codec.requestData(1, b"one", False), b"")
        for number, written in (
            (2, codec.requestData(2, b"tent", True)),
            (1, codec.requestTrailers(1, Headers([(b"T", b"t")]))),
        ):
            expected = boltRequest(
                number,
                b"content" if number == 2 else b"one",
                [(b"service", b"s")],
                className=b"",
                timeout=-1,
                version=2,
                ver1=2,
                switch=1,
            )
            self.assertEqual(written, expected)
        self.assertEqual(codec.requestData(2, b"x", True), b"")

    def test_atOnce(self) -> None:
        """Without data the frame is written with the head."""
        expected = boltRequest(1, b"", [(b"service", b"s")], className=b"", timeout=-1)
        codec = BoltProtocol().clientCodec()
        self.assertEqual(codec.requestHead(self.head(), True), (1, expected))

    def test_tooMuch(self) -> None:
        """More than the limit is refused, and the stream is over."""
        codec = BoltProtocol(limits=BoltLimits(max_content=4)).clientCodec()
        codec.requestHead(self.head(), False)
        codec.requestData(1, b"1234", False)
        self.assertRaises(EncodeError, codec.requestData, 1, b"5", False)
        self.assertEqual(codec.requestData(1, b"6", True), b"")

    def test_reset(self) -> None:
        """A stream that is given up is forgotten."""
        codec = BoltProtocol().clientCodec()
        codec.requestHead(self.head(), False)
        self.assertEqual(codec.reset(1, LOCAL_RESET), b"")
        self.assertEqual(codec.requestData(1, b"x", True), b"")
        self.assertEqual(codec.reset(1, LOCAL_RESET), b"")


class ResponseTests(SynchronousTestCase):
    """What is read."""

    def test_numbers(self) -> None:
        """Answers come in any order, also ones that nobody asked for, with the id of the wire."""
        codec = BoltProtocol().clientCodec()
        octets = b"".join(
            boltResponse(number, **SHAPES[place])
            for place, number in enumerate((3, 0, 3, 0xFFFFFFFF, 1))
        )
        events = codec.receive(octets)
        self.assertEqual({event[0] for event in events}, {MESSAGE})
        self.assertEqual([event[1] for event in events], [3, 0, 3, 0xFFFFFFFF, 1])

    def test_reusable(self) -> None:
        """Only broken input makes a connection useless."""
        codec = BoltProtocol().clientCodec()
        codec.receive(boltResponse(1))
        self.assertTrue(codec.reusable)
        self.assertEqual(codec.receive(b"\xff")[0][0], FAILED)
        self.assertFalse(codec.reusable)
        self.assertEqual(codec.bytesToSend(), b"")


class HeartbeatTests(SynchronousTestCase):
    """What keeps a connection alive."""

    def test_versions(self) -> None:
        """Heartbeats take ids like requests, and have the version of the cluster."""
        codec = BoltProtocol().clientCodec()
        codec.requestHead(request(boltRequest(7)), True)
        self.assertEqual(codec.heartbeat(), (2, boltHeartbeat(2)))
        codec = BoltProtocol("boltv2", crc=True).clientCodec()
        self.assertEqual(codec.heartbeat(), (1, boltHeartbeat(1, version=2)))
        self.assertEqual(codec.nextId, 2)
