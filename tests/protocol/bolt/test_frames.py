"""Tests of layouts."""

from __future__ import annotations

import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.bolt.frames import (
    checkLengths,
    crcHolds,
    hasCrc,
    packRequest,
    packResponse,
    readV1Request,
    readV1Response,
    readV2Request,
    readV2Response,
    replaced,
    sealed,
    withId,
)
from mosntx.protocol.errors import EncodeError
from mosntx.testing.frames import boltHeartbeat, boltRequest, boltResponse, simpleMap

SHAPES: list[dict[str, Any]] = [
    {"version": 1},
    {"version": 2, "ver1": 1},
    {"version": 2, "ver1": 1, "switch": 1},
    {"version": 2, "ver1": 2},
    {"version": 2, "ver1": 2, "switch": 1},
    {"version": 2, "ver1": 2, "switch": 3},
    {"version": 2, "ver1": 0},
    {"version": 2, "ver1": 0, "switch": 1},
]


class CrcTests(SynchronousTestCase):
    """CRC32 belongs to ver1 2 with bit 0 of the switch, to each frame on its own."""

    def test_rules(self) -> None:
        """The table of presence, in requests and responses."""
        for ver1, switch, expected in (
            (0, 0, False),
            (0, 1, False),
            (1, 0, False),
            (1, 1, False),
            (2, 0, False),
            (2, 1, True),
            (2, 2, False),
            (2, 3, True),
            (2, 127, True),
        ):
            for make in (boltRequest, boltResponse):
                frame = make(7, b"abc", version=2, ver1=ver1, switch=switch)
                self.assertEqual(hasCrc(frame), expected, (ver1, switch))
        self.assertFalse(hasCrc(boltRequest(7, b"abc")))

    def test_value(self) -> None:
        """It is zlib's, of all octets before it, big-endian."""
        frame = boltRequest(7, b"abc", version=2, ver1=2, switch=1)
        self.assertEqual(frame[-4:], zlib.crc32(frame[:-4]).to_bytes(4, "big"))
        self.assertTrue(crcHolds(frame))
        for place in range(len(frame)):
            wrong = bytearray(frame)
            wrong[place] ^= 1
            self.assertFalse(crcHolds(bytes(wrong)), place)
        self.assertEqual(sealed(frame[:-4]), frame)


class PatchTests(SynchronousTestCase):
    """Single fields of a frame."""

    def test_id(self) -> None:
        """Only the id changes, and CRC32 where there is one."""
        for shape in SHAPES:
            for make in (boltRequest, boltResponse):
                frame = make(0x01020304, b"content", [(b"a", b"b")], **shape)
                expected = make(0xFFFFFFFE, b"content", [(b"a", b"b")], **shape)
                self.assertEqual(withId(frame, 0xFFFFFFFE), expected, shape)
                self.assertEqual(withId(expected, 0x01020304), frame, shape)

    def test_replaced(self) -> None:
        """Header map and content change, with their lengths, and CRC32 where there is one."""
        for shape in SHAPES:
            for make, fixed in ((boltRequest, 22), (boltResponse, 20)):
                size = fixed + 2 * (shape["version"] == 2)
                frame = make(7, b"old", [(b"a", b"b")], className=b"abc", **shape)
                expected = make(7, b"newer", [(b"c", b"")], className=b"abc", **shape)
                headerMap = simpleMap([(b"c", b"")])
                self.assertEqual(
                    replaced(frame, size, size + 3, headerMap, b"newer"), expected, shape
                )

    def test_lengths(self) -> None:
        """What a length cannot say is refused, and the field named."""
        checkLengths(65535, 65535, 0xFFFFFFFF)
        for lengths, name in (
            ((65536, 0, 0), "class name of 65536"),
            ((0, 65536, 0), "header map of 65536"),
            ((0, 0, 1 << 32), "content of 4294967296"),
        ):
            error = self.assertRaises(EncodeError, checkLengths, *lengths)
            self.assertIn(name, str(error))


IDS = st.integers(0, 0xFFFFFFFF)
OCTET = st.integers(0, 255)
LENGTHS = st.tuples(st.integers(0, 65535), st.integers(0, 65535), IDS)


class PackTests(SynchronousTestCase):
    """Fixed parts."""

    def test_heartbeat(self) -> None:
        """A heartbeat is nothing but a fixed part."""
        self.assertEqual(packRequest(1, 1, 0, 9, 1, -1), boltHeartbeat(9))
        self.assertEqual(packRequest(2, 1, 0, 9, 1, -1), boltHeartbeat(9, version=2))
        self.assertEqual(
            packRequest(1, 1, 0, 9, 1, -1).hex(), "01010000010000000901ffffffff0000000000000000"
        )

    @given(st.sampled_from([1, 2]), IDS, st.integers(-(1 << 31), (1 << 31) - 1), LENGTHS)
    def test_requests(
        self, version: int, requestId: int, timeout: int, lengths: tuple[int, int, int]
    ) -> None:
        """What is packed is read."""
        octets = packRequest(version, 2, 1, requestId, 11, timeout, lengths, 2, 1)
        read = readV1Request if version == 1 else readV2Request
        self.assertEqual(read(octets, 0), (2, 1, requestId, timeout, *lengths))

    @given(st.sampled_from([1, 2]), IDS, st.integers(0, 65535), LENGTHS)
    def test_responses(
        self, version: int, requestId: int, status: int, lengths: tuple[int, int, int]
    ) -> None:
        """What is packed is read."""
        octets = packResponse(version, requestId, 11, status, lengths, 2, 1)
        read = readV1Response if version == 1 else readV2Response
        self.assertEqual(read(octets, 0), (0, 2, requestId, status, *lengths))
