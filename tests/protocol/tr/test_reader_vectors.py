"""Tests of both ends with frames of other implementations, and with broken ones."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, HEARTBEAT, HEARTBEAT_ACK, MESSAGE, Event
from mosntx.protocol.errors import LimitError
from mosntx.protocol.tr.connection import ConnectionReader
from mosntx.protocol.tr.heads import HEARTBEAT_CLASS, TrFrame, readHead
from mosntx.protocol.tr.protocol import TrProtocol
from mosntx.testing.playbook import pieces, single, whole
from mosntx.testing.trframes import REQUEST_CLASS, trFrame
from tests.protocol.bolt.vectors import load

VECTORS = load("tr")
#: Some are connection objects only: requests are made around them.
FRAMES = [vector for vector in VECTORS if vector["octets"][0] == 13]
OBJECTS = [vector for vector in VECTORS if vector["octets"][0] != 13]
REWRITES = load("tr-rewrite")
BROKEN = {vector["name"]: vector for vector in load("malformed-tr")}
_cuts = random.Random(3)
CUTS = [
    whole,
    single,
    *(pieces([_cuts.randint(1, 90) for _ in range(9)]) for _ in range(4)),
]


def codecFor(vector: dict[str, Any]) -> Any:
    protocol = TrProtocol()
    return protocol.clientCodec() if vector["octets"][1:2] == b"\1" else protocol.serverCodec()


def feed(codec: Any, parts: Iterable[bytes]) -> list[Event]:
    return [event for part in parts for event in codec.receive(part)]


def fieldsOf(head: Any) -> dict[str, Any]:
    properties = {
        name.decode().removeprefix("x-mosn-sofarpc-headers-property-"): int(value)
        for name, value in head.headers.items()
        if name.startswith(b"x-mosn")
    }
    fields = {
        "flag": properties["requestflag"],
        "serialize": properties["serializeprotocol"],
        "direction": properties["direction"],
        "reserved": properties["reserved"],
        "conn_len": properties["connrequestlen"],
        "class_name_len": properties["appclassnamelen"],
        "content_len": properties["appclasscontentlen"],
        "request_id": properties["requestid"],
        "class_name": head.className.decode(),
        "frame_len": len(head.frame),
    }
    service = head.headers.get(b"service")
    if service is not None:
        fields["service"] = service.decode()
    return fields


class FrameVectorTests(SynchronousTestCase):
    """Whole frames, one by one."""

    def test_fields(self) -> None:
        """Each frame, however cut, is one event with the fields that its source states."""
        self.assertEqual((len(FRAMES), len(OBJECTS)), (54, 7))
        for vector in FRAMES:
            expected = vector["fields"]
            for cut in CUTS:
                events = feed(codecFor(vector), cut(vector["octets"]))
                self.assertEqual(len(events), 1, vector["name"])
                seen = fieldsOf(events[0][2])
                for key, value in expected.items():
                    if key in seen:
                        self.assertEqual(seen[key], value, (vector["name"], key))
                self.assertEqual(seen["request_id"], expected["request_id"])
                self.assertLessEqual({"service"} & set(expected), set(seen))

    def test_kinds(self) -> None:
        """Heartbeats are told by their class; the stream's number is ours, or the id."""
        for vector in FRAMES:
            (kind, number, head, end) = codecFor(vector).receive(vector["octets"])[0]
            beats = head.className == HEARTBEAT_CLASS
            self.assertTrue(end)
            if vector["octets"][1]:
                self.assertEqual(kind, HEARTBEAT_ACK if beats else MESSAGE)
                self.assertEqual(number, vector["fields"]["request_id"])
            else:
                self.assertEqual((kind, number), (HEARTBEAT, 0) if beats else (MESSAGE, 1))

    def test_idPlace(self) -> None:
        """The id is where its source says, in the form that it has there."""
        for vector in FRAMES:
            fields = vector["fields"]
            if "id_bytes" not in fields:
                continue
            octets = vector["octets"]
            start = fields["id_offset"]
            end = start + len(bytes.fromhex(fields["id_bytes"]))
            self.assertEqual(octets[start:end].hex(), fields["id_bytes"])
            changed = readHead(octets, ConnectionReader()).octets(fields["request_id"] ^ 1)
            self.assertEqual(changed[9:start], octets[9:start])
            self.assertTrue(changed.endswith(octets[end:]))
            self.assertNotEqual(changed[start:], octets[start:])

    def test_backAndForth(self) -> None:
        """With another id and then its own again, each frame has its own octets."""
        others = (0, 15, 16, -9, 2048, 300_000, 1 << 31, -(1 << 63))
        for vector in FRAMES:
            octets = vector["octets"]
            head: TrFrame = readHead(octets, ConnectionReader())
            self.assertIs(head.octets(head.requestId), octets)
            for other in others:
                changed = readHead(head.octets(other), ConnectionReader())
                self.assertEqual(changed.requestId, other)
                self.assertEqual(changed.content, head.content)
                self.assertEqual(changed.octets(head.requestId), octets, vector["name"])

    def test_objects(self) -> None:
        """Connection objects of Node's writer are read."""
        for vector in OBJECTS:
            octets = trFrame(0, vector["octets"], REQUEST_CLASS, b"")
            head = readHead(octets, ConnectionReader())
            self.assertEqual(head.requestId, vector["fields"]["request_id"])

    def test_oneStream(self) -> None:
        """All requests, and all responses, are understood on one connection, in any cut."""
        for flag, size in ((0, 27), (1, 27)):
            frames = [vector for vector in FRAMES if vector["octets"][1] == flag]
            self.assertGreater(len(frames), size - 8)
            stream = b"".join(vector["octets"] for vector in frames)
            expected = [vector["fields"]["request_id"] for vector in frames]
            for cut in CUTS:
                events = feed(codecFor(frames[0]), cut(stream))
                self.assertEqual([event[2].requestId for event in events], expected)
                self.assertEqual(
                    [event[2].frame for event in events], [v["octets"] for v in frames]
                )


class RewriteVectorTests(SynchronousTestCase):
    """Pairs of frames that differ in the id only, as the Java writers write them."""

    def test_pairs(self) -> None:
        """One becomes the other, in both directions, with a fresh reader and with a used one."""
        self.assertEqual(len(REWRITES), 103)
        used = ConnectionReader()
        for vector in REWRITES:
            fields = vector["fields"]
            old, new = vector["octets"], bytes.fromhex(fields["expect_hex"])
            for reader in (used, ConnectionReader()):
                for source, target, was, becomes in (
                    (old, new, "old_id", "new_id"),
                    (new, old, "new_id", "old_id"),
                ):
                    head = readHead(source, reader)
                    self.assertEqual(head.requestId, fields[was])
                    self.assertEqual(head.octets(fields[becomes]), target, vector["name"])


class BrokenVectorTests(SynchronousTestCase):
    """The stated reaction to each broken frame, however it is cut."""

    #: Name -> what the reason names.
    CLOSED: ClassVar = {
        "flag-2": "flag 2",
        "flag-255": "flag 255",
        "ser-9": "serialization 9",
        "app-len-ffffffff": "content of 4294967295 octets, at most 67108864",
        "lens-overflow-sum": "connection object of 4294967040 octets, at most 1048576",
        "conn-len-0": "connection object: the value is cut off",
        "conn-len-short": "connection object: a string is cut off",
        "conn-len-long": "connection object: 3 octets too many",
        "conn-garbage": "connection object: 38 octets too many",
        "conn-null": "connection object: no request id",
        "id-is-string": "connection object: no integer where one is needed",
        "id-is-null": "connection object: no integer where one is needed",
        "bad-class-ref": "connection object: class 5 is not defined",
        "class-name-len-huge": "connection object: a name of 2147483647 characters",
        "self-ref-loop": "connection object: 76 octets too many",
        "bolt-on-tr": "version 1",
    }
    #: Name -> services of the requests that are understood.
    UNDERSTOOD: ClassVar = {
        "dir-0": [b"com.alipay.demo.SampleService:1.0"],
        "id-is-int": [b"com.alipay.demo.SampleService:1.0"],
        "app-garbage": [b""],
        "app-empty": [b""],
        "app-no-service": [b""],
        "two-frames": [b"com.alipay.demo.SampleService:1.0"] * 2,
        "response-to-server": [],
        "trunc-1": [],
        "trunc-conn": [],
        "trunc-app": [],
    }

    def test_all(self) -> None:
        """Each vector has its place in one of the tests."""
        names = {*self.CLOSED, *self.UNDERSTOOD, "good-then-garbage"}
        self.assertEqual(names, set(BROKEN))

    def test_closed(self) -> None:
        """A failure that names field and value; nothing is understood any more."""
        for name, reason in self.CLOSED.items():
            for cut in CUTS:
                codec = TrProtocol().serverCodec()
                events = feed(codec, cut(BROKEN[name]["octets"]))
                self.assertEqual([event[0] for event in events], [FAILED], name)
                error = events[0][2]
                self.assertEqual((error.reason, error.status), (f"tr: {reason}", 400))
                self.assertEqual(isinstance(error, LimitError), "at most" in reason)
                self.assertTrue(codec.closing)
                self.assertEqual((codec.receive(b"\x0d"), codec.bytesToSend()), ([], b""))

    def test_understood(self) -> None:
        """Requests that only routes may refuse; cut ones wait, and are dropped at the end."""
        for name, services in self.UNDERSTOOD.items():
            for cut in CUTS:
                codec = TrProtocol().serverCodec()
                events = feed(codec, cut(BROKEN[name]["octets"]))
                self.assertEqual([event[2].service for event in events], services, name)
                self.assertEqual({event[0] for event in events}, {MESSAGE} if services else set())
                self.assertFalse(any(event[2].oneway for event in events))
                self.assertEqual(codec.ignored, int(name == "response-to-server"))
                self.assertEqual(codec.receiveEof() + codec.timeout(), [])

    def test_goodThenGarbage(self) -> None:
        """The good request is served, then the connection ends."""
        for cut in CUTS:
            events = feed(TrProtocol().serverCodec(), cut(BROKEN["good-then-garbage"]["octets"]))
            self.assertEqual([event[0] for event in events], [MESSAGE, FAILED])
