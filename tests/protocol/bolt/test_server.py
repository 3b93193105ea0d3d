"""Tests of the end that reads requests and writes responses."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import HEARTBEAT, MESSAGE
from mosntx.contracts.stream import CONNECTION_TERMINATION, GLOBAL_TIMEOUT, REMOTE_RESET
from mosntx.protocol.bolt.heads import BoltResponse
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.bolt.server import BoltServerCodec
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.heads import ResponseHead
from mosntx.testing.frames import boltGoAway, boltHeartbeat, boltRequest, boltResponse
from tests.protocol.bolt.test_frames import SHAPES
from tests.protocol.bolt.test_heads import PAIRS, response


def asked(octets: bytes, **limits: Any) -> tuple[BoltServerCodec, int]:
    """Return a codec that has read one request, and its number."""
    codec = BoltProtocol(limits=BoltLimits(**limits)).serverCodec()
    kind, number, _, _ = codec.receive(octets)[0]
    assert kind == MESSAGE
    return codec, number


class UnchangedTests(SynchronousTestCase):
    """Responses of Bolt upstreams."""

    def test_sameVersion(self) -> None:
        """A frame keeps its octets, but for the id, and CRC32 where there is one."""
        for shape in SHAPES:
            codec, number = asked(boltRequest(0xFFFFFFFF, **shape))
            head = response(boltResponse(5, b"content", PAIRS, status=17, codec=12, **shape))
            expected = boltResponse(0xFFFFFFFF, b"content", PAIRS, status=17, codec=12, **shape)
            self.assertEqual(codec.responseHead(number, head, True), expected, shape)

    def test_ownCrc(self) -> None:
        """SOFABolt's exceptions have no CRC32 where its other answers have: each keeps its own."""
        codec, number = asked(boltRequest(7, version=2, ver1=2, switch=1))
        head = response(boltResponse(5, b"", status=2, version=2, ver1=2))
        expected = boltResponse(7, b"", status=2, version=2, ver1=2)
        self.assertEqual(codec.responseHead(number, head, True), expected)

    def test_otherVersion(self) -> None:
        """SOFABolt answers in the version of its first frame; the client gets that of its own."""
        for shape in SHAPES:
            for other in SHAPES:
                if shape["version"] == other["version"] and shape.get("ver1") == other.get("ver1"):
                    continue
                codec, number = asked(boltRequest(7, **shape))
                head = response(boltResponse(5, b"content", PAIRS, status=2, codec=12, **other))
                crc = shape.get("ver1") == 2 and shape.get("switch")
                wanted = {**shape, "switch": 1 if crc else 0}
                expected = boltResponse(7, b"content", PAIRS, status=2, codec=12, **wanted)
                self.assertEqual(codec.responseHead(number, head, True), expected)

    def test_brokenMap(self) -> None:
        """A response whose header map is broken is passed on as it is, in any version."""
        broken = boltResponse(5, b"\0\0\1", className=b"C", lengths=(1, 3, 0))
        codec, number = asked(boltRequest(7))
        head = response(broken)
        self.assertIsNone(head.headers.get(b"a"))
        written = codec.responseHead(number, head, True)
        self.assertEqual(written, boltResponse(7, b"\0\0\1", className=b"C", lengths=(1, 3, 0)))
        codec, number = asked(boltRequest(7, version=2))
        written = codec.responseHead(number, response(broken), True)
        expected = boltResponse(7, b"\0\0\1", className=b"C", lengths=(1, 3, 0), version=2)
        self.assertEqual(written, expected)


class ChangedTests(SynchronousTestCase):
    """Responses that a filter has changed."""

    def test_headers(self) -> None:
        """A changed header map is written anew, the rest stays."""
        for shape in SHAPES:
            codec, number = asked(boltRequest(7, **shape))
            head = response(boltResponse(5, b"content", PAIRS, status=2, **shape))
            head.headers.set(b"a", b"b")
            written = codec.responseHead(number, head, True)
            wanted = {**shape}
            if shape.get("ver1") != 2:
                wanted["switch"] = 0
            elif shape.get("switch"):
                wanted["switch"] = 1
            expected = boltResponse(7, b"content", [*PAIRS, (b"a", b"b")], status=2, **wanted)
            self.assertEqual(written, expected, shape)

    def test_content(self) -> None:
        """So is a changed content."""
        codec, number = asked(boltRequest(7))
        head = response(boltResponse(5, b"content", PAIRS))
        head.content = b"other"
        self.assertEqual(codec.responseHead(number, head, True), boltResponse(7, b"other", PAIRS))

    def test_tooMuch(self) -> None:
        """What does not fit is refused, and another head may be tried."""
        codec, number = asked(boltRequest(7))
        head = response(boltResponse(5))
        head.headers.set(b"a", b"b" * 65536)
        self.assertRaises(EncodeError, codec.responseHead, number, head, True)
        written = codec.responseHead(number, response(boltResponse(5)), True)
        self.assertEqual(written, boltResponse(7))


class NumberTests(SynchronousTestCase):
    """Which answer belongs to which request."""

    def test_sameId(self) -> None:
        """A client that uses an id twice gets both answers."""
        codec = BoltProtocol().serverCodec()
        events = codec.receive(boltRequest(7, b"a") + boltRequest(7, b"b", version=2))
        first, second = (event[1] for event in events)
        self.assertNotEqual(first, second)
        written = codec.responseHead(second, response(boltResponse(1, b"B", version=2)), True)
        self.assertEqual(written, boltResponse(7, b"B", version=2))
        written = codec.responseHead(first, response(boltResponse(2, b"A")), True)
        self.assertEqual(written, boltResponse(7, b"A"))

    def test_once(self) -> None:
        """A second answer is not written."""
        codec, number = asked(boltRequest(7))
        head = response(boltResponse(5))
        self.assertTrue(codec.responseHead(number, head, True))
        self.assertEqual(codec.responseHead(number, head, True), b"")
        self.assertEqual(codec.responseReset(number, REMOTE_RESET), b"")
        self.assertEqual(codec.responseData(number, b"x", True), b"")

    def test_oneway(self) -> None:
        """Nothing is ever written for a one-way request."""
        codec = BoltProtocol().serverCodec()
        _, number, head, _ = codec.receive(boltRequest(7, oneway=True))[0]
        self.assertTrue(head.oneway)
        reply = BoltProtocol().localReply(head, 502, b"")
        self.assertEqual(codec.responseHead(number, reply.head, True), b"")
        self.assertEqual(codec.responseHead(number, ResponseHead(200, Headers()), False), b"")
        self.assertEqual(codec.responseData(number, b"x", True), b"")
        self.assertEqual(codec.responseReset(number, REMOTE_RESET), b"")


class ForeignTests(SynchronousTestCase):
    """Responses of other protocols."""

    def test_collected(self) -> None:
        """Data are collected to one frame; interim heads and trailers are not said."""
        codec, number = asked(boltRequest(7, codec=11, version=2, ver1=2, switch=1))
        head = ResponseHead(200, Headers([(b"X-A", b"b")]))
        self.assertEqual(codec.responseInformational(number, ResponseHead(100, Headers())), b"")
        self.assertEqual(codec.responseHead(number, head, False), b"")
        self.assertEqual(codec.responseData(number, b"con", False), b"")
        self.assertEqual(codec.responseData(number, b"tent", False), b"")
        written = codec.responseTrailers(number, Headers([(b"T", b"t")]))
        self.assertEqual(
            written,
            boltResponse(
                7,
                b"content",
                [(b"x-a", b"b")],
                codec=11,
                className=b"",
                version=2,
                ver1=2,
                switch=1,
            ),
        )
        self.assertEqual(codec.responseData(number, b"x", True), b"")

    def test_atOnce(self) -> None:
        """Without data the frame is written with the head."""
        codec, number = asked(boltRequest(7))
        written = codec.responseHead(number, ResponseHead(503, Headers()), True)
        self.assertEqual(written, boltResponse(7, status=4, className=b""))

    def test_tooMuch(self) -> None:
        """More than the limit is refused, and another head may be tried."""
        codec, number = asked(boltRequest(7), max_content=4)
        head = ResponseHead(200, Headers())
        codec.responseHead(number, head, False)
        codec.responseData(number, b"1234", False)
        self.assertRaises(EncodeError, codec.responseData, number, b"5", True)
        self.assertEqual(codec.responseData(number, b"6", True), b"")
        reply = BoltProtocol().localReply(None, 502, b"")
        written = codec.responseHead(number, reply.head, True)
        self.assertEqual(written, boltResponse(7, status=6, className=b""))

    def test_reset(self) -> None:
        """A response that breaks off becomes an answer with the status of the reason."""
        for shape in SHAPES:
            for reason, status in (
                (REMOTE_RESET, 6),
                (GLOBAL_TIMEOUT, 7),
                (CONNECTION_TERMINATION, 3),
            ):
                codec, number = asked(boltRequest(7, **shape))
                codec.responseHead(number, ResponseHead(200, Headers()), False)
                codec.responseData(number, b"con", False)
                crc = shape.get("ver1") == 2 and shape.get("switch")
                wanted = {**shape, "switch": 1 if crc else 0}
                expected = boltResponse(7, status=status, className=b"", **wanted)
                self.assertEqual(codec.responseReset(number, reason), expected)
                self.assertEqual(codec.responseData(number, b"tent", True), b"")


class BrokenMapTests(SynchronousTestCase):
    """Requests whose header map is broken."""

    BROKEN = boltRequest(7, b"\0\0\1xyz", className=b"C", lengths=(1, 3, 3))

    def test_answered(self) -> None:
        """They are answered here, each in its version, and the connection goes on."""
        codec = BoltProtocol().serverCodec()
        v2 = boltRequest(
            8, b"\0\0\1", className=b"", lengths=(0, 3, 0), version=2, ver1=2, switch=1
        )
        events = codec.receive(self.BROKEN + boltHeartbeat(9) + v2)
        self.assertEqual([event[0] for event in events], [HEARTBEAT])
        self.assertEqual(codec.brokenMaps, 2)
        expected = boltResponse(7, status=18, className=b"") + boltResponse(
            8, status=18, className=b"", version=2, ver1=2, switch=1
        )
        self.assertEqual(codec.bytesToSend(), expected)
        self.assertEqual(codec.bytesToSend(), b"")

    def test_oneway(self) -> None:
        """One-way ones are only counted."""
        codec = BoltProtocol().serverCodec()
        octets = boltRequest(7, b"\0\0\1", className=b"", oneway=True, lengths=(0, 3, 0))
        self.assertEqual(codec.receive(octets), [])
        self.assertEqual((codec.brokenMaps, codec.bytesToSend()), (1, b""))

    def test_unchecked(self) -> None:
        """Without the check they have no service and are forwarded as they are."""
        codec, _ = asked(boltRequest(), check_header_map=False)
        _, _, head, _ = codec.receive(self.BROKEN)[0]
        self.assertEqual((head.service, list(head.headers.items())), (b"", []))
        _, written = BoltProtocol().clientCodec().requestHead(head, True)
        self.assertEqual(written, self.BROKEN[:5] + b"\0\0\0\1" + self.BROKEN[9:])
        self.assertEqual(codec.brokenMaps, 0)


class FarewellTests(SynchronousTestCase):
    """Go-away."""

    def test_goAway(self) -> None:
        """It is MOSN's, in the version of the listener."""
        self.assertEqual(BoltProtocol().serverCodec().goAway(), boltGoAway())
        self.assertEqual(BoltProtocol("boltv2").serverCodec().goAway(), boltGoAway(version=2))

    def test_drain(self) -> None:
        """Draining refuses nobody; requests do not wait for each other."""
        codec, number = asked(boltRequest(7))
        codec.drain()
        self.assertEqual(codec.bytesToSend(), b"")
        self.assertEqual(len(codec.receive(boltRequest(8))), 1)
        written = codec.responseHead(number, BoltResponse.of(), True)
        self.assertEqual(written, boltResponse(7, className=b""))
        self.assertEqual((codec.next(), codec.backlog, codec.closing), ([], 0, False))
