"""The codecs against each other, on every pair of engines."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.codec import (
    DATA,
    FAILED,
    GOAWAY,
    HEAD,
    HEARTBEAT_ACK,
    INFORMATIONAL,
    PUSH,
    RESET,
    TRAILERS,
    IFramedClientCodec,
    IFramedServerCodec,
)
from mosntx.contracts.stream import LOCAL_RESET, OVERFLOW, PROTOCOL_ERROR, REFUSED, REMOTE_RESET
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.protocol import Http2Protocol
from tests.protocol.http2.build import Pair2, drained, request, response


class Cases:
    """What holds for each pair of engines."""

    client: ClassVar[str]
    server: ClassVar[str]

    def pair(self, **limits: Any) -> Pair2:
        both = evolve(Http2Limits(), **limits) if limits else None
        return Pair2(self.client, self.server, both)

    def test_contracts(self: Any) -> None:
        """Both codecs keep what their interfaces promise."""
        pair = self.pair()
        self.assertTrue(verifyObject(IFramedClientCodec, pair.client))
        self.assertTrue(verifyObject(IFramedServerCodec, pair.server))

    def test_aRequestWithBodyAndTrailersArrives(self: Any) -> None:
        """The server hears of head, data and trailers in their order."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(b"POST", b"/a?b", [(b"X-One", b"1")]), False)
        pair.client.requestData(number, b"hello", False)
        pair.client.requestTrailers(number, Headers([(b"sum", b"5")]))
        pair.pump()
        self.assertEqual(
            pair.heard(pair.serverEvents),
            [
                (HEAD, 1, (b"POST", b"/a?b", [(b"x-one", b"1")]), False),
                (DATA, 1, b"hello", False),
                (TRAILERS, 1, [(b"sum", b"5")], True),
            ],
        )

    def test_aResponseArrives(self: Any) -> None:
        """The client hears of interim head, head and data, and may open a stream again."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        pair.server.responseInformational(number, response(103, [(b"link", b"</x>")]))
        pair.server.responseHead(number, response(200, [(b"Server", b"s")]), False)
        pair.server.responseData(number, b"body", True)
        pair.pump()
        self.assertEqual(
            pair.heard(pair.clientEvents),
            [
                (INFORMATIONAL, 1, (103, [(b"link", b"</x>")]), False),
                (HEAD, 1, (200, [(b"server", b"s")]), False),
                (DATA, 1, b"body", True),
            ],
        )
        self.assertEqual(pair.client.capacity, 100)

    def test_aBodyLargerThanAllWindowsArrivesWhole(self: Any) -> None:
        """No octet is lost or changed while windows open and close."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        body = bytes(range(256)) * 4096
        pair.server.responseHead(number, response(), False)
        pair.server.responseData(number, body, True)
        pair.pump(200)
        self.assertEqual(pair.data(pair.clientEvents, number), body)
        self.assertEqual(pair.server.queuedTotal, 0)

    def test_whoPausesGetsOneWindowAndTheOthersGoOn(self: Any) -> None:
        """A slow reader holds back its own stream and no other."""
        pair = self.pair()
        slow, _ = pair.client.requestHead(request(path=b"/slow"), True)
        quick, _ = pair.client.requestHead(request(path=b"/quick"), True)
        pair.pump()
        pair.client.pauseData(slow)
        for number in (slow, quick):
            pair.server.responseHead(number, response(), False)
            pair.server.responseData(number, b"x" * 1_000_000, True)
        pair.pump(100)
        self.assertEqual(len(pair.data(pair.clientEvents, slow)), 65536)
        self.assertEqual(len(pair.data(pair.clientEvents, quick)), 1_000_000)
        self.assertEqual(pair.server.queued(slow), 1_000_000 - 65536)
        pair.client.resumeData(slow)
        pair.pump(100)
        self.assertEqual(len(pair.data(pair.clientEvents, slow)), 1_000_000)

    def test_nothingLeavesWhileTheTransportIsFull(self: Any) -> None:
        """A corked codec sends heads, but no data."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        pair.server.corked = True
        pair.server.responseHead(number, response(), False)
        pair.server.responseData(number, b"x", True)
        pair.pump()
        self.assertEqual([event[0] for event in pair.clientEvents], [HEAD])
        pair.server.corked = False
        pair.pump()
        self.assertEqual(pair.data(pair.clientEvents, number), b"x")

    def test_theMostUrgentLeavesFirst(self: Any) -> None:
        """The priority field of the request says whose data goes first."""
        pair = self.pair()
        late, _ = pair.client.requestHead(request(fields=[(b"priority", b"u=7")]), True)
        soon, _ = pair.client.requestHead(request(fields=[(b"priority", b"u=0")]), True)
        pair.pump()
        pair.server.corked = True
        for number in (late, soon):
            pair.server.responseHead(number, response(), False)
            pair.server.responseData(number, b"x" * 1000, True)
        pair.server.corked = False
        pair.pump()
        order = [number for kind, number, _, _ in pair.clientEvents if kind == DATA]
        self.assertEqual(order, [soon, late])

    def test_resetsArriveWithTheirReason(self: Any) -> None:
        """The peer learns whether a stream was refused or given up."""
        pair = self.pair()
        first, _ = pair.client.requestHead(request(b"POST"), False)
        second, _ = pair.client.requestHead(request(), True)
        third, _ = pair.client.requestHead(request(), True)
        pair.pump()
        pair.serverEvents.clear()
        pair.client.reset(first, LOCAL_RESET)
        pair.server.responseReset(second, PROTOCOL_ERROR)
        pair.server.responseReset(third, OVERFLOW)
        pair.pump()
        self.assertEqual(pair.serverEvents, [(RESET, first, REMOTE_RESET, True)])
        self.assertEqual(
            pair.clientEvents, [(RESET, second, REMOTE_RESET, True), (RESET, third, REFUSED, True)]
        )
        self.assertEqual(pair.client.capacity, 100)

    def test_anAnswerBeforeTheEndOfTheRequestStopsTheRequest(self: Any) -> None:
        """The whole answer arrives, and then the rest of the body is not wanted."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(b"POST"), False)
        pair.pump()
        pair.server.responseHead(number, response(403), False)
        pair.server.responseData(number, b"no", True)
        pair.server.responseReset(number, LOCAL_RESET)
        pair.pump()
        kinds = [event[0] for event in pair.clientEvents]
        self.assertEqual(kinds, [HEAD, DATA, RESET])
        self.assertEqual(pair.data(pair.clientEvents, number), b"no")

    def test_streamsAboveTheLimitAreRefused(self: Any) -> None:
        """One stream too many is reset and may be sent again; the others go on."""
        few = evolve(Http2Limits(), max_concurrent_streams=2)
        server = Http2Protocol(few, self.server).serverCodec()
        client = Http2Protocol(None, self.client).clientCodec()
        for _ in range(3):  # it does not know the limit yet
            client.requestHead(request(), True)
        events = server.receive(drained(client))
        self.assertEqual([event[:2] for event in events], [(HEAD, 1), (HEAD, 3)])
        self.assertEqual(client.receive(drained(server)), [(RESET, 5, REFUSED, True)])
        self.assertEqual(client.capacity, 0)
        server.responseHead(1, response(), True)
        self.assertEqual([event[0] for event in client.receive(drained(server))], [HEAD])
        self.assertEqual(client.capacity, 1)

    def test_goAwayInTwoSteps(self: Any) -> None:
        """The client opens nothing after the first step, and what is open is finished."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        pair.server.drain()
        pair.pump()
        self.assertEqual(pair.heard(pair.clientEvents), [(GOAWAY, 0, 2**31 - 1, True)])
        self.assertEqual(pair.client.capacity, 0)
        pair.server.goAway()
        pair.pump()
        self.assertEqual(pair.heard(pair.clientEvents), [(GOAWAY, 0, number, True)])
        pair.server.responseHead(number, response(), False)
        pair.server.responseData(number, b"still", True)
        pair.pump()
        self.assertEqual(pair.data(pair.clientEvents, number), b"still")

    def test_pings(self: Any) -> None:
        """Each end hears the answer to its own PING."""
        pair = self.pair()
        number = pair.client.ping()
        other = pair.server.ping()
        pair.pump()
        self.assertEqual(pair.clientEvents, [(HEARTBEAT_ACK, number, None, False)])
        self.assertEqual(pair.serverEvents, [(HEARTBEAT_ACK, other, None, False)])

    def test_pushArrives(self: Any) -> None:
        """A promised request and its response reach the client."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        promised = pair.server.push(number, request(path=b"/style.css"))
        self.assertEqual(promised, 2)
        pair.server.responseHead(number, response(), True)
        pair.server.responseHead(promised, response(200, [(b"a", b"b")]), False)
        pair.server.responseData(promised, b"css", True)
        pair.pump()
        events = {event[0]: event for event in pair.clientEvents if event[0] == PUSH}
        promisedNumber, head = events[PUSH][2]
        self.assertEqual((promisedNumber, head.path), (2, b"/style.css"))
        self.assertEqual(pair.data(pair.clientEvents, promised), b"css")

    def test_pushIsNotForThoseWhoRefuse(self: Any) -> None:
        """A client that has switched push off gets no promise."""
        pair = Pair2(
            self.client, self.server, Http2Limits(), evolve(Http2Limits(), enable_push=False)
        )
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        self.assertEqual(pair.server.push(number, request(path=b"/style.css")), 0)

    def test_aRefusedPushEnds(self: Any) -> None:
        """The server hears that a pushed response is not wanted."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        promised = pair.server.push(number, request(path=b"/style.css"))
        pair.server.responseHead(promised, response(), False)
        pair.pump()
        pair.client.acceptPush(promised, False)
        pair.serverEvents.clear()
        pair.pump()
        self.assertEqual(pair.serverEvents, [(RESET, promised, REMOTE_RESET, True)])

    def test_whatCannotBeSaidIsAnEncodeError(self: Any) -> None:
        """A head that HTTP/2 cannot say raises and leaves the stream usable."""
        pair = self.pair()
        head = request()
        head._path = b"/a b"
        self.assertRaises(EncodeError, pair.client.requestHead, head, True)
        number, _ = pair.client.requestHead(request(), True)
        pair.pump()
        bad = response()
        bad.headers = Headers.trusted([(b"x", b"a\r\nb")])
        self.assertRaises(EncodeError, pair.server.responseHead, number, bad, True)
        pair.server.responseHead(number, response(502), True)
        pair.pump()
        self.assertEqual(pair.heard(pair.clientEvents), [(HEAD, 1, (502, []), True)])

    def test_aBodyOverTheLimitIs413(self: Any) -> None:
        """A body that grows too large is answered and given up."""
        pair = self.pair(max_body=10)
        number, _ = pair.client.requestHead(request(b"POST"), False)
        pair.client.requestData(number, b"x" * 11, False)
        pair.pump()
        kinds = [event[0] for event in pair.serverEvents]
        self.assertEqual(kinds, [HEAD, RESET])
        self.assertEqual(pair.heard(pair.clientEvents)[0][2][0], 413)

    def test_aRapidResetEndsTheConnection(self: Any) -> None:
        """Requests that are reset at once stop at a limit (CVE-2023-44487)."""
        pair = self.pair()
        for _ in range(1100):
            number, _ = pair.client.requestHead(request(), True)
            drained_ = drained(pair.client)
            pair.serverEvents += pair.server.receive(drained_)
            pair.client.reset(number, LOCAL_RESET)
            pair.serverEvents += pair.server.receive(drained(pair.client))
            if pair.server.tripped:
                break
        self.assertEqual(pair.server.tripped, "resets")
        self.assertEqual(pair.serverEvents[-1][0], FAILED)
        pair.pump()
        self.assertIn(b"\x07", drained(pair.server) or b"\x07")

    def test_octetByOctet(self: Any) -> None:
        """The cut of the octets changes nothing."""
        pair = self.pair()
        number, _ = pair.client.requestHead(request(b"POST", b"/a"), False)
        pair.client.requestData(number, b"hello", True)
        for octet in drained(pair.client):
            pair.serverEvents += pair.server.receive(bytes((octet,)))
        self.assertEqual(pair.data(pair.serverEvents, number), b"hello")
        self.assertTrue(pair.serverEvents[-1][3])
        pair.server.responseHead(number, response(), False)
        pair.server.responseData(number, b"world", True)
        pair.server.goAway()
        for octet in drained(pair.server):
            pair.clientEvents += pair.client.receive(bytes((octet,)))
        self.assertEqual(pair.data(pair.clientEvents, number), b"world")
        self.assertEqual(pair.clientEvents[-1][0], GOAWAY)


class H2ToH2(Cases, SynchronousTestCase):
    """With hyper-h2 at both ends."""

    client, server = "h2", "h2"


class H2ToNgh2(Cases, SynchronousTestCase):
    """A client on hyper-h2, a server on libnghttp2."""

    client, server = "h2", "ngh2"


class Ngh2ToH2(Cases, SynchronousTestCase):
    """A client on libnghttp2, a server on hyper-h2."""

    client, server = "ngh2", "h2"


class Ngh2ToNgh2(Cases, SynchronousTestCase):
    """With libnghttp2 at both ends."""

    client, server = "ngh2", "ngh2"
