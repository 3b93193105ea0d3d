"""Tests of both ends with frames of other implementations, and with broken ones."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import FAILED, GOAWAY, HEARTBEAT, HEARTBEAT_ACK, MESSAGE, Event
from mosntx.protocol.bolt.heads import BoltRequest, BoltResponse
from mosntx.protocol.bolt.protocol import BoltProtocol
from mosntx.protocol.errors import LimitError
from mosntx.testing.frames import boltHeartbeat, boltHeartbeatAck, boltResponse
from mosntx.testing.playbook import pieces, single, whole
from tests.protocol.bolt.vectors import load

FRAMES = load("bolt-v1", "bolt-v2")
STREAMS = load("bolt-streams")
BROKEN = load("malformed-bolt-v1", "malformed-bolt-v2")
_cuts = random.Random(3)
CUTS = [
    whole,
    single,
    *(pieces([_cuts.randint(1, 90) for _ in range(9)]) for _ in range(4)),
]


def codecFor(vector: dict[str, Any]) -> Any:
    protocol = BoltProtocol()
    return (
        protocol.serverCodec()
        if vector["direction"] == "client->server"
        else protocol.clientCodec()
    )


def feed(codec: Any, parts: Iterable[bytes]) -> list[Event]:
    return [event for part in parts for event in codec.receive(part)]


def fieldsOf(head: BoltRequest | BoltResponse) -> dict[str, Any]:
    fields = {
        "protocol": head.version,
        "request_id": head.requestId,
        "codec": head.codec,
        "class": head.className.decode(),
        "header": [[name.decode(), value.decode()] for name, value in head.headers.items()],
        "content_len": head.contentLength,
        "frame_len": len(head.frame),
    }
    if head.version == 2:
        fields["ver1"] = head.ver1
        fields["switch"] = head.switch
    if isinstance(head, BoltRequest):
        fields["type"] = 2 if head.oneway else 1
    else:
        fields["type"] = 0
        fields["status"] = head.boltStatus
    return fields


class FrameVectorTests(SynchronousTestCase):
    """Whole frames, one by one."""

    def test_fields(self) -> None:
        """Each frame, however cut, is one event with the fields that its source states."""
        for vector in FRAMES:
            fields = vector["fields"]
            for cut in CUTS:
                events = feed(codecFor(vector), cut(vector["octets"]))
                self.assertEqual(len(events), 1, vector["name"])
                kind, _, head, end = events[0]
                usual = HEARTBEAT if fields["type"] else HEARTBEAT_ACK
                self.assertEqual(kind, MESSAGE if fields["cmdcode"] else usual, vector["name"])
                self.assertTrue(end)
                seen = fieldsOf(head)
                self.assertEqual(seen, {key: fields[key] for key in seen}, vector["name"])

    def test_contents(self) -> None:
        """Content and timeout are those that the source states."""
        for vector in FRAMES:
            fields = vector["fields"]
            head = codecFor(vector).receive(vector["octets"])[0][2]
            if "content_hex" in fields:
                self.assertEqual(head.content.hex(), fields["content_hex"], vector["name"])
            else:
                digest = hashlib.sha256(head.content).hexdigest()
                self.assertEqual(digest, fields["content_sha256"], vector["name"])
            if "timeout" in fields:
                timeout = fields["timeout"]
                expected = timeout / 1000 if timeout > 0 else None
                self.assertEqual(head.timeout, expected, vector["name"])

    def test_service(self) -> None:
        """The service found in the octets is the one in the header map."""
        found = 0
        for vector in FRAMES:
            head = codecFor(vector).receive(vector["octets"])[0][2]
            if isinstance(head, BoltRequest):
                header = dict(vector["fields"]["header"])
                service = header.get("service") or header.get("sofa_head_target_service") or ""
                self.assertEqual(head.service.decode(), service, vector["name"])
                self.assertEqual(head.method.decode(), header.get("sofa_head_method_name", ""))
                found += bool(service)
        self.assertGreater(found, 30)

    def test_octets(self) -> None:
        """Each frame gives its own octets, also after being taken apart and put together."""
        for vector in FRAMES:
            octets = vector["octets"]
            head = codecFor(vector).receive(octets)[0][2]
            self.assertEqual(head.octets(head.requestId), octets, vector["name"])
            for name, value in dict(head.headers.items()).items():
                head.headers.set(name, value)
            self.assertEqual(head.octets(head.requestId), octets, vector["name"])
            head.content = head.content
            self.assertEqual(head.frame, octets, vector["name"])

    def test_fromFields(self) -> None:
        """A head made of the fields has the same octets."""
        compared = 0
        for vector in FRAMES:
            fields = vector["fields"]
            head = codecFor(vector).receive(vector["octets"])[0][2]
            if fields["cmdcode"] == 0 or fields["ver2"] != 1:
                continue
            common = {
                "className": head.className,
                "version": head.version,
                "ver1": head.ver1,
                "switch": head.switch,
                "codec": head.codec,
            }
            made: Any
            if isinstance(head, BoltRequest):
                made = BoltRequest.of(
                    head.mapOctets(),
                    head.content,
                    oneway=head.oneway,
                    milliseconds=fields["timeout"],
                    **common,
                )
            else:
                made = BoltResponse.of(
                    head.mapOctets(), head.content, boltStatus=fields["status"], **common
                )
            self.assertEqual(made.octets(head.requestId), vector["octets"], vector["name"])
            compared += 1
        self.assertGreater(compared, 100)

    def test_throughBothEnds(self) -> None:
        """A request or response goes through a proxy with nothing but its id (and CRC) changed."""
        protocol = BoltProtocol()
        for vector in FRAMES:
            if vector["fields"]["cmdcode"] == 0:
                continue
            server = protocol.serverCodec()
            client = protocol.clientCodec()
            number, head = codecFor(vector).receive(vector["octets"])[0][1:3]
            if isinstance(head, BoltRequest):
                client.nextId = 0xFEDCBA98
                _, forwarded = client.requestHead(head, True)
            else:
                request = BoltRequest.of(version=head.version, ver1=head.ver1)
                number = server.receive(request.octets(0xFEDCBA98))[0][1]
                forwarded = server.responseHead(number, head, True)
            self.assertEqual(forwarded, head.octets(0xFEDCBA98), vector["name"])
            back = codecFor(vector).receive(forwarded)[0][2]
            self.assertEqual(back.requestId, 0xFEDCBA98)
            self.assertEqual(back.octets(head.requestId), vector["octets"], vector["name"])


class StreamVectorTests(SynchronousTestCase):
    """Whole conversations."""

    def test_streams(self) -> None:
        """However a stream is cut, the same frames come out in order, and nothing is left."""
        for vector in STREAMS:
            fields = vector["fields"]
            for cut in CUTS:
                heads = [event[2] for event in feed(codecFor(vector), cut(vector["octets"]))]
                self.assertEqual([len(head.frame) for head in heads], fields["frame_lengths"])
                self.assertEqual([head.requestId for head in heads], fields["request_ids"])
                octets = b"".join(head.octets(head.requestId) for head in heads)
                self.assertEqual(octets, vector["octets"])

    def test_interleaved(self) -> None:
        """Frames of both versions share a connection, in any order."""
        for direction in ("client->server", "server->client"):
            frames = [vector for vector in FRAMES if vector["direction"] == direction]
            random.Random(5).shuffle(frames)
            octets = b"".join(vector["octets"] for vector in frames)
            for cut in CUTS:
                heads = [event[2] for event in feed(codecFor(frames[0]), cut(octets))]
                self.assertEqual(
                    [head.frame for head in heads], [vector["octets"] for vector in frames]
                )


class BrokenVectorTests(SynchronousTestCase):
    """What each broken frame (and the odd good one among them) leads to."""

    def receive(self, vector: dict[str, Any]) -> Iterable[tuple[Any, list[Event]]]:
        for cut in CUTS:
            codec = codecFor(vector)
            yield codec, feed(codec, cut(vector["octets"]))

    def alive(self, codec: Any) -> None:
        events = codec.receive(boltHeartbeat(900))
        self.assertEqual([event[0] for event in events], [HEARTBEAT])
        self.assertEqual(events[0][2].requestId, 900)

    def waits(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual(events, [])
            self.assertFalse(codec.closing)
            self.assertEqual(codec.receiveEof(), [])
            self.assertEqual(codec.bytesToSend(), b"")

    def closes(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual([event[0] for event in events], [FAILED], vector["name"])
            self.assertTrue(codec.closing)
            self.assertEqual(codec.bytesToSend(), b"")

    def overLimit(self, vector: dict[str, Any]) -> None:
        self.closes(vector)
        for _, events in self.receive(vector):
            self.assertIsInstance(events[0][2], LimitError)

    def goesAway(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual(events, [(GOAWAY, 0, 0, True)])
            self.alive(codec)

    def answers18(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual(events, [])
            self.assertEqual(codec.bytesToSend(), boltResponse(77, status=18, className=b""))
            self.assertEqual(codec.brokenMaps, 1)
            self.alive(codec)

    def lastServiceWins(self, vector: dict[str, Any]) -> None:
        self.forwards(vector)
        for _, events in self.receive(vector):
            self.assertEqual(events[0][2].service, b"com.lab.Other:1.0")
            self.assertEqual(events[0][2].headers.get(b"service"), b"com.lab.Other:1.0")

    def noRoute(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            kind, number, head, _ = events[0]
            self.assertEqual((kind, head.service), (MESSAGE, b""))
            reply = BoltProtocol().localReply(head, 404, b"route not found")
            written = codec.responseHead(number, reply.head, True)
            self.assertEqual(written, boltResponse(77, status=6, className=b""))

    def forwards(self, vector: dict[str, Any]) -> None:
        octets = vector["octets"]
        for _, events in self.receive(vector):
            self.assertEqual(len(events), 1)
            _, written = BoltProtocol().clientCodec().requestHead(events[0][2], True)
            self.assertEqual(written, octets[:5] + b"\0\0\0\1" + octets[9:])

    def ignores(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual(events, [])
            self.assertEqual(codec.ignored, 1)
            self.assertEqual(codec.bytesToSend(), b"")
            self.alive(codec)

    def answersThenCloses(self, vector: dict[str, Any]) -> None:
        for codec, events in self.receive(vector):
            self.assertEqual([event[0] for event in events], [HEARTBEAT, FAILED])
            self.assertEqual(codec.heartbeatAck(events[0][2]), boltHeartbeatAck(55))

    def acknowledges(self, vector: dict[str, Any]) -> None:
        versions = {
            "two-in-one": [(1, 1, 61), (1, 1, 62)],
            "id-0": [(1, 1, 0)],
            "hb-with-content": [(1, 1, 64)],
            "good-crc-heartbeat": [(2, 2, 71)],
            "ver1-1-switch-1-nocrc": [(2, 1, 74)],
            "switch-2": [(2, 2, 76)],
            "v1-after-v2": [(2, 2, 79), (1, 1, 80)],
            "ver-mix": [(2, 2, 81), (2, 1, 82)],
        }
        for codec, events in self.receive(vector):
            self.assertEqual({event[0] for event in events}, {HEARTBEAT})
            acks = [codec.heartbeatAck(event[2]) for event in events]
            expected = [
                boltHeartbeatAck(requestId, version=version, ver1=ver1)
                for version, ver1, requestId in versions[vector["name"]]
            ]
            self.assertEqual(acks, expected)

    #: How ``fields.expected`` begins, and what that means here.
    REACTIONS: ClassVar[dict[str, Callable[[Any, dict[str, Any]], None]]] = {
        "wait for the rest": waits,
        "unsigned 16 bit: wait": waits,
        "close the connection without an answer": closes,
        "do not forward; ignore (SOFABolt) or close": closes,
        "SOFABolt closes": closes,
        "SOFABolt never answers (waits for ever); close is better": closes,
        "over the frame limit: close": overLimit,
        "goaway": goesAway,
        "answer status 18": answers18,
        "as hdr-inner-len-past-end": answers18,
        "forward unchanged; for routing the last value wins": lastServiceWins,
        "forward unchanged: the proxy does not decode": forwards,
        "no service header: no route": noRoute,
        "ignore: no such stream": ignores,
        "answer the good frame, then close": answersThenCloses,
        "two answers": acknowledges,
        "answer with the same id": acknowledges,
        "ack": acknowledges,
        "a complete frame without trailer": acknowledges,
        "ignore the unknown bit": acknowledges,
        "both answered": acknowledges,
    }

    def test_reactions(self) -> None:
        """Each leads to what its ``expected`` says, however cut."""
        for vector in BROKEN:
            expected = vector["fields"]["expected"]
            found = [key for key in self.REACTIONS if expected.startswith(key)]
            self.assertEqual(len(found), 1, expected)
            self.REACTIONS[found[0]](self, vector)
        self.assertEqual(len(BROKEN), 45)
