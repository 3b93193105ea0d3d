"""What every codec keeps to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import TestCase

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zope.interface.verify import verifyClass, verifyObject

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    HEAD,
    INFORMATIONAL,
    MATCH,
    MESSAGE,
    MULTIPLEX,
    NEED_MORE,
    NO_MATCH,
    PING_PONG,
    RESET,
    TRAILERS,
    Event,
    IClientCodec,
    IProtocol,
    IServerCodec,
)
from mosntx.contracts.message import IHeaders, ILocalReply, IRequestHead, IResponseHead
from mosntx.contracts.stream import LOCAL_RESET
from mosntx.testing.playbook import pieces, single, transcript

if TYPE_CHECKING:
    _Base = TestCase
else:
    _Base = object

#: A suite is run by many classes; Hypothesis would take that for a mistake.
_shared = settings(suppress_health_check=[HealthCheck.differing_executors])
_SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)


def assertLegal(events: list[Event], before: dict[int, str] | None = None) -> dict[int, str]:
    """Check the order of events, stream by stream: head, data, trailers, and nothing after an end.

    :param before: what an earlier call returned, to go on from there.
    :return: for each stream ``open`` or ``over``.
    :raises AssertionError: when the order is broken.
    """
    states = dict(before or {})
    for place, (kind, number, _, end) in enumerate(events):
        state = states.get(number)
        if kind == FAILED:
            assert place == len(events) - 1, "something follows FAILED"
            assert end, "FAILED is no end"
            states[number] = "over"
        elif kind == HEAD:
            assert state is None, "a second head"
            states[number] = "over" if end else "open"
        elif kind == MESSAGE:
            assert state != "open", "a message inside another"
            assert end, "a whole message is an end"
            states[number] = "over"
        elif kind in (DATA, TRAILERS):
            assert state == "open", "body without a head, or after the end"
            assert end or kind == DATA, "trailers are no end"
            if end:
                states[number] = "over"
        elif kind == INFORMATIONAL:
            assert state is None, "an interim response after the final one"
        elif kind == RESET:
            assert state != "over", "a reset after the end"
            states[number] = "over"
    return states


class CodecSuite(_Base):
    """A mixin for ``SynchronousTestCase``: `IProtocol` and both codecs.

    A subclass defines `protocol`, `requests`, `requestHead`, `response` and `brokenRequests`.
    """

    def protocol(self) -> IProtocol:
        """Return a new protocol."""
        raise NotImplementedError

    def requests(self) -> list[bytes]:
        """Return octets of complete requests, each fit to begin a connection."""
        raise NotImplementedError

    def requestHead(self) -> Any:
        """Return the head of a request without a body."""
        raise NotImplementedError

    def response(self, number: int) -> bytes:
        """Return a complete response for the stream ``number`` of a client codec."""
        raise NotImplementedError

    def brokenRequests(self) -> list[bytes]:
        """Return octets that make a fresh server codec fail."""
        raise NotImplementedError

    def _started(self) -> tuple[Any, int]:
        codec = self.protocol().clientCodec()
        number, octets = codec.requestHead(self.requestHead(), True)
        self.assertTrue(octets)
        return codec, number

    def test_contracts(self) -> None:
        """Protocol, codecs and what they make provide their contracts."""
        protocol = self.protocol()
        verifyObject(IProtocol, protocol)
        verifyClass(IProtocol, type(protocol))
        for contract, codec in (
            (IServerCodec, protocol.serverCodec()),
            (IClientCodec, protocol.clientCodec()),
        ):
            verifyObject(contract, codec)
            verifyClass(contract, type(codec))
        self.assertIn(protocol.poolMode, (PING_PONG, MULTIPLEX))
        for octets in self.requests():
            head = protocol.serverCodec().receive(octets)[0][2]
            verifyObject(IRequestHead, head)
            verifyObject(IHeaders, head.headers)

    def test_detect(self) -> None:
        """Own requests match at the latest when complete, and a match is not taken back."""
        protocol = self.protocol()
        for octets in self.requests():
            seen = [protocol.detect(octets[:size]) for size in range(len(octets) + 1)]
            self.assertEqual(seen[-1], MATCH)
            first = seen.index(MATCH)
            self.assertEqual(set(seen[:first]) | {NEED_MORE}, {NEED_MORE})
            self.assertEqual(set(seen[first:]), {MATCH})

    @_shared
    @given(st.binary(max_size=64))
    def test_detectAnything(self, octets: bytes) -> None:
        """Detection answers for any octets, and a refusal is not taken back."""
        protocol = self.protocol()
        seen = [protocol.detect(octets[:size]) for size in range(len(octets) + 1)]
        self.assertLessEqual(set(seen), {MATCH, NO_MATCH, NEED_MORE})
        if NO_MATCH in seen:
            self.assertEqual(set(seen[seen.index(NO_MATCH) :]), {NO_MATCH})

    def test_requestsWhole(self) -> None:
        """A complete request gives its parts in order and leaves nothing open."""
        for octets in self.requests():
            codec = self.protocol().serverCodec()
            events = codec.receive(octets)
            self.assertEqual(set(assertLegal(events).values()), {"over"})
            self.assertNotIn(FAILED, [event[0] for event in events])
            self.assertEqual(codec.waitLimit, 0.0)

    @_shared
    @given(_SIZES)
    def test_requestsCut(self, sizes: list[int]) -> None:
        """However requests are cut, the same parts come out, good or broken."""
        for octets in self.requests() + self.brokenRequests():
            expected = transcript(self.protocol().serverCodec(), octets)
            for cut in (single, pieces(sizes)):
                self.assertEqual(transcript(self.protocol().serverCodec(), octets, cut), expected)

    @_shared
    @given(_SIZES)
    def test_responsesCut(self, sizes: list[int]) -> None:
        """However responses are cut, the same parts come out."""
        codec, number = self._started()
        octets = self.response(number)
        expected = transcript(codec, octets)
        for cut in (single, pieces(sizes)):
            self.assertEqual(transcript(self._started()[0], octets, cut), expected)

    def test_responses(self) -> None:
        """A complete response gives its parts in order and leaves nothing open."""
        codec, number = self._started()
        events = codec.receive(self.response(number))
        self.assertEqual(assertLegal(events), {number: "over"})
        verifyObject(IResponseHead, events[0][2])

    def test_broken(self) -> None:
        """Broken input ends in one failure, behind which everything is ignored."""
        for octets in self.brokenRequests():
            codec = self.protocol().serverCodec()
            events = codec.receive(octets)
            self.assertEqual(events[-1][0], FAILED, octets[:80])
            assertLegal(events)
            error = events[-1][2]
            self.assertIsInstance(error.status, int)
            self.assertTrue(error.reason.isprintable())
            codec.bytesToSend()
            self.assertEqual(codec.bytesToSend(), b"")
            self.assertTrue(codec.closing)
            self.assertEqual(codec.waitLimit, 0.0)
            for more in (*self.requests(), b"\0"):
                self.assertEqual(codec.receive(more), [])
            self.assertEqual(codec.receiveEof() + codec.timeout(), [])
            self.assertEqual(codec.bytesToSend(), b"")

    @_shared
    @given(st.data())
    def test_anything(self, data: st.DataObject) -> None:
        """Neither end raises, whatever a peer sends, and events stay in order."""
        server = self.protocol().serverCodec()
        client, number = self._started()
        for codec, good in (
            (server, data.draw(st.sampled_from(self.requests()))),
            (client, self.response(number)),
        ):
            octets = bytearray(good)
            for _ in range(data.draw(st.integers(0, 4))):
                octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
            octets[data.draw(st.integers(0, len(octets))) :] = data.draw(st.binary(max_size=64))
            events = codec.receive(bytes(octets))
            self.assertIsInstance(codec.bytesToSend(), bytes)
            states = assertLegal(events)
            failed = bool(events) and events[-1][0] == FAILED
            events = codec.receive(data.draw(st.binary(max_size=64)))
            if failed:
                self.assertEqual(events, [])
            assertLegal(events, states)

    def test_eofAnywhere(self) -> None:
        """When the peer stops, no stream is left open; nothing comes afterwards."""
        for octets in self.requests():
            for size in range(len(octets) + 1):
                self._stopped(self.protocol().serverCodec(), octets[:size], octets)
        protocol = self.protocol()
        number = self._started()[1]
        octets = self.response(number)
        for size in range(len(octets)):
            states = self._stopped(self._started()[0], octets[:size], octets)
            if protocol.poolMode == PING_PONG:
                self.assertEqual(states.get(number), "over")

    def _stopped(self, codec: Any, octets: bytes, more: bytes) -> dict[int, str]:
        states = assertLegal(codec.receive(octets))
        states = assertLegal(codec.receiveEof(), states)
        self.assertNotIn("open", states.values())
        return states

    def test_localReply(self) -> None:
        """A local reply goes through the server's codec, with and without a text."""
        for octets in self.requests():
            for text in (b"", b"no healthy upstream"):
                protocol = self.protocol()
                codec = protocol.serverCodec()
                event = codec.receive(octets)[0]
                reply = protocol.localReply(event[2], 503, text)
                verifyObject(ILocalReply, reply)
                verifyObject(IResponseHead, reply.head)
                self.assertEqual(reply.head.status, 503)
                if not text:
                    self.assertEqual(reply.body, b"")
                written = codec.responseHead(event[1], reply.head, not reply.body)
                if reply.body:
                    written += codec.responseData(event[1], reply.body, True)
                self.assertTrue(written)

    def test_reset(self) -> None:
        """Both ends can give a stream up, in octets or by closing."""
        for octets in self.requests():
            codec = self.protocol().serverCodec()
            number = codec.receive(octets)[0][1]
            self.assertIsInstance(codec.responseReset(number, LOCAL_RESET), bytes | None)
        client, number = self._started()
        self.assertIsInstance(client.reset(number, LOCAL_RESET), bytes | None)
