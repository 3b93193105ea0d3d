"""Ends of streams while a window is shut: what has no octets needs none (RFC 9113 6.9)."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.message import Pair
from mosntx.testing import h2frames
from tests.protocol.http2.build import Bare

OK: list[Pair] = [(b":status", b"200")]
SUM: list[Pair] = [(b"sum", b"5")]
WHOLE = 65535  # octets of a window that nobody has changed
LARGE = 2**31 - 1


class Cases:
    """What holds for every engine."""

    name: ClassVar[str]

    def shut(self, shrink: int | None = None) -> Bare:
        """Return a server with stream 1 open, whose windows are used up.

        :param shrink: the new initial window of streams; ``None`` shuts the connection by stream 3.
        """
        bare = Bare(self.name, False)
        bare.receive(h2frames.request(1), h2frames.request(3))
        for number in (1, 3):
            bare.engine.response(number, OK, False)
        if shrink is None:
            bare.engine.data(3, b"x" * WHOLE, False)
        else:
            bare.engine.data(1, b"x" * 10, False)
            bare.receive(h2frames.settings((h2frames.INITIAL_WINDOW_SIZE, shrink)))
        bare.frames()
        return bare

    def test_anEmptyEnd(self: Any) -> None:
        """An empty body ends although the connection, or its stream, takes no more."""
        for shrink in (None, 10, 0):
            bare = self.shut(shrink)
            bare.engine.data(1, b"", True)
            frame = h2frames.Frame(h2frames.DATA, h2frames.END_STREAM, 1, b"")
            self.assertEqual(bare.frames(), [frame], shrink)

    def test_trailers(self: Any) -> None:
        """Trailers are no data, so they need no window."""
        for shrink in (None, 10, 0):
            bare = self.shut(shrink)
            bare.engine.trailers(1, SUM)
            sent = [(each.type, each.flags, each.stream) for each in bare.frames()]
            flags = h2frames.END_STREAM | h2frames.END_HEADERS
            self.assertEqual(sent, [(h2frames.HEADERS, flags, 1)], shrink)

    def test_nothingIsTold(self: Any) -> None:
        """The peer's windows have not changed, and a stream that ended well is not dead."""
        for shrink in (None, 10, 0):
            for trailers in ((), SUM):
                bare = self.shut(shrink)
                if trailers:
                    bare.engine.trailers(1, trailers)
                else:
                    bare.engine.data(1, b"", True)
                self.assertEqual(bare.receive(h2frames.ping()), [])

    def test_windowsAreAsBefore(self: Any) -> None:
        """The peer may open its windows as far as RFC 9113 6.9.1 allows, and all of it is used."""
        for shrink, used in ((None, WHOLE), (10, 10)):
            bare = self.shut(shrink)
            bare.engine.data(1, b"", True)
            opened = LARGE - WHOLE + used
            bare.receive(h2frames.windowUpdate(0, opened), h2frames.windowUpdate(3, 2 * WHOLE))
            bare.engine.data(3, b"x" * WHOLE, True)
            sent = sum(len(each.payload) for each in bare.frames() if each.type == h2frames.DATA)
            self.assertEqual(sent, WHOLE)

    def test_theLastStreamOfAll(self: Any) -> None:
        """The last end on a connection that the peer has left leaves too."""
        for shrink in (10, 0):
            bare = self.shut(shrink)
            bare.engine.data(3, b"", True)
            bare.receive(h2frames.goAway(0))
            bare.engine.trailers(1, SUM)
            frames = [each for each in bare.frames() if each.type == h2frames.HEADERS]
            self.assertEqual([each.stream for each in frames], [1])

    def test_inTheMiddleOfAFrame(self: Any) -> None:
        """Frames of the peer may be cut anywhere; the stream ends no later than they do."""
        body = h2frames.windowUpdate(3, 9)
        block = h2frames.fieldBlock(h2frames.GET)
        head = h2frames.headers(5, block[:10], True, whole=False)
        rest = h2frames.continuation(5, block[10:])
        for first, second, told in (
            (body[:5], body[5:], "window"),
            (body[:11], body[11:], "window"),
            (head, rest, "headers"),
        ):
            bare = self.shut()
            bare.engine.receive(first, False)
            bare.engine.data(1, b"", True)
            early = bare.engine.take()
            self.assertEqual([each[0] for each in bare.receive(second)], [told])
            frames = h2frames.parseFrames(early) + bare.frames()
            self.assertEqual(frames, [h2frames.Frame(h2frames.DATA, h2frames.END_STREAM, 1, b"")])

    def test_stopInTheMiddleOfAFrame(self: Any) -> None:
        """A reset without blame comes behind the end that waits; one that gives up replaces it."""
        for code in (h2frames.NO_ERROR, h2frames.CANCEL):
            bare = Bare(self.name, False)
            bare.receive(h2frames.request(1, h2frames.POST, False), h2frames.request(3))
            for number in (1, 3):
                bare.engine.response(number, OK, False)
            bare.engine.data(3, b"x" * WHOLE, False)
            bare.frames()
            ping = h2frames.ping()
            bare.engine.receive(ping[:10], False)
            bare.engine.trailers(1, SUM)
            early = bare.engine.take()
            bare.engine.reset(1, code)
            early += bare.engine.take()
            self.assertEqual(bare.receive(ping[10:]), [])
            frames = h2frames.parseFrames(early) + bare.frames()
            sent = [each.type for each in frames if each.stream]
            self.assertEqual(sent[-1], h2frames.RST_STREAM)
            if code == h2frames.NO_ERROR:
                self.assertEqual(sent, [h2frames.HEADERS, h2frames.RST_STREAM])
            self.assertEqual(bare.receive(h2frames.ping()), [])

    def test_resetInTheMiddleOfAFrame(self: Any) -> None:
        """A stream that is reset by the rest of the frame does no harm."""
        bare = self.shut()
        reset = h2frames.rstStream(1)
        bare.engine.receive(reset[:5], False)
        bare.engine.trailers(1, SUM)
        bare.receive(reset[5:])
        bare.receive(h2frames.request(5))
        bare.engine.response(5, OK, True)
        self.assertEqual(bare.frames()[-1].stream, 5)


class H2Tests(Cases, SynchronousTestCase):
    """On hyper-h2."""

    name = "h2"


class Ngh2Tests(Cases, SynchronousTestCase):
    """On libnghttp2."""

    name = "ngh2"
