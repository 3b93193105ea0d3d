"""What the engine on libnghttp2 does besides what the library does (see also `test_engine`)."""

from __future__ import annotations

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.engine import EngineError
from mosntx.protocol.http2.limits import Http2Limits
from mosntx.protocol.http2.ngh2_engine import Ngh2Engine
from mosntx.testing import h2frames
from tests.protocol.http2.build import Bare, Recorder


class Ngh2EngineTests(SynchronousTestCase):
    """Where the library differs from hyper-h2."""

    def setUp(self) -> None:
        self.bare = Bare("ngh2", False)

    def test_noOwnFrames(self) -> None:
        """The codec writes SETTINGS: the engine only opens the connection's window."""
        engine = Ngh2Engine(Recorder(), False, Http2Limits())
        frames = h2frames.parseFrames(engine.take())
        self.assertEqual([each.type for each in frames], [h2frames.WINDOW_UPDATE])
        self.assertEqual(
            int.from_bytes(frames[0].payload, "big"), Http2Limits().wholeWindow - 65535
        )

    def test_manyStreams(self) -> None:
        """The count of streams is the codec's: one too many does not break the connection."""
        told = self.bare.receive(*[h2frames.request(1 + 2 * i) for i in range(150)])
        self.assertEqual(len(told), 150)

    def test_oursIsTold(self) -> None:
        """A stream that the library resets for a mistake of the peer is told as such."""
        told = self.bare.receive(h2frames.request(1, [*h2frames.GET, (b"connection", b"close")]))
        self.assertEqual(told, [("reset", 1, h2frames.PROTOCOL_ERROR, True)])

    def test_endIsNoReset(self) -> None:
        """A stream that ends as it should is not told to be dead."""
        self.bare.receive(h2frames.request(1))
        self.bare.engine.response(1, [(b":status", b"200")], True)
        self.bare.engine.take()
        self.assertEqual(self.bare.receive(h2frames.ping()), [])

    def test_brokenInWriting(self) -> None:
        """A mistake that the library notices late is told at once all the same."""
        error = self.assertRaises(EngineError, self.bare.receive, h2frames.data(0, b"x"))
        self.assertEqual(error.code, h2frames.PROTOCOL_ERROR)

    def test_emptyTrailers(self) -> None:
        """Trailers without fields end the stream."""
        self.bare.receive(h2frames.request(1))
        self.bare.engine.response(1, [(b":status", b"200")], False)
        self.bare.engine.trailers(1, [])
        frames = [each for each in self.bare.frames() if each.stream]
        self.assertEqual(frames[-1].flags & h2frames.END_STREAM, h2frames.END_STREAM)

    def test_listTooLarge(self) -> None:
        """A field list over the limit breaks the connection instead of being kept."""
        bare = Bare("ngh2", False, evolve(Http2Limits(), max_header_list_size=1000))
        big = [*h2frames.GET, (b"a", b"x" * 2000)]
        error = self.assertRaises(EngineError, bare.receive, h2frames.request(1, big))
        self.assertEqual(error.code, h2frames.ENHANCE_YOUR_CALM)
