"""The end that reads responses, against a server that is played frame by frame."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, GOAWAY, HEAD, INFORMATIONAL, PUSH, RESET
from mosntx.contracts.stream import GLOBAL_TIMEOUT, PROTOCOL_ERROR, REFUSED, REMOTE_RESET
from mosntx.protocol.buckets import Rate
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.http2.client import RELAYED_PRIORITIES
from mosntx.protocol.http2.codes import NO_RFC7540_PRIORITIES, PREFACE
from mosntx.protocol.http2.guard import FloodLimits
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.testing import h2frames
from tests.protocol.http2.build import Raw, drained, request

OK = ((b":status", b"200"),)
HINTS = ((b":status", b"103"),)


def head(stream: int, end: bool = True, *more: tuple[bytes, bytes]) -> bytes:
    """Return the head of a response."""
    return h2frames.request(stream, (*OK, *more), end)


def promise(
    stream: int, promised: int, fields: tuple[tuple[bytes, bytes], ...] = h2frames.GET
) -> bytes:
    """Return the promise of a response."""
    return h2frames.pushPromise(stream, promised, h2frames.fieldBlock(fields))


class Cases:
    """What a client takes and what not."""

    engine: ClassVar[str]

    def raw(self, *settings: tuple[int, int], **limits: Any) -> Raw:
        return Raw("client", self.engine, settings, **limits)

    def open(self, raw: Raw, count: int = 1) -> list[int]:
        numbers = [raw.codec.requestHead(request(), True)[0] for _ in range(count)]
        raw.frames()
        return numbers

    def test_firstOctets(self: Any) -> None:
        """The preface and SETTINGS leave before all else."""
        octets = drained(Http2Protocol(None, self.engine).clientCodec())
        self.assertTrue(octets.startswith(PREFACE))
        first = h2frames.parseFrames(octets[len(PREFACE) :])[0]
        said = h2frames.readSettings(first.payload)
        self.assertEqual(
            (said[h2frames.ENABLE_PUSH], said[h2frames.MAX_CONCURRENT_STREAMS]), (1, 100)
        )
        off = h2frames.readSettings(self.raw(enable_push=False).first[0].payload)
        self.assertEqual(off.get(h2frames.ENABLE_PUSH, 0), 0)

    def test_capacity(self: Any) -> None:
        """Every open stream counts until it is over, whichever way it ends."""
        raw = self.raw((h2frames.MAX_CONCURRENT_STREAMS, 4))
        self.assertEqual(raw.codec.capacity, 4)
        self.open(raw, 4)
        self.assertEqual(raw.codec.capacity, 0)
        raw.receive(head(1))
        self.assertEqual(raw.codec.capacity, 1)
        raw.receive(h2frames.rstStream(3))
        self.assertEqual(raw.codec.capacity, 2)
        raw.codec.reset(5, GLOBAL_TIMEOUT)
        self.assertEqual(raw.codec.capacity, 3)
        raw.receive(h2frames.request(7, ((b":status", b"x"),), True))
        self.assertEqual(raw.codec.capacity, 4)

    def test_capacityIsOursToo(self: Any) -> None:
        """A server that takes more than our limit is not given more; it may take less later."""
        raw = self.raw((h2frames.MAX_CONCURRENT_STREAMS, 1000), max_concurrent_streams=5)
        self.assertEqual(raw.codec.capacity, 5)
        self.open(raw, 3)
        raw.receive(h2frames.settings((h2frames.MAX_CONCURRENT_STREAMS, 2)))
        self.assertEqual(raw.codec.capacity, 0)

    def test_goAway(self: Any) -> None:
        """After GOAWAY nothing may be opened, and the event tells what was not handled."""
        raw = self.raw()
        self.open(raw, 2)
        events = raw.codec.receive(h2frames.goAway(1))
        self.assertEqual(events, [(GOAWAY, 0, 1, True), (RESET, 3, REFUSED, True)])
        self.assertEqual(raw.codec.capacity, 0)
        self.assertEqual(raw.receive(head(1)), [(HEAD, 1, True)])
        self.assertEqual(raw.codec.capacity, 0)

    def test_everyRequestEndsAfterGoAway(self: Any) -> None:
        """In any cut, a request that GOAWAY leaves out is refused and the others are answered."""
        for code in (h2frames.NO_ERROR, h2frames.ENHANCE_YOUR_CALM):
            octets = b"".join(
                (
                    h2frames.goAway(2**31 - 1),
                    head(1, False),
                    h2frames.goAway(5, code, b"enough"),
                    h2frames.data(1, b"x" * 30, True),
                    head(5),
                    h2frames.goAway(3, code),
                    head(3),
                )
            )
            for size in (1, 2, 7, 9, 13, 40, 1000):
                raw = self.raw()
                self.open(raw, 2)
                for _ in range(2):  # not written yet when GOAWAY comes
                    raw.codec.requestHead(request(), True)
                events: list[Any] = []
                for start in range(0, len(octets), size):
                    events += raw.codec.receive(octets[start : start + size])
                ends = [event[:2] for event in events if event[3] and event[0] != GOAWAY]
                self.assertEqual(ends, [(RESET, 7), (DATA, 1), (HEAD, 5), (HEAD, 3)], size)
                self.assertIn((RESET, 7, REFUSED, True), events)
                self.assertNotIn(h2frames.GOAWAY, [each.type for each in raw.frames()])

    def test_ownResetsAreNobodysMistake(self: Any) -> None:
        """Requests that we give up do not count as a flood of the server."""
        raw = self.raw(floods=FloodLimits(resets=Rate(2, 0.0)))
        for number in (1, 3, 5, 7):
            self.open(raw)
            raw.codec.reset(number, GLOBAL_TIMEOUT)
            self.assertEqual(raw.resets(), [(number, h2frames.CANCEL)])
            self.assertEqual(raw.receive(h2frames.ping()), [])

    def test_interimFlood(self: Any) -> None:
        """Interim heads without end cost their stream; another may have as many again."""
        raw = self.raw(max_informational=2)
        self.open(raw, 2)
        hints = [h2frames.request(1, HINTS, False)] * 3
        self.assertEqual(raw.receive(*hints), [(INFORMATIONAL, 1, False)] * 2 + [(RESET, 1, True)])
        self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])
        events = raw.receive(*[h2frames.request(3, HINTS, False)] * 2, head(3))
        self.assertEqual(events, [(INFORMATIONAL, 3, False)] * 2 + [(HEAD, 3, True)])

    def test_switchingProtocolsIsMalformed(self: Any) -> None:
        """101 does not exist in HTTP/2 (RFC 9113 8.6)."""
        raw = self.raw()
        self.open(raw)
        events = raw.codec.receive(h2frames.request(1, ((b":status", b"101"),), False))
        self.assertEqual(events, [(RESET, 1, PROTOCOL_ERROR, True)])
        self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])

    def test_malformedEndsItsStream(self: Any) -> None:
        """A malformed head ends its stream, and the neighbours go on."""
        for fields in (
            (*OK, (b"connection", b"close")),
            (*OK, (b"A", b"b")),
            (*OK, (b"a", b"b\r\nc")),
            (*OK, (b":path", b"/")),
            ((b":status", b"2000"),),
            (*OK, (b"content-length", b"x")),
        ):
            raw = self.raw()
            self.open(raw, 2)
            events = raw.codec.receive(h2frames.request(1, fields, False))
            self.assertEqual(events, [(RESET, 1, PROTOCOL_ERROR, True)], fields)
            self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])
            self.assertEqual(raw.receive(head(3)), [(HEAD, 3, True)])

    def test_dataForHead(self: Any) -> None:
        """A body where none can be ends its stream only; Content-Length may say what it likes."""
        for method, status in ((b"HEAD", b"200"), (b"GET", b"304")):
            raw = self.raw()
            raw.codec.requestHead(request(method), True)
            self.open(raw)
            fields = ((b":status", status), (b"content-length", b"1"))
            self.assertEqual(raw.receive(h2frames.request(1, fields, False)), [(HEAD, 1, False)])
            events = raw.codec.receive(h2frames.data(1, b"x"))
            self.assertEqual(events, [(RESET, 1, PROTOCOL_ERROR, True)])
            self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])
            self.assertEqual(raw.receive(head(3)), [(HEAD, 3, True)])

    def test_malformedTrailers(self: Any) -> None:
        """Malformed trailers end a response that has begun."""
        raw = self.raw()
        self.open(raw)
        raw.receive(head(1, False))
        events = raw.codec.receive(h2frames.request(1, [(b"connection", b"x")]))
        self.assertEqual(events, [(RESET, 1, PROTOCOL_ERROR, True)])

    def test_tooManyFields(self: Any) -> None:
        """A response with too many fields ends its stream only."""
        raw = self.raw(max_headers=5)
        self.open(raw, 2)
        self.assertEqual(raw.receive(head(1, True, *[(b"a", b"b")] * 6)), [(RESET, 1, True)])
        self.assertEqual(raw.receive(head(3)), [(HEAD, 3, True)])

    def test_reasons(self: Any) -> None:
        """A refused stream is told apart from one that was given up."""
        raw = self.raw()
        self.open(raw, 2)
        events = raw.codec.receive(
            h2frames.rstStream(1, h2frames.REFUSED_STREAM)
            + h2frames.rstStream(3, h2frames.INTERNAL_ERROR)
        )
        self.assertEqual(events, [(RESET, 1, REFUSED, True), (RESET, 3, REMOTE_RESET, True)])

    def test_lateAnswer(self: Any) -> None:
        """What still comes on a stream that we gave up is not told."""
        raw = self.raw()
        self.open(raw)
        raw.codec.reset(1, GLOBAL_TIMEOUT)
        raw.codec.reset(1, GLOBAL_TIMEOUT)
        self.assertEqual(raw.resets(), [(1, h2frames.CANCEL)])
        self.assertEqual(raw.receive(head(1, False), h2frames.data(1, b"x", True)), [])

    def test_resetDropsWhatWaits(self: Any) -> None:
        """A request that is given up sends nothing more."""
        raw = self.raw()
        raw.codec.requestHead(request(b"POST"), False)
        raw.codec.corked = True
        raw.codec.requestData(1, b"x" * 1000, True)
        self.assertEqual((raw.codec.queued(1), raw.codec.queuedTotal), (1000, 1000))
        raw.codec.reset(1, GLOBAL_TIMEOUT)
        self.assertEqual((raw.codec.queued(1), raw.codec.queuedTotal), (0, 0))
        raw.codec.corked = False
        self.assertNotIn(h2frames.DATA, [each.type for each in raw.frames()])

    def test_push(self: Any) -> None:
        """A promise is told with its request, and its response comes as any other."""
        raw = self.raw()
        self.open(raw)
        kind, number, (promised, pushed), _ = raw.codec.receive(promise(1, 2))[0]
        self.assertEqual((kind, number, promised, pushed.path), (PUSH, 1, 2, b"/"))
        events = raw.receive(head(2, False), h2frames.data(2, b"x", True))
        self.assertEqual(events, [(HEAD, 2, False), (DATA, 2, True)])
        self.assertEqual(raw.codec.capacity, 99)

    def test_unsafePush(self: Any) -> None:
        """Promises of what may not be pushed are malformed (RFC 9113 8.4)."""
        for fields in (
            h2frames.POST,
            ((b":method", b"PUT"), *h2frames.GET[1:]),
            (*h2frames.GET, (b"content-length", b"5")),
            (*h2frames.GET, (b"connection", b"close")),
        ):
            raw = self.raw()
            self.open(raw)
            self.assertEqual(raw.receive(promise(1, 2, fields)), [])
            self.assertEqual(raw.resets(), [(2, h2frames.PROTOCOL_ERROR)])
            self.assertEqual(raw.receive(head(1)), [(HEAD, 1, True)])

    def test_pushedHead(self: Any) -> None:
        """The pushed answer to HEAD has no body, whatever its Content-Length says."""
        raw = self.raw()
        self.open(raw)
        raw.receive(promise(1, 2, ((b":method", b"HEAD"), *h2frames.GET[1:])))
        said = h2frames.fieldBlock([(b":status", b"200"), (b"content-length", b"9")])
        self.assertEqual(raw.receive(h2frames.headers(2, said, True)), [(HEAD, 2, True)])

    def test_tooManyPushes(self: Any) -> None:
        """More promises than one connection may have are refused, until some are kept."""
        raw = self.raw(max_pushes=2)
        self.open(raw)
        events = raw.receive(promise(1, 2), promise(1, 4), promise(1, 6))
        self.assertEqual(events, [(PUSH, 1, False)] * 2)
        self.assertEqual(raw.resets(), [(6, h2frames.REFUSED_STREAM)])
        raw.receive(head(2))
        self.assertEqual(raw.receive(promise(1, 8)), [(PUSH, 1, False)])
        raw.receive(h2frames.rstStream(4))
        self.assertEqual(raw.receive(promise(1, 10)), [(PUSH, 1, False)])
        self.assertEqual(raw.resets(), [])

    def test_tooManyPushesOfOneRequest(self: Any) -> None:
        """One request cannot make an upstream push without end; others still can."""
        raw = self.raw(max_pushes_per_request=1)
        self.open(raw)
        self.open(raw)
        raw.receive(promise(1, 2), head(2))
        self.assertEqual(raw.receive(promise(1, 4), promise(3, 6)), [(PUSH, 3, False)])
        self.assertEqual(raw.resets(), [(4, h2frames.REFUSED_STREAM)])

    def test_prioritise(self: Any) -> None:
        """Another priority goes to servers that go by RFC 9218, as much as is understood of it."""
        raw = self.raw((NO_RFC7540_PRIORITIES, 1))
        self.open(raw)
        raw.codec.prioritise(1, b'u=1, i, x="\xff"')
        raw.codec.prioritise(7, b"u=2")
        told = [each for each in raw.frames() if each.type == h2frames.PRIORITY_UPDATE]
        self.assertEqual([(each.stream, each.payload) for each in told], [(0, b"\0\0\0\1u=1, i")])

    def test_prioritiseIsAHint(self: Any) -> None:
        """Servers that go by something else are not told."""
        for settings in ([], [(NO_RFC7540_PRIORITIES, 0)]):
            raw = self.raw(*settings)
            self.open(raw)
            raw.codec.prioritise(1, b"u=1")
            self.assertNotIn(h2frames.PRIORITY_UPDATE, [each.type for each in raw.frames()])

    def test_prioritiseIsNoFlood(self: Any) -> None:
        """What many clients say of their priorities never looks like a flood to the upstream."""
        raw = self.raw((NO_RFC7540_PRIORITIES, 1))
        self.open(raw)
        raw.codec.now = 5.0
        for _ in range(2000):
            raw.codec.prioritise(1, b"u=1")
        told = [each for each in raw.frames() if each.type == h2frames.PRIORITY_UPDATE]
        self.assertEqual(len(told), RELAYED_PRIORITIES.burst)
        self.assertLess(len(told), FloodLimits().priorities.burst)

    def test_serversDoNotPrioritise(self: Any) -> None:
        """PRIORITY_UPDATE of a server ends the connection (RFC 9218 7.1)."""
        raw = self.raw()
        self.open(raw)
        self.assertEqual(raw.receive(h2frames.priorityUpdate(1, b"u=1")), [(FAILED, 0, True)])

    def test_refusedPush(self: Any) -> None:
        """A push that nobody wants is cancelled, one that is wanted is not."""
        raw = self.raw()
        self.open(raw)
        raw.receive(promise(1, 2), promise(1, 4))
        raw.codec.acceptPush(2, True)
        raw.codec.acceptPush(4, False)
        raw.codec.acceptPush(6, False)
        self.assertEqual(raw.resets(), [(4, h2frames.CANCEL)])

    def test_broken(self: Any) -> None:
        """On a broken connection nothing can be opened."""
        raw = self.raw()
        self.open(raw)
        self.assertEqual(raw.receive(h2frames.data(0, b"x")), [(FAILED, 0, True)])
        self.assertEqual(raw.codec.capacity, 0)
        self.assertRaises(EncodeError, raw.codec.requestHead, request(), True)
        self.assertEqual([each.type for each in raw.frames()][-1], h2frames.GOAWAY)


class H2Tests(Cases, SynchronousTestCase):
    """On hyper-h2."""

    engine = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """On libnghttp2."""

    engine = "ngh2"
