"""Tests of Bolt's numbers."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.contracts.stream import (
    CONNECTION_FAILED,
    CONNECTION_TERMINATION,
    GLOBAL_TIMEOUT,
    LOCAL_RESET,
    OVERFLOW,
    PER_TRY_TIMEOUT,
    PROTOCOL_ERROR,
    UPSTREAM_RESET,
)
from mosntx.protocol.bolt.codes import boltStatus, httpStatus, resetStatus


class StatusTests(SynchronousTestCase):
    """The tables of spec/proxy.md 7."""

    def test_fromHttp(self) -> None:
        """Local replies and answers of other protocols."""
        expected = {
            0: 9,
            2: 3,
            3: 18,
            200: 0,
            204: 0,
            302: 3,
            400: 3,
            403: 2,
            404: 6,
            429: 3,
            500: 3,
            502: 6,
            503: 4,
            504: 7,
            509: 3,
        }
        self.assertEqual({status: boltStatus(status) for status in expected}, expected)

    def test_toHttp(self) -> None:
        """Answers of upstreams, for retries, logs and counters."""
        expected = {0: 200, 1: 500, 2: 500, 3: 500, 4: 503, 6: 500, 7: 504, 16: 502, 18: 500}
        self.assertEqual({status: httpStatus(status) for status in expected}, expected)
        self.assertEqual(httpStatus(0x7FFF), 500)

    def test_resets(self) -> None:
        """A stream that is broken off has the status of its reason."""
        expected = {
            CONNECTION_FAILED: 6,
            CONNECTION_TERMINATION: 3,
            UPSTREAM_RESET: 6,
            LOCAL_RESET: 6,
            OVERFLOW: 4,
            GLOBAL_TIMEOUT: 7,
            PER_TRY_TIMEOUT: 7,
            PROTOCOL_ERROR: 6,
        }
        self.assertEqual({reason: resetStatus(reason) for reason in expected}, expected)
