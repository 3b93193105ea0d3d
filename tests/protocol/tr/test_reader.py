"""Tests of framing: limits before anything is kept, and what ids cannot be read."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, HEARTBEAT, MESSAGE
from mosntx.protocol.errors import LimitError
from mosntx.protocol.tr.limits import TrLimits
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.playbook import pieces
from mosntx.testing.trframes import (
    HEARTBEAT_CLASS,
    REQUEST_CLASS,
    hessianObject,
    trFrame,
    trHeartbeat,
    trRequest,
    trResponse,
)

SMALL = TrLimits(max_connection_object=130, max_class_name=50, max_content=300)


class LimitTests(SynchronousTestCase):
    """Lengths are looked at before what they announce is kept."""

    def test_each(self) -> None:
        """Each limit holds for the announcement alone, at both ends, and its value passes."""
        for place, most, field in (
            (0, 130, "connection object"),
            (1, 50, "class name"),
            (2, 300, "content"),
        ):
            for flag, status in ((0, 400), (1, 502)):
                for over in (0, 1):
                    lengths = [0, 0, 0]
                    lengths[place] = most + over
                    octets = trFrame(
                        flag, b"", b"", b"", lengths=(lengths[0], lengths[1], lengths[2])
                    )
                    protocol = TrProtocol(SMALL)
                    codec = protocol.clientCodec() if flag else protocol.serverCodec()
                    events = codec.receive(octets)
                    if not over:
                        self.assertEqual(events, [])
                        continue
                    kind, number, error, end = events[0]
                    self.assertEqual((kind, number, end), (FAILED, 0, True))
                    self.assertIsInstance(error, LimitError)
                    self.assertEqual(error.status, status)
                    self.assertEqual(
                        error.reason, f"tr: {field} of {most + 1} octets, at most {most}"
                    )

    def test_defaults(self) -> None:
        """The default limits are the documented ones."""
        limits = TrProtocol().limits
        self.assertEqual(limits.max_content, 64 * 1024 * 1024)
        self.assertEqual((limits.max_connection_object, limits.max_class_name), (1 << 20, 255))

    def test_lie(self) -> None:
        """A length of 64 MiB costs nothing before its octets are there."""
        codec = TrProtocol().serverCodec()
        tracemalloc.start()
        octets = trFrame(0, b"", b"", b"", lengths=(100, 20, 64 << 20))
        for octet in octets:
            self.assertEqual(codec.receive(bytes([octet])), [])
        self.assertEqual(codec.receive(bytes(1000)), [])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertLess(most, 65536)

    def test_firstOctet(self) -> None:
        """Another protocol is told from its first octet on."""
        for octet in (0, 1, 2, 12, 14, 0x47, 0xFF):
            self.assertEqual(TrProtocol().serverCodec().receive(bytes([octet]))[0][0], FAILED)

    def test_large(self) -> None:
        """A frame of some MiB arrives whole, and so does the next that begins in the same read."""
        content = bytes(range(256)) * (3 << 12)
        octets = trRequest(7, b"B\0\0" + content) + trRequest(8)
        codec = TrProtocol().serverCodec()
        events = [event for part in pieces([65536])(octets) for event in codec.receive(part)]
        self.assertEqual([event[2].requestId for event in events], [7, 8])
        self.assertTrue(events[0][2].content.endswith(content))


class IdTests(SynchronousTestCase):
    """Frames whose id cannot be read."""

    def test_heartbeats(self) -> None:
        """Heartbeats without an id are dropped and counted; the connection goes on."""
        for connection in (b"", b"N", b"garbage", hessianObject(0, b"x.RequestContext")):
            codec = TrProtocol().serverCodec()
            bad = trFrame(0, connection, HEARTBEAT_CLASS, b"", direction=2)
            events = codec.receive(bad + trRequest(5) + bad + trHeartbeat(6))
            self.assertEqual([event[0] for event in events], [MESSAGE, HEARTBEAT])
            self.assertEqual(codec.ignored, 2)

    def test_twoIds(self) -> None:
        """An object in which two fields could be the id is refused."""
        context = (b"id", b"\xe1")
        inner = hessianObject(1, b"a.RequestContext", context)
        other = hessianObject(2, b"b.RequestContext", context)
        connection = hessianObject(0, b"ConnectionRequest", (b"ctx", inner), (b"more", other))
        event = TrProtocol().serverCodec().receive(trFrame(0, connection, REQUEST_CLASS, b""))[0]
        self.assertEqual(event[0], FAILED)
        self.assertIn("id is there twice", event[2].reason)

    def test_deepId(self) -> None:
        """An id that is not in the object's own context is none."""
        inner = hessianObject(2, b"a.RequestContext", (b"id", b"\xe1"))
        connection = hessianObject(
            0, b"ConnectionRequest", (b"x", hessianObject(1, b"Other", (b"ctx", inner)))
        )
        event = TrProtocol().serverCodec().receive(trFrame(0, connection, REQUEST_CLASS, b""))[0]
        self.assertEqual(event[2].reason, "tr: connection object: no request id")

    def test_bomb(self) -> None:
        """An object that nests without end is refused."""
        for connection in (b"V" * 100_000, b"O\x91x\x90" * 25_000, b"s\0\0" * 30_000):
            frame = trFrame(0, connection, REQUEST_CLASS, b"")
            event = TrProtocol().serverCodec().receive(frame)[0]
            self.assertEqual(event[0], FAILED)
            self.assertIn("more than", event[2].reason)


class AnyTests(SynchronousTestCase):
    """Octets that nobody has made on purpose."""

    @given(st.data())
    def test_changed(self, data: st.DataObject) -> None:
        """Frames with changed octets never raise, and what is understood can be written again."""
        for codec, good in (
            (TrProtocol(SMALL).serverCodec(), trRequest(300)),
            (TrProtocol(SMALL).clientCodec(), trResponse(300)),
        ):
            octets = bytearray(good * 2)
            for _ in range(data.draw(st.integers(1, 3))):
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
            for event in codec.receive(bytes(octets)):
                if event[0] != FAILED:
                    head = event[2]
                    self.assertEqual(head.octets(head.requestId), head.frame)
                    head.headers.items()
                    self.assertIsInstance(head.octets(1 << 40), bytes)
                    self.assertIn(getattr(head, "status", 200), (200, 500))
