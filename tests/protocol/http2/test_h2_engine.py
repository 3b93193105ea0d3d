"""What the engine on hyper-h2 does besides what the library does (see also `test_engine`)."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.codes import PREFACE
from mosntx.protocol.http2.engine import EngineError
from mosntx.protocol.http2.h2_engine import H2Engine
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.testing import h2frames
from tests.protocol.http2.build import Bare, Recorder


class PrefaceTests(SynchronousTestCase):
    """The first octets of a client."""

    def setUp(self) -> None:
        self.recorder = Recorder()
        self.engine = H2Engine(self.recorder, False, Http2Limits())

    def test_anyCut(self) -> None:
        """The preface may come in two parts, with or without frames behind."""
        octets = PREFACE + h2frames.settings() + h2frames.request(1)
        for cut in range(len(octets)):
            self.setUp()
            self.engine.receive(octets[:cut])
            self.engine.receive(octets[cut:])
            self.assertEqual(self.recorder.told[-1][:2], ("headers", 1), cut)

    def test_wrong(self) -> None:
        """Whatever is no preface breaks the connection without being collected."""
        self.assertRaises(EngineError, self.engine.receive, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")

    def test_noOwnFrames(self) -> None:
        """The codec writes SETTINGS: the engine only opens the connection's window."""
        frames = h2frames.parseFrames(self.engine.take())
        self.assertEqual([each.type for each in frames], [h2frames.WINDOW_UPDATE])
        self.assertEqual(
            int.from_bytes(frames[0].payload, "big"), Http2Limits().wholeWindow - 65535
        )


class GoAwayTests(SynchronousTestCase):
    """GOAWAY frames, which the library never sees."""

    def test_amongOthers(self) -> None:
        """Frames before and behind it are told in the order of the wire."""
        told = Bare("h2", False).receive(
            h2frames.request(1), h2frames.goAway(0, 0xB, b"text"), h2frames.request(3)
        )
        self.assertEqual([each[0] for each in told], ["headers", "goAway", "headers"])
        self.assertEqual(told[1], ("goAway", 0, 0xB))

    def test_tooShort(self) -> None:
        """A GOAWAY without a code is a frame of the wrong size."""
        bare = Bare("h2", False)
        error = self.assertRaises(
            EngineError, bare.receive, h2frames.rawFrame(h2frames.GOAWAY, payload=b"1234567")
        )
        self.assertEqual(error.code, h2frames.FRAME_SIZE_ERROR)

    def test_reservedBit(self) -> None:
        """The bit before the number of the stream means nothing."""
        payload = bytes((0x80, 0, 0, 5, 0, 0, 0, 0))
        told = Bare("h2", False).receive(h2frames.rawFrame(h2frames.GOAWAY, payload=payload))
        self.assertEqual(told, [("goAway", 5, 0)])


class LibraryTests(SynchronousTestCase):
    """What the library would do otherwise."""

    def test_tooLarge(self) -> None:
        """A frame larger than allowed breaks the connection before it has come whole."""
        bare = Bare("h2", False)
        header = h2frames.rawFrame(h2frames.DATA, stream=1, length=2**24 - 1)
        error = self.assertRaises(EngineError, bare.receive, header)
        self.assertEqual(error.code, h2frames.FRAME_SIZE_ERROR)

    def test_manyStreams(self) -> None:
        """The count of streams is the codec's: one too many does not break the connection."""
        told = Bare("h2", False).receive(*[h2frames.request(1 + 2 * i) for i in range(150)])
        self.assertEqual(len(told), 150)

    def test_fieldsAreNotChecked(self) -> None:
        """What a message may say is decided above, so nothing is refused here."""
        odd = [*h2frames.GET, (b"connection", b"close"), (b"x", b" y ")]
        told = Bare("h2", False).receive(h2frames.request(1, odd))
        self.assertEqual(told, [("headers", 1, odd, True)])

    def test_contentLengthIsNotChecked(self) -> None:
        """The library would end the connection for it; a field named like its stand-in is left."""
        for value in (b"x", b"7"):
            odd = [*h2frames.POST, (b"content-length", value), (b"(content-length)", b"9")]
            told = Bare("h2", False).receive(
                h2frames.request(1, odd, False), h2frames.data(1, b"ab", True)
            )
            self.assertEqual(told, [("headers", 1, odd, False), ("data", 1, b"ab", 2, True)])

    def test_padding(self) -> None:
        """Padding counts for windows and is no data."""
        bare = Bare("h2", False)
        bare.receive(h2frames.request(1, h2frames.POST, False))
        told = bare.receive(h2frames.data(1, b"abc", padding=10))
        self.assertEqual(told, [("data", 1, b"abc", 14, False)])

    def test_wordsOfErrors(self) -> None:
        """An error does not repeat what the peer sent."""
        bare = Bare("h2", False)
        block = h2frames.fieldBlock([(b":method", b"secret")]) + h2frames.fieldIndex(99)
        error = self.assertRaises(EngineError, bare.receive, h2frames.headers(1, block, True))
        self.assertNotIn("secret", str(error))
        self.assertTrue(str(error).startswith("HTTP/2: "), str(error))
