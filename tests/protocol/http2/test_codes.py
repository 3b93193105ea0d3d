"""Numbers of HTTP/2 against those of the test kit, which were written down apart."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.stream import (
    DOWNSTREAM_GONE,
    GLOBAL_TIMEOUT,
    IDLE_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    REFUSED,
    REMOTE_RESET,
)
from mosntx.protocol.http2 import codes
from mosntx.testing import h2frames


class CodeTests(SynchronousTestCase):
    """Reasons of ours and error codes of the wire."""

    def test_numbers(self) -> None:
        """Settings and error codes have the numbers of RFC 9113."""
        for name in (
            "HEADER_TABLE_SIZE",
            "ENABLE_PUSH",
            "MAX_CONCURRENT_STREAMS",
            "INITIAL_WINDOW_SIZE",
            "MAX_FRAME_SIZE",
            "MAX_HEADER_LIST_SIZE",
            "NO_ERROR",
            "INTERNAL_ERROR",
            "FLOW_CONTROL_ERROR",
            "STREAM_CLOSED",
            "REFUSED_STREAM",
            "CANCEL",
            "ENHANCE_YOUR_CALM",
            "PREFACE",
        ):
            self.assertEqual(getattr(codes, name), getattr(h2frames, name), name)
        self.assertEqual(codes.H2_PROTOCOL_ERROR, h2frames.PROTOCOL_ERROR)
        self.assertEqual(codes.SETTINGS_FRAME, h2frames.SETTINGS)

    def test_codeOf(self) -> None:
        """The peer is told whether it was at fault, may try again, or is not needed any more."""
        self.assertEqual(codes.codeOf(PROTOCOL_ERROR), codes.H2_PROTOCOL_ERROR)
        for reason in (OVERFLOW, REFUSED):
            self.assertEqual(codes.codeOf(reason), codes.REFUSED_STREAM)
        for reason in (DOWNSTREAM_GONE, GLOBAL_TIMEOUT, PER_TRY_TIMEOUT, IDLE_TIMEOUT, LOCAL_RESET):
            self.assertEqual(codes.codeOf(reason), codes.CANCEL)
        self.assertEqual(codes.codeOf(LOCAL_RESET, codes.INTERNAL_ERROR), codes.INTERNAL_ERROR)

    def test_reasonOf(self) -> None:
        """Only REFUSED_STREAM says that a request was not looked at, even of codes unknown."""
        self.assertEqual(codes.reasonOf(codes.REFUSED_STREAM), REFUSED)
        for code in (codes.NO_ERROR, codes.CANCEL, codes.H2_PROTOCOL_ERROR, 0xFFFF):
            self.assertEqual(codes.reasonOf(code), REMOTE_RESET)
