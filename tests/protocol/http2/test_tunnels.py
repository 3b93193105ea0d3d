"""Tunnels over HTTP/2: frames in and out, on either engine, and both ends together."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.codec import DATA, FAILED, HEAD, PUSH, RESET
from mosntx.contracts.message import CONNECT_TUNNEL
from mosntx.contracts.stream import CONNECTION_TERMINATION, IDLE_TIMEOUT
from mosntx.protocol.errors import EncodeError
from mosntx.protocol.headers import Headers
from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.protocol.http2.heads import Http2RequestHead
from mosntx.protocol.http2.protocol import Http2Protocol
from mosntx.protocol.websocket import WEBSOCKET, acceptFor
from mosntx.testing import h2frames
from tests.protocol.http2.build import ENGINES, Pair2, Raw, response

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
CONNECT = ((b":method", b"CONNECT"), (b":authority", b"db:5432"))
TAKES = (0x8, 1)


def extended(protocol: bytes = WEBSOCKET, *more: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """Return the fields of an extended CONNECT."""
    pseudo = [(b":method", b"CONNECT"), *h2frames.GET[1:], (b":protocol", protocol)]
    return [*pseudo, (b"sec-websocket-version", b"13"), *more]


def offer(**options: Any) -> Http2RequestHead:
    """Return the head that a client on HTTP/2 has made."""
    headers = Headers([(b"sec-websocket-version", b"13")])
    return Http2RequestHead(b"GET", b"/chat", b"a", headers, upgrade=WEBSOCKET, **options)


def fromHttp1(key: bytes = KEY) -> Any:
    """Return the head that a client on HTTP/1.1 has made."""
    fields = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    if key:
        fields += b"Sec-WebSocket-Key: %b\r\n" % key
    wire = b"GET /chat HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"
    return Http1Protocol().serverCodec().receive(wire)[0][2]


class ServerCases:
    """The end that reads the CONNECT."""

    engine: ClassVar[str]

    def asked(self, fields: Any = None, end: bool = False, **limits: Any) -> Raw:
        """Return a codec that has got an offer."""
        raw = Raw("server", self.engine, **limits)
        self.events = raw.codec.receive(h2frames.request(1, fields or extended(), end))
        raw.frames()
        return raw

    def test_offer(self: Any) -> None:
        """An extended CONNECT is a GET with an offer."""
        self.asked()
        ((kind, number, head, end),) = self.events
        self.assertEqual((kind, number, end), (HEAD, 1, False))
        self.assertEqual((head.method, head.path, head.upgrade), (b"GET", b"/", WEBSOCKET))
        self.assertEqual(head.authority, b"example.com")

    def test_connect(self: Any) -> None:
        """A CONNECT is a tunnel to its authority; the answer has no length."""
        raw = self.asked(CONNECT)
        head = self.events[0][2]
        self.assertEqual((head.method, head.authority), (b"CONNECT", b"db:5432"))
        self.assertEqual(head.upgrade, CONNECT_TUNNEL)
        raw.codec.responseHead(1, response(200, [(b"content-length", b"0")]), False)
        (frame,) = raw.frames()
        self.assertEqual(raw.fields(frame), [(b":status", b"200")])
        self.assertEqual(raw.receive(h2frames.data(1, b"up", False)), [(DATA, 1, False)])

    def test_announced(self: Any) -> None:
        """Extended CONNECT is announced unless the limits say no; then an offer is malformed."""
        self.assertEqual(h2frames.readSettings(self.asked().first[0].payload)[0x8], 1)
        raw = Raw("server", self.engine, enable_connect_protocol=False)
        self.assertEqual(h2frames.readSettings(raw.first[0].payload)[0x8], 0)
        self.assertEqual(raw.receive(h2frames.request(1, extended(), False)), [])
        self.assertEqual(raw.resets(), [(1, h2frames.PROTOCOL_ERROR)])

    def test_otherProtocols(self: Any) -> None:
        """Another protocol than WebSocket is 501, and the next request is served."""
        raw = Raw("server", self.engine)
        self.assertEqual(raw.receive(h2frames.request(1, extended(b"connect-udp"), False)), [])
        frames = [each for each in raw.frames() if each.stream == 1]
        self.assertEqual(raw.fields(frames[0])[0], (b":status", b"501"))
        self.assertEqual(raw.receive(h2frames.request(3)), [(HEAD, 3, True)])

    def test_accepted(self: Any) -> None:
        """A 101 goes out as a 200 without what is HTTP/1.1's; then both directions are raw."""
        raw = self.asked()
        fields = [
            (b"Connection", b"Upgrade"),
            (b"Upgrade", b"websocket"),
            (b"Sec-WebSocket-Accept", b"x"),
            (b"Sec-WebSocket-Protocol", b"chat"),
        ]
        raw.codec.responseHead(1, response(101, fields), False)
        (frame,) = raw.frames()
        self.assertFalse(frame.flags & h2frames.END_STREAM)
        expected = [(b":status", b"200"), (b"sec-websocket-protocol", b"chat")]
        self.assertEqual(raw.fields(frame), expected)
        self.assertEqual(raw.receive(h2frames.data(1, b"up", False)), [(DATA, 1, False)])
        raw.codec.responseData(1, b"down", False)
        self.assertEqual([each.payload for each in raw.frames()], [b"down"])

    def test_eachDirectionEnds(self: Any) -> None:
        """An end sent leaves the other direction open, and the other way round."""
        for first in (False, True):
            raw = self.asked()
            raw.codec.responseHead(1, response(101), False)
            raw.frames()
            if first:
                self.assertEqual(raw.receive(h2frames.data(1, b"", True)), [(DATA, 1, True)])
            raw.codec.responseData(1, b"down", True)
            (frame,) = raw.frames()
            self.assertEqual((frame.payload, frame.flags), (b"down", h2frames.END_STREAM))
            if not first:
                self.assertEqual(raw.receive(h2frames.data(1, b"u", False)), [(DATA, 1, False)])
                self.assertEqual(raw.receive(h2frames.data(1, b"", True)), [(DATA, 1, True)])
            self.assertEqual(raw.frames(), [])

    def test_endedAtOnce(self: Any) -> None:
        """A CONNECT that has ended is an offer, and then an end."""
        for fields in (extended(), CONNECT):
            self.asked(fields, True)
            self.assertEqual(
                [(kind, end) for kind, _, _, end in self.events], [(HEAD, False), (DATA, True)]
            )

    def test_refused(self: Any) -> None:
        """A refusal goes out as it is; then the client is told that it need not go on."""
        raw = self.asked()
        raw.codec.responseHead(1, response(403, [(b"content-length", b"2")]), False)
        raw.codec.responseData(1, b"no", True)
        raw.codec.responseReset(1, CONNECTION_TERMINATION)
        frames = raw.frames()
        self.assertEqual(raw.fields(frames[0])[0], (b":status", b"403"))
        self.assertEqual(frames[1].payload, b"no")
        self.assertEqual((frames[2].type, frames[2].code), (h2frames.RST_STREAM, 0))

    def test_noYesByMistake(self: Any) -> None:
        """A page, which an upstream sent instead of a 101, is not taken for a yes."""
        raw = self.asked()
        self.assertRaises(EncodeError, raw.codec.responseHead, 1, response(200), False)
        self.assertRaises(EncodeError, raw.codec.responseHead, 1, response(101), True)
        raw.codec.responseHead(1, response(502), True)
        self.assertEqual(raw.fields(raw.frames()[0]), [(b":status", b"502")])

    def test_broken(self: Any) -> None:
        """A broken tunnel is reset at once: CANCEL, and CONNECT_ERROR where there is only TCP."""
        cases = [(extended(), 101, h2frames.CANCEL), (CONNECT, 200, h2frames.CONNECT_ERROR)]
        for fields, status, code in cases:
            for ended in (False, True):
                raw = self.asked(fields)
                raw.codec.responseHead(1, response(status), False)
                raw.codec.responseData(1, b"down", ended)
                raw.frames()
                raw.codec.responseReset(1, CONNECTION_TERMINATION)
                self.assertEqual(raw.resets(), [(1, code)])
        raw = self.asked(CONNECT)
        raw.codec.responseHead(1, response(200), False)
        raw.codec.responseReset(1, IDLE_TIMEOUT)
        self.assertEqual(raw.resets(), [(1, h2frames.CANCEL)])

    def test_resetByTheClient(self: Any) -> None:
        """A client may break a tunnel off, half of it too."""
        raw = self.asked()
        raw.codec.responseHead(1, response(101), False)
        raw.codec.responseData(1, b"", True)
        raw.frames()
        self.assertEqual(raw.receive(h2frames.rstStream(1)), [(RESET, 1, True)])

    def test_bodies(self: Any) -> None:
        """A CONNECT with a length is malformed, one with trailers too; tunnels have no limit."""
        for fields in (
            (*CONNECT, (b"content-length", b"0")),
            extended(WEBSOCKET, (b"content-length", b"3")),
        ):
            raw = Raw("server", self.engine)
            self.assertEqual(raw.receive(h2frames.request(1, fields, False)), [])
            self.assertEqual([stream for stream, _ in raw.resets()], [1])
        raw = self.asked(max_body=3)
        raw.codec.responseHead(1, response(101), False)
        raw.frames()
        self.assertEqual(raw.receive(h2frames.data(1, b"long", False)), [(DATA, 1, False)])
        events = raw.receive(h2frames.request(1, [(b"a", b"b")], True))
        self.assertEqual(events, [(RESET, 1, True)])


class H2ServerTests(ServerCases, SynchronousTestCase):
    """On hyper-h2."""

    engine = "h2"


class Ngh2ServerTests(ServerCases, SynchronousTestCase):
    """On libnghttp2."""

    engine = "ngh2"


class ClientCases:
    """The end that sends the CONNECT."""

    engine: ClassVar[str]

    def asked(self, head: Any = None) -> Raw:
        """Return a codec that has sent an offer."""
        raw = Raw("client", self.engine, [TAKES])
        raw.codec.requestHead(head or offer(), False)
        self.sent = [each for each in raw.frames() if each.type == h2frames.HEADERS]
        return raw

    def answer(self, raw: Raw, *fields: tuple[bytes, bytes], end: bool = False) -> list[Any]:
        """Let the server answer; return the events."""
        events: list[Any] = raw.codec.receive(h2frames.request(1, list(fields), end))
        return events

    def test_announced(self: Any) -> None:
        """Whether the server takes offers is unknown until its SETTINGS have come."""
        for settings, takes in (([TAKES], True), ([(0x8, 0)], False), ([], False)):
            codec = self.fresh()
            self.assertIsNone(codec.takesOffers)
            codec.receive(h2frames.settings(*settings))
            self.assertIs(codec.takesOffers, takes)
            codec.receive(h2frames.settings((h2frames.MAX_FRAME_SIZE, 20000)))
            self.assertIs(codec.takesOffers, takes)
            codec.receive(h2frames.settings(TAKES))
            self.assertTrue(codec.takesOffers)

    def fresh(self) -> Any:
        """Return a codec that has got nothing."""
        return Http2Protocol(engine=self.engine).clientCodec()

    def test_sent(self: Any) -> None:
        """An offer of HTTP/1.1 goes out as an extended CONNECT without its key."""
        raw = self.asked(fromHttp1())
        self.assertFalse(self.sent[0].flags & h2frames.END_STREAM)
        self.assertEqual(
            raw.fields(self.sent[0]),
            [
                (b":method", b"CONNECT"),
                (b":protocol", b"websocket"),
                (b":scheme", b"http"),
                (b":path", b"/chat"),
                (b":authority", b"a"),
            ],
        )

    def test_accepted(self: Any) -> None:
        """A 2xx is the 101 that a client on HTTP/1.1 waits for, with the answer to its key."""
        raw = self.asked(fromHttp1())
        ((kind, _, head, end),) = self.answer(raw, (b":status", b"200"))
        self.assertEqual((kind, head.status, end), (HEAD, 101, False))
        self.assertEqual(head.headers.get(b"sec-websocket-accept"), acceptFor(KEY))
        self.assertEqual(raw.receive(h2frames.data(1, b"down", False)), [(DATA, 1, False)])
        raw.codec.requestData(1, b"up", True)
        (frame,) = raw.frames()
        self.assertEqual((frame.payload, frame.flags), (b"up", h2frames.END_STREAM))
        self.assertEqual(raw.receive(h2frames.data(1, b"", True)), [(DATA, 1, True)])

    def test_acceptedForHttp2(self: Any) -> None:
        """A client on HTTP/2 has no key, and gets no answer to it."""
        raw = self.asked()
        fields = [(b"content-length", b"0"), (b"sec-websocket-protocol", b"chat")]
        ((_, _, head, _),) = self.answer(raw, (b":status", b"204"), *fields)
        self.assertEqual((head.status, head.headers.items()), (101, fields[1:]))
        self.assertIsNone(head.contentLength)

    def test_acceptedAndEnded(self: Any) -> None:
        """A yes with an end is a tunnel whose one direction has ended."""
        raw = self.asked()
        events = self.answer(raw, (b":status", b"200"), end=True)
        self.assertEqual([(kind, end) for kind, _, _, end in events], [(HEAD, False), (DATA, True)])
        raw.codec.requestData(1, b"up", True)
        self.assertEqual([each.payload for each in raw.frames()], [b"up"])

    def test_refused(self: Any) -> None:
        """A refusal is a response like any other, with body and trailers."""
        raw = self.asked(fromHttp1())
        ((_, _, head, _),) = self.answer(raw, (b":status", b"403"), (b"content-length", b"2"))
        self.assertEqual((head.status, head.contentLength), (403, 2))
        self.assertEqual(raw.receive(h2frames.data(1, b"no", False)), [(DATA, 1, False)])
        events = raw.receive(h2frames.request(1, [(b"a", b"b")], True))
        self.assertEqual([end for _, _, end in events], [True])
        raw = self.asked()
        ((_, _, head, end),) = self.answer(raw, (b":status", b"404"), end=True)
        self.assertEqual((head.status, end), (404, True))

    def test_trailers(self: Any) -> None:
        """A tunnel has no trailers."""
        raw = self.asked()
        self.answer(raw, (b":status", b"200"))
        events = raw.receive(h2frames.request(1, [(b"a", b"b")], True))
        self.assertEqual(events, [(RESET, 1, True)])

    def test_101(self: Any) -> None:
        """HTTP/2 has no 101 (RFC 9113 8.6): the stream is malformed, offer or not."""
        raw = self.asked()
        events = raw.receive(h2frames.request(1, [(b":status", b"101")], False))
        self.assertIn(events[-1][0], (RESET, FAILED))
        self.assertNotIn(HEAD, [event[0] for event in events])

    def test_withoutKey(self: Any) -> None:
        """No answer would fit a client on HTTP/1.1 without a key: nothing is sent for it."""
        raw = Raw("client", self.engine, [TAKES])
        self.assertRaises(EncodeError, raw.codec.requestHead, fromHttp1(b""), False)
        self.assertEqual(raw.frames(), [])

    def test_connect(self: Any) -> None:
        """A plain CONNECT keeps its status."""
        head = Http2RequestHead(b"CONNECT", b"", b"db:1", Headers(), upgrade=CONNECT_TUNNEL)
        raw = self.asked(head)
        expected = [(b":method", b"CONNECT"), (b":authority", b"db:1")]
        self.assertEqual(raw.fields(self.sent[0]), expected)
        ((_, _, head, _),) = self.answer(raw, (b":status", b"200"))
        self.assertEqual(head.status, 200)

    def test_notPushed(self: Any) -> None:
        """A server cannot push a tunnel."""
        raw = Raw("client", self.engine, [TAKES])
        raw.codec.requestHead(Http2RequestHead(b"GET", b"/", b"a", Headers()), True)
        raw.frames()
        promise = h2frames.pushPromise(1, 2, h2frames.fieldBlock(extended()))
        self.assertNotIn(PUSH, [event[0] for event in raw.receive(promise)])


class H2ClientTests(ClientCases, SynchronousTestCase):
    """On hyper-h2."""

    engine = "h2"


class Ngh2ClientTests(ClientCases, SynchronousTestCase):
    """On libnghttp2."""

    engine = "ngh2"


class PairTests(SynchronousTestCase):
    """Both ends of ours, on every pair of engines."""

    def test_bothWays(self) -> None:
        """An offer, a yes, 200 kB in both directions, and two ends."""
        for client in ENGINES:
            for server in ENGINES:
                pair = Pair2(client, server)
                pair.client.requestHead(fromHttp1(), False)
                pair.pump()
                self.assertEqual(pair.serverEvents[0][2].upgrade, WEBSOCKET)
                pair.server.responseHead(1, response(101), False)
                pair.pump()
                self.assertEqual(pair.clientEvents[0][2].status, 101)
                octets = bytes(range(256)) * 800
                pair.client.requestData(1, octets, True)
                pair.server.responseData(1, octets, True)
                pair.pump(50)
                self.assertEqual(pair.data(pair.serverEvents, 1), octets)
                self.assertEqual(pair.data(pair.clientEvents, 1), octets)
                self.assertTrue(pair.serverEvents[-1][3])
                self.assertTrue(pair.clientEvents[-1][3])
                self.assertEqual(pair.client.capacity, 100)
