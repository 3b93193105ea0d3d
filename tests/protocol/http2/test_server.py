"""The end that reads requests, against a client that is played frame by frame."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, GOAWAY, HEAD, RESET
from mosntx.contracts.stream import LOCAL_RESET, OVERFLOW, PROTOCOL_ERROR
from mosntx.protocol.buckets import Rate
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.guard import FloodLimits
from mosntx.testing import h2frames
from tests.protocol.http2.build import Raw, request, response

MALFORMED = (*h2frames.GET, (b"connection", b"close"))


def post(stream: int, *more: tuple[bytes, bytes]) -> bytes:
    """Return the head of a request whose body follows."""
    return h2frames.request(stream, (*h2frames.POST, *more), False)


class Cases:
    """What a server answers."""

    engine: ClassVar[str]

    def raw(self, *settings: tuple[int, int], **limits: Any) -> Raw:
        return Raw("server", self.engine, settings, **limits)

    def test_settings(self: Any) -> None:
        """The first frame tells the limits, the count of streams among them."""
        first = self.raw(max_concurrent_streams=7, max_header_list_size=5000).first[0]
        self.assertEqual((first.type, first.flags), (h2frames.SETTINGS, 0))
        said = h2frames.readSettings(first.payload)
        self.assertEqual(said[h2frames.MAX_CONCURRENT_STREAMS], 7)
        self.assertEqual(said[h2frames.MAX_HEADER_LIST_SIZE], 5000)
        self.assertEqual(said[0x8], 1)
        self.assertNotIn(h2frames.ENABLE_PUSH, said)

    def test_tooManyFieldsAre431(self: Any) -> None:
        """A request with too many fields is answered, and the next is served."""
        raw = self.raw(max_headers=5)
        many = [*h2frames.GET, *[(b"a", b"b")] * 6]
        self.assertEqual(raw.receive(h2frames.request(1, many)), [])
        frames = [each for each in raw.frames() if each.stream == 1]
        self.assertEqual(raw.fields(frames[0]), [(b":status", b"431"), (b"content-length", b"0")])
        self.assertTrue(frames[0].flags & h2frames.END_STREAM)
        self.assertEqual(raw.receive(h2frames.request(3)), [(HEAD, 3, True)])

    def test_tooLargeFieldsAre431(self: Any) -> None:
        """A request with fields that are too large is answered; the others go on."""
        raw = self.raw(max_header_list_size=2000, max_headers=1000)
        raw.receive(h2frames.request(1))
        for stream, more in (
            (3, [(b"a", b"v" * 1900)]),
            (5, [(b"n" * 1900, b"")]),
            (7, [(b"a", b"")] * 60),
        ):
            self.assertEqual(raw.receive(h2frames.request(stream, [*h2frames.GET, *more])), [])
            frame = next(each for each in raw.frames() if each.stream == stream)
            self.assertEqual(raw.fields(frame)[0], (b":status", b"431"))
        events = raw.receive(h2frames.request(9, [*h2frames.GET, (b"a", b"v" * 1700)]))
        self.assertEqual(events, [(HEAD, 9, True)])
        raw.codec.responseHead(1, response(), True)
        self.assertEqual(raw.fields(raw.frames()[-1])[0], (b":status", b"200"))

    def test_bomb(self: Any) -> None:
        """Fields of far more than is allowed are not decoded to their end (CVE-2016-6581)."""
        raw = self.raw(max_header_list_size=2000)
        block = h2frames.fieldBlock(h2frames.GET) + h2frames.indexed(b"a", b"v" * 1000)
        events = raw.receive(h2frames.headers(1, block + h2frames.fieldIndex(62) * 9000, True))
        self.assertEqual(events, [(FAILED, 0, True)])
        self.assertEqual(raw.frames()[-1].code, h2frames.ENHANCE_YOUR_CALM)

    def test_declaredTooLargeIs413(self: Any) -> None:
        """A body that says it will be too large is not waited for."""
        raw = self.raw(max_body=10)
        self.assertEqual(raw.receive(post(1, (b"content-length", b"11"))), [])
        frames = [each for each in raw.frames() if each.stream == 1]
        self.assertEqual(raw.fields(frames[0])[0], (b":status", b"413"))
        self.assertEqual((frames[1].type, frames[1].code), (h2frames.RST_STREAM, 0))
        self.assertEqual(raw.receive(post(3, (b"content-length", b"10"))), [(HEAD, 3, False)])

    def test_tooLargeAfterAnAnswer(self: Any) -> None:
        """When an answer has begun, a body that grows too large only ends its stream."""
        raw = self.raw(max_body=10)
        raw.receive(post(1))
        raw.codec.responseHead(1, response(), False)
        raw.frames()
        events = raw.receive(h2frames.data(1, b"x" * 6), h2frames.data(1, b"x" * 5))
        self.assertEqual(events, [(DATA, 1, False), (RESET, 1, True)])
        self.assertEqual([stream for stream, _ in raw.resets()], [1])

    def test_tooLargeReason(self: Any) -> None:
        """The reason of such an end is a limit."""
        raw = self.raw(max_body=10)
        raw.receive(post(1))
        self.assertEqual(
            raw.codec.receive(h2frames.data(1, b"x" * 11)), [(RESET, 1, OVERFLOW, True)]
        )

    def test_malformedEndsItsStream(self: Any) -> None:
        """A malformed request is reset; its neighbours go on."""
        for bad in (
            (b"connection", b"close"),
            (b"content-length", b"x"),
            (b"content-length", b"-1"),
            (b"content-length", b"5"),
        ):
            raw = self.raw()
            raw.receive(post(1))
            self.assertEqual(raw.receive(h2frames.request(3, (*h2frames.GET, bad))), [], bad)
            self.assertEqual(raw.resets(), [(3, h2frames.PROTOCOL_ERROR)])
            self.assertEqual(raw.receive(h2frames.data(1, b"x", True)), [(DATA, 1, True)])

    def test_bodyOfAnotherLength(self: Any) -> None:
        """A body longer or shorter than Content-Length ends its stream (RFC 9113 8.1.1)."""
        for body in (b"12", b"1234"):
            raw = self.raw()
            raw.receive(post(1, (b"content-length", b"3")), post(3))
            self.assertEqual(raw.receive(h2frames.data(1, body, True)), [(RESET, 1, True)])
            self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])
            self.assertEqual(raw.receive(h2frames.data(3, b"x", True)), [(DATA, 3, True)])

    def test_malformedTrailers(self: Any) -> None:
        """Malformed trailers end a request that has begun."""
        raw = self.raw()
        raw.receive(post(1))
        events = raw.codec.receive(h2frames.request(1, [(b"connection", b"x")]))
        self.assertEqual(events, [(RESET, 1, PROTOCOL_ERROR, True)])
        self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])

    def test_madeToReset(self: Any) -> None:
        """A client cannot make us reset streams for ever (CVE-2025-8671)."""
        raw = self.raw(floods=FloodLimits(resets=Rate(2, 0.0)))
        for stream in (1, 3):
            self.assertEqual(raw.receive(h2frames.request(stream, MALFORMED)), [])
        self.assertEqual(raw.receive(h2frames.request(5, MALFORMED)), [(FAILED, 0, True)])
        self.assertEqual(raw.codec.tripped, "resets")
        last = raw.frames()[-1]
        self.assertEqual((last.type, last.code), (h2frames.GOAWAY, h2frames.ENHANCE_YOUR_CALM))

    def test_ownResetsAreNobodysMistake(self: Any) -> None:
        """Streams that we reset or refuse for reasons of ours do not count as a flood."""
        for leaving in (False, True):
            raw = self.raw(floods=FloodLimits(resets=Rate(2, 0.0)))
            if leaving:
                raw.codec.goAway()
            for stream in (1, 3, 5, 7):
                raw.receive(h2frames.request(stream))
                raw.codec.responseReset(stream, LOCAL_RESET)
                self.assertEqual([each[0] for each in raw.resets()], [stream])
                self.assertEqual(raw.receive(h2frames.ping()), [])

    def test_aResetOfThePeerCountsOnce(self: Any) -> None:
        """As many resets as the limit allows are taken."""
        raw = self.raw(floods=FloodLimits(resets=Rate(4, 0.0)))
        for stream in (1, 3, 5, 7):
            raw.receive(h2frames.request(stream), h2frames.rstStream(stream))
        self.assertEqual(raw.codec.tripped, "")
        raw.receive(h2frames.request(9), h2frames.rstStream(9))
        self.assertEqual(raw.codec.tripped, "resets")

    def test_madeToResetInOneRead(self: Any) -> None:
        """What comes in the same read behind the flood is not even reset."""
        raw = self.raw(floods=FloodLimits(resets=Rate(100, 0.0)))
        flood = b"".join(h2frames.headers(2 * i + 1, b"", True) for i in range(3000))
        self.assertEqual(raw.receive(flood), [(FAILED, 0, True)])
        frames = raw.frames()
        self.assertEqual(frames[-1].code, h2frames.ENHANCE_YOUR_CALM)
        self.assertLessEqual(len(frames), 102)

    def test_broken(self: Any) -> None:
        """A broken connection is told once, with a GOAWAY, and then nothing is heard or said."""
        raw = self.raw()
        raw.receive(h2frames.request(1))
        raw.frames()
        self.assertEqual(raw.receive(h2frames.data(0, b"x")), [(FAILED, 0, True)])
        goAway = raw.frames()[-1]
        self.assertEqual((goAway.type, goAway.payload[:4]), (h2frames.GOAWAY, b"\0\0\0\x01"))
        self.assertEqual(raw.receive(h2frames.request(3)), [])
        raw.codec.responseHead(1, response(), True)
        raw.codec.goAway()
        self.assertEqual(raw.frames(), [])

    def test_goAwayThenRefused(self: Any) -> None:
        """Streams that begin after GOAWAY may be sent again elsewhere; open ones are finished."""
        raw = self.raw()
        raw.receive(post(1))
        raw.frames()
        raw.codec.goAway()
        raw.codec.goAway()
        frames = raw.frames()
        self.assertEqual([each.type for each in frames], [h2frames.GOAWAY])
        self.assertEqual(frames[0].payload, b"\0\0\0\x01\0\0\0\0")
        self.assertEqual(raw.receive(h2frames.request(3)), [])
        self.assertEqual(raw.resets(), [(3, h2frames.REFUSED_STREAM)])
        self.assertEqual(raw.receive(h2frames.data(1, b"x", True)), [(DATA, 1, True)])
        raw.codec.responseHead(1, response(), True)
        self.assertEqual(raw.fields(raw.frames()[0])[0], (b":status", b"200"))

    def test_drainStillTakesStreams(self: Any) -> None:
        """After the first step, what was on its way is served."""
        raw = self.raw()
        raw.codec.drain()
        self.assertEqual(raw.frames()[0].payload, b"\x7f\xff\xff\xff\0\0\0\0")
        self.assertEqual(raw.receive(h2frames.request(1)), [(HEAD, 1, True)])
        raw.codec.goAway()
        raw.codec.drain()
        self.assertEqual([each.payload[:4] for each in raw.frames()], [b"\0\0\0\x01"])

    def test_requestsOfAConnection(self: Any) -> None:
        """After as many requests as allowed the client is asked to leave."""
        raw = self.raw(max_requests_per_connection=2)
        raw.receive(h2frames.request(1))
        self.assertEqual(raw.frames(), [])
        self.assertEqual(raw.receive(h2frames.request(3)), [(HEAD, 3, True)])
        self.assertEqual([each.payload[:4] for each in raw.frames()], [b"\0\0\0\x03"])

    def test_clientLeaves(self: Any) -> None:
        """That the client will open no more is told."""
        self.assertEqual(self.raw().receive(h2frames.goAway(0)), [(GOAWAY, 0, True)])

    def test_pushLimit(self: Any) -> None:
        """No more pushed streams are open than the client takes."""
        raw = self.raw((h2frames.MAX_CONCURRENT_STREAMS, 1))
        raw.receive(h2frames.request(1))
        self.assertEqual(raw.codec.push(1, request(path=b"/a")), 2)
        self.assertEqual(raw.codec.push(1, request(path=b"/b")), 0)
        raw.codec.responseHead(2, response(), True)
        self.assertEqual(raw.codec.push(1, request(path=b"/b")), 4)
        raw.frames()
        raw.receive(h2frames.rstStream(4))
        self.assertEqual(raw.codec.push(1, request(path=b"/c")), 6)

    def test_pushOnlyOnWhatIsOpen(self: Any) -> None:
        """There is no promise on a stream that is unknown, over or about to leave."""
        raw = self.raw()
        self.assertEqual(raw.codec.push(1, request()), 0)
        raw.receive(h2frames.request(1), h2frames.request(3))
        raw.codec.responseHead(1, response(), True)
        self.assertEqual(raw.codec.push(1, request()), 0)
        raw.codec.goAway()
        self.assertEqual(raw.codec.push(3, request()), 0)

    def test_pushSwitchedOffLater(self: Any) -> None:
        """A setting that comes later binds too."""
        raw = self.raw()
        raw.receive(h2frames.request(1), h2frames.settings((h2frames.ENABLE_PUSH, 0)))
        self.assertEqual(raw.codec.push(1, request()), 0)

    def test_noSwitchingProtocols(self: Any) -> None:
        """101 is not said in HTTP/2, other interim heads are."""
        raw = self.raw()
        raw.receive(h2frames.request(1))
        for status in (101, 200, 103):
            raw.codec.responseInformational(1, response(status))
        frames = raw.frames()
        self.assertEqual([raw.fields(each) for each in frames], [[(b":status", b"103")]])

    def test_resetAfterTheAnswer(self: Any) -> None:
        """A request that is not needed whole is stopped without blame, after the answer."""
        raw = self.raw()
        raw.receive(post(1))
        raw.frames()
        raw.codec.corked = True
        raw.codec.responseHead(1, response(), False)
        raw.codec.responseData(1, b"no", True)
        raw.codec.responseReset(1, LOCAL_RESET)
        self.assertEqual([each.type for each in raw.frames()], [h2frames.HEADERS])
        raw.codec.corked = False
        types = [each.type for each in raw.frames()]
        self.assertEqual(types, [h2frames.DATA, h2frames.RST_STREAM])

    def test_priorityBeforeTheRequest(self: Any) -> None:
        """PRIORITY_UPDATE may come before its request and weighs more than the field."""
        raw = self.raw()
        raw.receive(h2frames.priorityUpdate(3, b"u=0"))
        raw.receive(
            h2frames.request(1, (*h2frames.GET, (b"priority", b"u=2"))),
            h2frames.request(3, (*h2frames.GET, (b"priority", b"u=7"))),
        )
        raw.codec.corked = True
        for stream in (1, 3):
            raw.codec.responseHead(stream, response(), False)
            raw.codec.responseData(stream, b"x", True)
        raw.codec.corked = False
        data = [each.stream for each in raw.frames() if each.type == h2frames.DATA]
        self.assertEqual(data, [3, 1])

    def test_endsWithAShutWindow(self: Any) -> None:
        """A client whose window is used up gets trailers and empty ends, whatever it is sending."""
        credit = h2frames.windowUpdate(3, 1)
        for cut in range(len(credit) + 1):
            raw = self.raw()
            raw.receive(*[h2frames.request(stream) for stream in (1, 3, 5)])
            for stream in (1, 3, 5):
                raw.codec.responseHead(stream, response(), False)
            raw.codec.responseData(3, b"x" * 65535, False)
            raw.frames()
            raw.receive(credit[:cut])
            raw.codec.responseTrailers(1, Headers([(b"grpc-status", b"0")]))
            raw.codec.responseData(5, b"", True)
            frames = raw.frames()
            self.assertEqual(raw.receive(credit[cut:]), [])
            frames += raw.frames()
            ends = [each.stream for each in frames if each.flags & h2frames.END_STREAM]
            self.assertEqual((ends, len(frames)), ([1, 5], 2), cut)

    def test_unknownStreams(self: Any) -> None:
        """Whatever is said of a stream that is not there is ignored."""
        raw = self.raw()
        raw.codec.responseHead(1, response(), False)
        raw.codec.responseData(1, b"x", True)
        raw.codec.responseReset(1, LOCAL_RESET)
        raw.codec.responseInformational(1, response(103))
        raw.codec.pauseData(1)
        raw.codec.resumeData(1)
        self.assertEqual((raw.frames(), raw.codec.queued(1), raw.codec.next()), ([], 0, []))


class H2Tests(Cases, SynchronousTestCase):
    """On hyper-h2."""

    engine = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """On libnghttp2."""

    engine = "ngh2"
