"""Frames that are written without an engine."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.frames import Stream, goAwayFrame, settingsFrame, windowUpdateFrame
from mosntx.testing import h2frames


class FrameTests(SynchronousTestCase):
    """Octets as RFC 9113 section 6 has them."""

    def test_settings(self) -> None:
        """Every setting is written once, in the order given."""
        values = {0x3: 100, 0x4: 2**31 - 1}
        self.assertEqual(settingsFrame(values), h2frames.settings(*values.items()))
        self.assertEqual(settingsFrame({}), h2frames.settings())

    def test_windowUpdate(self) -> None:
        """The increment stands behind the number of the stream."""
        self.assertEqual(windowUpdateFrame(0, 2**31 - 1), h2frames.windowUpdate(0, 2**31 - 1))
        self.assertEqual(windowUpdateFrame(5, 1), h2frames.windowUpdate(5, 1))

    def test_goAway(self) -> None:
        """The last stream and the code are in the frame, and it is of the connection."""
        for last, code in ((0, 0), (2**31 - 1, 0), (7, 0xB)):
            self.assertEqual(goAwayFrame(last, code), h2frames.goAway(last, code))


class StreamTests(SynchronousTestCase):
    """What a stream begins with."""

    def test_begin(self) -> None:
        """Halves are open or closed as told, and nothing was counted yet."""
        stream = Stream(True)
        self.assertEqual((stream.recvEnded, stream.sendEnded), (True, False))
        stream = Stream(False, True)
        self.assertEqual((stream.recvEnded, stream.sendEnded), (False, True))
        self.assertEqual((stream.held, stream.received), (0, 0))
        self.assertFalse(stream.ending or stream.paused or stream.resetAfter)
