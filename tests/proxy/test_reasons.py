"""Tests of `mosntx.proxy.reasons`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.filters import (
    FAULT_INJECTED,
    FILTER_FAILED,
    RATE_LIMITED,
    REQUEST_ENTITY_TOO_LARGE,
)
from mosntx.contracts.stream import RESET_NAMES
from mosntx.proxy.reasons import OF_CLIENT, OF_RESET, REASONS, reasonOfReply


class ReasonTests(SynchronousTestCase):
    """The table of reasons."""

    def test_everyReset(self) -> None:
        """Each way in which a stream can die has a reason."""
        self.assertEqual(sorted(OF_RESET), list(range(1, len(RESET_NAMES))))
        self.assertLessEqual({*OF_RESET.values(), *OF_CLIENT.values()}, set(REASONS))

    def test_codes(self) -> None:
        """Codes can stand in a header field and in the name of a statistic."""
        for code, reason in REASONS.items():
            self.assertEqual(code, reason.code)
            self.assertRegex(code, r"\A[a-z_]+\Z")

    def test_sentences(self) -> None:
        """Each says what happened and where to look, in sentences."""
        for reason in REASONS.values():
            self.assertRegex(reason.meaning, r"\A[A-Z].*\.\Z")
            self.assertRegex(reason.advice, r"\A[A-Z].*[.?]\Z")

    def test_replies(self) -> None:
        """A filter's flag says why it replied; an error without a flag is its own."""
        table = (
            (413, REQUEST_ENTITY_TOO_LARGE, "too_large"),
            (429, RATE_LIMITED, "rate_limited"),
            (200, FAULT_INJECTED, "fault_injected"),
            (500, FILTER_FAILED, "filter_failed"),
            (403, 0, "filter_reply"),
            (200, 0, ""),
        )
        for status, flag, code in table:
            self.assertEqual(reasonOfReply(status, flag), code)
            self.assertIn(code, {"", *REASONS})
