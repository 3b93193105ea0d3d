"""Tests of the errors of codecs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.errors import EncodeError, LimitError, ProtocolError, WaitError


class ErrorTests(SynchronousTestCase):
    """What an error tells."""

    def test_attributes(self) -> None:
        """Every kind carries a status and a reason, and reads as its reason."""
        for kind in (ProtocolError, LimitError, WaitError, EncodeError):
            error = kind(400, "stray LF")
            self.assertIsInstance(error, ProtocolError)
            self.assertEqual(
                (error.status, error.reason, str(error)), (400, "stray LF", "stray LF")
            )
