"""Tests of the frame builders against frames of other implementations."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.trframes import (
    HEARTBEAT_CLASS,
    LONG_FORMS,
    connectionResponse,
    hessianLong,
    hessianObject,
    hessianText,
    sofaResponse,
    trFrame,
    trHeartbeat,
    trRequest,
)
from tests.protocol.bolt.vectors import load

VECTORS = {vector["name"]: vector["octets"] for vector in load("tr")}


class FrameTests(SynchronousTestCase):
    """What SOFA's Java writers make of the same objects."""

    def test_heartbeat(self) -> None:
        """Heartbeats without and with an object."""
        self.assertEqual(trHeartbeat(101), VECTORS["h2-hb-empty-content"])
        content = hessianObject(0, HEARTBEAT_CLASS)
        self.assertEqual(trHeartbeat(100, content), VECTORS["h2-hb-with-object"])

    def test_response(self) -> None:
        """A response without a result."""
        name = b"com.alipay.sofa.rpc.core.response.SofaResponse"
        octets = trFrame(1, connectionResponse(b"\xef"), name, sofaResponse())
        self.assertEqual(octets, VECTORS["h2-res-null"])

    def test_ids(self) -> None:
        """Connection objects with ids of each size."""
        for name, octets in VECTORS.items():
            if name.startswith("h2-req-id-"):
                number = int(name.removeprefix("h2-req-id-"))
                end = 14 + int.from_bytes(octets[5:9], "big")
                self.assertEqual(trRequest(number)[5:9], octets[5:9])
                self.assertEqual(trRequest(number)[14:end], octets[14:end])

    def test_sizes(self) -> None:
        """A long can be asked for in a longer form than it needs, not in a shorter one."""
        self.assertEqual([len(hessianLong(1, size)) for size in LONG_FORMS], list(LONG_FORMS))
        self.assertRaises(ValueError, hessianLong, 16, 1)
        self.assertRaises(ValueError, hessianLong, 1 << 63)

    def test_texts(self) -> None:
        """Short, long and no text."""
        self.assertEqual(hessianText(b"a"), b"\1a")
        self.assertEqual(hessianText(b"a" * 32), b"S\0\x20" + b"a" * 32)
        self.assertEqual(hessianText(None), b"N")
