"""Tests of Bolt as a protocol: detection, local replies, and the contract suite."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import MATCH, NEED_MORE, NO_MATCH
from mosntx.protocol.bolt.heads import BoltRequest
from mosntx.protocol.bolt.limits import BoltLimits
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.testing.contracts.codec import CodecSuite
from mosntx.testing.frames import boltRequest, boltResponse
from tests.protocol.bolt.test_frames import SHAPES
from tests.protocol.bolt.test_heads import request


class BoltSuiteTests(CodecSuite, SynchronousTestCase):
    """Bolt keeps the contract."""

    name = "bolt"
    shape: Any = {"version": 1}  # noqa: RUF012  # never changed

    def protocol(self) -> BoltProtocol:
        """See `CodecSuite`."""
        return BoltProtocol(self.name, BoltLimits(max_content=1000))

    def requests(self) -> list[bytes]:
        """See `CodecSuite`."""
        return [
            boltRequest(7, b"content", [(b"service", b"a")], **self.shape),
            boltRequest(0, className=b"", **self.shape),
        ]

    def requestHead(self) -> Any:
        """See `CodecSuite`."""
        return BoltRequest.of(**self.shape)

    def response(self, number: int) -> bytes:
        """See `CodecSuite`."""
        return boltResponse(number, b"content", [(b"a", b"b")], **self.shape)

    def brokenRequests(self) -> list[bytes]:
        """See `CodecSuite`."""
        good = boltRequest(7, b"x", **self.shape)
        return [
            b"GET / HTTP/1.1\r\n",
            boltRequest(7, b"x" * 1001, **self.shape),
            boltRequest(7, command=77, **self.shape),
            good + b"\0",
            good + b"\3",
        ]


class BoltV2SuiteTests(BoltSuiteTests):
    """So does version 2, with CRC32."""

    name = "boltv2"
    shape: Any = {"version": 2, "ver1": 2, "switch": 1}  # noqa: RUF012

    def brokenRequests(self) -> list[bytes]:
        """See `CodecSuite`."""
        good = boltRequest(7, b"x", **self.shape)
        return [*super().brokenRequests(), good[:-1] + bytes([good[-1] ^ 1])]


class NameTests(SynchronousTestCase):
    """Configuration names."""

    def test_detect(self) -> None:
        """The first octet decides (spec/proxy.md 3)."""
        for name, first, other in (("bolt", b"\1", b"\2"), ("boltv2", b"\2", b"\1")):
            protocol = BoltProtocol(name)
            self.assertEqual(protocol.name, name)
            self.assertEqual(protocol.detect(b""), NEED_MORE)
            self.assertEqual(protocol.detect(first), MATCH)
            self.assertEqual(protocol.detect(first + b"\xff" * 50), MATCH)
            for prefix in (other, b"\0", b"\x0d", b"G", b"\x16\3\1"):
                self.assertEqual(protocol.detect(prefix), NO_MATCH)

    def test_unknown(self) -> None:
        """Other names are a mistake of wiring."""
        self.assertRaises(ValueError, BoltProtocol, "Bolt")

    def test_limits(self) -> None:
        """Limits reach both ends."""
        protocol = BoltProtocol(limits=BoltLimits(max_content=1))
        for codec, octets in (
            (protocol.serverCodec(), boltRequest(1, b"ab")),
            (protocol.clientCodec(), boltResponse(1, b"ab")),
        ):
            self.assertIn("at most 1", str(codec.receive(octets)[0][2]))


class LocalReplyTests(SynchronousTestCase):
    """Answers of this process (spec/proxy.md 7)."""

    def test_empty(self) -> None:
        """They have the version of the request, a status of Bolt, and nothing else."""
        for shape in SHAPES:
            codec = BoltProtocol().serverCodec()
            _, number, head, _ = codec.receive(boltRequest(7, b"s3cret", codec=11, **shape))[0]
            reply = BoltProtocol("boltv2").localReply(head, 504, b"too late")
            self.assertEqual((reply.head.status, reply.body), (504, b""))
            crc = shape.get("ver1") == 2 and shape.get("switch")
            wanted = {**shape, "switch": 1 if crc else 0}
            expected = boltResponse(7, status=7, className=b"", **wanted)
            self.assertEqual(codec.responseHead(number, reply.head, True), expected)

    def test_statuses(self) -> None:
        """The status that the proxy gave is kept for logs and counters."""
        for status, expected in ((200, 0), (404, 6), (403, 2), (509, 3), (0, 9), (3, 18)):
            head = BoltProtocol().localReply(request(boltRequest()), status, b"").head
            self.assertEqual((head.status, head.boltStatus), (status, expected))

    def test_otherRequest(self) -> None:
        """Without a request of ours it has the version of the listener."""
        for name, version in (("bolt", 1), ("boltv2", 2)):
            head = BoltProtocol(name).localReply(None, 503, b"").head
            self.assertEqual(head.frame, boltResponse(0, status=4, className=b"", version=version))

    def test_fields(self) -> None:
        """Fields that the proxy adds are written."""
        codec = BoltProtocol().serverCodec()
        _, number, head, _ = codec.receive(boltRequest(7))[0]
        reply = BoltProtocol().localReply(head, 302, b"")
        reply.head.headers.set(b"Location", b"/x")
        written = codec.responseHead(number, reply.head, True)
        self.assertEqual(
            written, boltResponse(7, b"", [(b"Location", b"/x")], status=3, className=b"")
        )

    def test_interim(self) -> None:
        """There are no interim responses."""
        codec = BoltProtocol().serverCodec()
        number = codec.receive(boltRequest(7))[0][1]
        head = BoltProtocol().interimHead(100)
        self.assertEqual(codec.responseInformational(number, head), b"")
