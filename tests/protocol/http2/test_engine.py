"""What holds for every engine, so that codecs need not know which one they have."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import Pair
from mosntx.protocol.errors import ProtocolError
from mosntx.protocol.http2.engine import Engine, EngineError, EngineEvents
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.testing import h2frames
from tests.protocol.http2.build import Bare

GET: list[Pair] = list(h2frames.GET)
OK: list[Pair] = [(b":status", b"200")]


class ContractTests(SynchronousTestCase):
    """The classes themselves."""

    def test_abstract(self) -> None:
        """An engine or a listener that forgets a method cannot be made."""
        for kind in (Engine, EngineEvents):
            self.assertRaises(TypeError, kind)

    def test_error(self) -> None:
        """An error keeps its code and is an error of the protocol."""
        error = EngineError(0xB, "calm")
        self.assertIsInstance(error, ProtocolError)
        self.assertEqual((error.code, error.status, str(error)), (0xB, 400, "calm"))


class Cases:
    """What is received and sent, the same with each library."""

    name: ClassVar[str]

    def bare(self, client: bool = False, **limits: Any) -> Bare:
        return Bare(self.name, client, evolve(Http2Limits(), **limits))

    def test_request(self: Any) -> None:
        """Head, data and trailers are told in the order of the wire."""
        told = self.bare().receive(
            h2frames.request(1, h2frames.POST, False),
            h2frames.data(1, b"hello"),
            h2frames.request(1, [(b"sum", b"5")], True),
        )
        self.assertEqual(
            [each for each in told if each[0] != "data" or each[2]],
            [
                ("headers", 1, list(h2frames.POST), False),
                ("data", 1, b"hello", 5, False),
                ("trailers", 1, [(b"sum", b"5")]),
            ],
        )

    def test_response(self: Any) -> None:
        """Interim heads are told apart from the final one."""
        bare = self.bare(client=True)
        self.assertEqual(bare.engine.request(GET, True), 1)
        self.assertEqual([each.type for each in bare.frames()][-1], h2frames.HEADERS)
        told = bare.receive(
            h2frames.request(1, [(b":status", b"103")], False),
            h2frames.request(1, OK, False),
            h2frames.data(1, b"body", True),
        )
        self.assertEqual(
            told,
            [
                ("interim", 1, [(b":status", b"103")]),
                ("headers", 1, OK, False),
                ("data", 1, b"body", 4, True),
            ],
        )

    def test_sending(self: Any) -> None:
        """All that a server says leaves in its order."""
        bare = self.bare()
        bare.receive(h2frames.request(1))
        bare.engine.interim(1, [(b":status", b"103")])
        bare.engine.response(1, OK, False)
        bare.engine.data(1, b"body", False)
        bare.engine.trailers(1, [(b"sum", b"5")])
        frames = [each for each in bare.frames() if each.stream]
        self.assertEqual(
            [(each.type, each.flags & h2frames.END_STREAM) for each in frames],
            [
                (h2frames.HEADERS, 0),
                (h2frames.HEADERS, 0),
                (h2frames.DATA, 0),
                (h2frames.HEADERS, 1),
            ],
        )

    def test_largeData(self: Any) -> None:
        """Data is cut as the peer wants its frames, and ends once."""
        bare = self.bare()
        bare.receive(h2frames.request(1))
        bare.engine.response(1, OK, False)
        bare.engine.data(1, b"x" * 40_000, True)
        frames = [each for each in bare.frames() if each.type == h2frames.DATA]
        self.assertEqual(sum(len(each.payload) for each in frames), 40_000)
        self.assertLessEqual(max(len(each.payload) for each in frames), 16384)
        self.assertEqual([each.flags for each in frames], [0, 0, h2frames.END_STREAM])

    def test_numbersOfRequests(self: Any) -> None:
        """Streams of a client are odd and count up."""
        bare = self.bare(client=True)
        self.assertEqual([bare.engine.request(GET, True) for _ in range(3)], [1, 3, 5])

    def test_resets(self: Any) -> None:
        """Resets go both ways with their code."""
        bare = self.bare()
        told = bare.receive(
            h2frames.request(1), h2frames.request(3), h2frames.rstStream(1, h2frames.REFUSED_STREAM)
        )
        self.assertIn(("reset", 1, h2frames.REFUSED_STREAM, False), told)
        bare.engine.reset(3, h2frames.CANCEL)
        resets = [each for each in bare.frames() if each.type == h2frames.RST_STREAM]
        self.assertEqual([(each.stream, each.code) for each in resets], [(3, h2frames.CANCEL)])

    def test_resetsAreToldOnce(self: Any) -> None:
        """A reset of the peer is told once and is no mistake."""
        bare = self.bare()
        told = bare.receive(h2frames.request(1), h2frames.rstStream(1), h2frames.ping())
        self.assertEqual(
            [each for each in told if each[0] == "reset"], [("reset", 1, h2frames.CANCEL, False)]
        )
        self.assertEqual(bare.receive(h2frames.ping()), [])

    def test_ownResetsAreNotTold(self: Any) -> None:
        """Who resets a stream does not hear of it again, whether it has been written or not."""
        bare = self.bare()
        bare.receive(h2frames.request(1), h2frames.request(3))
        bare.engine.reset(1, h2frames.CANCEL)
        bare.frames()
        bare.engine.reset(3, h2frames.INTERNAL_ERROR)
        self.assertEqual(bare.receive(h2frames.ping()), [])
        self.assertEqual(bare.receive(h2frames.ping()), [])

    def test_order(self: Any) -> None:
        """Data leaves in the order in which it was given, whatever the peer's priorities say."""
        bare = self.bare()
        late = [*h2frames.GET, (b"priority", b"u=7")]
        bare.receive(h2frames.request(1, late), h2frames.request(3), h2frames.request(5))
        for number in (1, 3, 5):
            bare.engine.response(number, OK, False)
        for number in (1, 5, 3, 1, 5):
            bare.engine.data(number, b"x", False)
        sent = [each.stream for each in bare.frames() if each.type == h2frames.DATA]
        self.assertEqual(sent, [1, 5, 3, 1, 5])

    def test_push(self: Any) -> None:
        """A promise is told with the stream that it came on."""
        server = self.bare()
        server.receive(h2frames.request(1))
        self.assertEqual(server.engine.push(1, GET), 2)
        types = [each.type for each in server.frames()]
        self.assertEqual(types[-1], h2frames.PUSH_PROMISE)
        client = self.bare(client=True)
        client.engine.request(GET, True)
        client.frames()
        told = client.receive(h2frames.pushPromise(1, 2, h2frames.fieldBlock(GET)))
        self.assertEqual(told, [("push", 1, 2, GET)])

    def test_settings(self: Any) -> None:
        """Settings are told by number, and answered."""
        bare = self.bare()
        told = bare.receive(h2frames.settings((h2frames.INITIAL_WINDOW_SIZE, 70_000)))
        settings = [each[1] for each in told if each[0] == "settings"]
        self.assertEqual(settings[0][h2frames.INITIAL_WINDOW_SIZE], 70_000)
        acks = [each for each in bare.frames() if each.type == h2frames.SETTINGS]
        self.assertEqual([each.flags for each in acks], [h2frames.ACK])

    def test_windows(self: Any) -> None:
        """Windows are told for streams and, as stream 0, for the connection."""
        told = self.bare().receive(
            h2frames.request(1, h2frames.POST, False),
            h2frames.windowUpdate(0, 7),
            h2frames.windowUpdate(1, 9),
        )
        self.assertEqual(told[1:], [("window", 0, 7), ("window", 1, 9)])

    def test_consumed(self: Any) -> None:
        """The peer gets no window before what it sent is out of the way."""
        bare = self.bare(stream_window=65535)
        bare.receive(h2frames.request(1, h2frames.POST, False))
        bare.engine.take()
        for _ in range(3):
            bare.receive(h2frames.data(1, b"x" * 16384))
        self.assertEqual(bare.frames(), [])
        bare.engine.consumed(1, 3 * 16384)
        updates = {each.stream: int.from_bytes(each.payload, "big") for each in bare.frames()}
        self.assertEqual(updates[1], 3 * 16384)

    def test_settingsBindOnceTheyAreAcknowledged(self: Any) -> None:
        """A peer that has not seen our SETTINGS yet goes by what holds without (RFC 9113 6.5.3)."""
        bare = self.bare(stream_window=1000, header_table_size=0)
        bare.receive(h2frames.request(1, h2frames.POST, False))
        told = bare.receive(h2frames.data(1, b"x" * 16384), h2frames.settingsAck())
        self.assertEqual(sum(each[3] for each in told if each[0] == "data"), 16384)
        noTable = h2frames.headers(3, b"\x20" + h2frames.fieldBlock(h2frames.POST), False)
        bare.receive(noTable, h2frames.data(3, b"x" * 1000))
        try:  # nghttp2 ends the stream, hyper-h2 the connection
            told = bare.receive(h2frames.data(3, b"x"))
        except EngineError as error:
            told = [("reset", 3, error.code, True)]
        self.assertIn(("reset", 3, h2frames.FLOW_CONTROL_ERROR, True), told)

    def test_windowThatShrinks(self: Any) -> None:
        """A stream that has used more than the window which we told goes on once it was read."""
        bare = self.bare(stream_window=1000)
        bare.receive(h2frames.request(1, h2frames.POST, False), h2frames.data(1, b"x" * 5000))
        bare.engine.consumed(1, 5000)
        bare.receive(h2frames.settingsAck())
        updates = [each for each in bare.frames() if each.stream == 1]
        window = 1000 - 5000 + sum(int.from_bytes(each.payload, "big") for each in updates)
        self.assertTrue(500 <= window <= 1000, window)
        bare.receive(h2frames.data(1, b"x" * window))

    def test_pings(self: Any) -> None:
        """A PING of the peer is answered at once; the answer to ours is told."""
        bare = self.bare()
        self.assertEqual(bare.receive(h2frames.ping(b"12345678")), [])
        self.assertEqual(bare.engine.take(), h2frames.ping(b"12345678", True))
        bare.engine.ping(b"abcdefgh")
        self.assertEqual(bare.engine.take(), h2frames.ping(b"abcdefgh"))
        self.assertEqual(bare.receive(h2frames.ping(b"abcdefgh", True)), [("pong", b"abcdefgh")])

    def test_goAwayLetsStreamsGoOn(self: Any) -> None:
        """What is open when the peer leaves is finished (RFC 9113 6.8)."""
        bare = self.bare(client=True)
        bare.engine.request(GET, True)
        bare.frames()
        self.assertEqual(bare.receive(h2frames.goAway(1)), [("goAway", 1, 0)])
        told = bare.receive(h2frames.request(1, OK, True))
        self.assertEqual(told, [("headers", 1, OK, True)])

    def test_goAwayWithACode(self: Any) -> None:
        """What is open is finished even if the peer leaves because of an error."""
        bare = self.bare(client=True)
        bare.engine.request(GET, True)
        bare.frames()
        code = h2frames.INTERNAL_ERROR
        self.assertEqual(bare.receive(h2frames.goAway(1, code, b"why")), [("goAway", 1, code)])
        told = bare.receive(h2frames.request(1, OK, True), h2frames.ping())
        self.assertEqual(told, [("headers", 1, OK, True)])

    def test_framesBehindTheLastStream(self: Any) -> None:
        """Nothing breaks when the peer still says something after all streams that it left."""
        for before in (b"", h2frames.goAway(1)):
            bare = self.bare(client=True)
            first, second = bare.engine.request(GET, False), bare.engine.request(GET, True)
            bare.receive(before, h2frames.request(first, OK, True))
            bare.engine.data(first, b"", True)
            after = h2frames.goAway(1) if not before else b""
            bare.receive(after, h2frames.rstStream(second, h2frames.REFUSED_STREAM))
            bare.receive(h2frames.ping(), h2frames.rstStream(second, h2frames.CANCEL))
            bare.engine.ping(b"12345678")

    def test_requestsBeforeGoAway(self: Any) -> None:
        """A request that was begun before GOAWAY or a lower limit came still leaves."""
        for octets in (
            h2frames.goAway(2**31 - 1),
            h2frames.settings((h2frames.MAX_CONCURRENT_STREAMS, 0)),
        ):
            bare = self.bare(client=True)
            bare.engine.request(GET, True)
            bare.receive(octets)
            self.assertIn((h2frames.HEADERS, 1), [each[:3:2] for each in bare.frames()])
            told = bare.receive(h2frames.request(1, OK, True))
            self.assertEqual(told, [("headers", 1, OK, True)])

    def test_broken(self: Any) -> None:
        """What ends a connection is an error with a code of RFC 9113."""
        for octets in (
            h2frames.data(0, b"x"),
            h2frames.request(2),
            h2frames.continuation(1, b""),
            h2frames.headers(1, h2frames.fieldIndex(99), True),
            h2frames.rawFrame(h2frames.PING, payload=b"short"),
            h2frames.rawFrame(h2frames.DATA, stream=1, payload=b"x" * 16385),
            h2frames.windowUpdate(0, 2**31 - 1),
        ):
            bare = self.bare()
            error = self.assertRaises(EngineError, bare.receive, octets)
            self.assertTrue(1 <= error.code <= 0xD, error.code)

    def test_anyCut(self: Any) -> None:
        """Frames that come octet by octet are told as whole ones are."""
        octets = b"".join(
            (
                h2frames.request(1, h2frames.POST, False),
                h2frames.windowUpdate(1, 5),
                h2frames.goAway(0),
                h2frames.data(1, b"hello", True),
            )
        )
        bare = self.bare()
        told = [each for octet in octets for each in bare.receive(bytes((octet,)))]
        names = [each[0] for each in told if each[0] != "data"]
        self.assertEqual(names, ["headers", "window", "goAway"])
        self.assertEqual(b"".join([each[2] for each in told if each[0] == "data"]), b"hello")
        self.assertEqual(sum(each[3] for each in told if each[0] == "data"), 5)


class H2Tests(Cases, SynchronousTestCase):
    """On hyper-h2."""

    name = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """On libnghttp2."""

    name = "ngh2"
