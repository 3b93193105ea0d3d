"""Tests of the frame builders, octet by octet."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import (
    boltGoAway,
    boltHeartbeat,
    boltHeartbeatAck,
    boltRequest,
    boltResponse,
    simpleMap,
)


class FramesTests(SynchronousTestCase):
    """Against octets written down by hand."""

    def test_map(self) -> None:
        """Lengths and texts alternate, and a null has a negative length."""
        self.assertEqual(
            simpleMap([(b"ab", b""), (None, b"c")]).hex(),
            "00000002616200000000ffffffff0000000163",
        )

    def test_version1(self) -> None:
        """Requests have a timeout, responses a status."""
        request = boltRequest(2, b"xyz", [(b"a", b"b")], className=b"C")
        self.assertEqual(
            request.hex(),
            "0101000101000000020100000bb80001000a000000034300000001610000000162" + b"xyz".hex(),
        )
        response = boltResponse(3, b"!", status=18, codec=11, className=b"")
        self.assertEqual(response.hex(), "010000020100000003" + "0b0012000000000000000121")
        self.assertEqual(boltRequest(oneway=True)[1], 2)

    def test_version2(self) -> None:
        """Two octets more, and CRC32 when both of them say so."""
        for ver1, switch, tail in ((1, 0, ""), (1, 1, ""), (2, 0, ""), (2, 1, "crc")):
            frame = boltRequest(
                1, b"xyz", className=b"", version=2, ver1=ver1, switch=switch, timeout=-1
            )
            head = f"02{ver1:02x}01000101000000010" + f"1{switch:02x}ffffffff00000000"
            self.assertEqual(frame[:24].hex(), head + "00000003")
            self.assertEqual(len(frame), 27 + (4 if tail else 0))

    def test_others(self) -> None:
        """Frames that are nothing but their fixed part."""
        self.assertEqual(boltHeartbeat(7).hex(), "01010000010000000701ffffffff0000000000000000")
        self.assertEqual(boltHeartbeatAck(7, 1).hex(), "0100000001000000070100010000000000000000")
        self.assertEqual(boltGoAway().hex(), "01010064010000000001000000000000000000000000")
        self.assertEqual(len(boltGoAway(version=2)), 24)
