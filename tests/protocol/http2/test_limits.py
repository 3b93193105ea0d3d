"""Limits of HTTP/2."""

from __future__ import annotations

from attrs import evolve
from attrs.exceptions import FrozenInstanceError
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http2.guard import FloodLimits
from mosntx.protocol.http2.limits import Http2Limits


class LimitTests(SynchronousTestCase):
    """Figures that depend on each other."""

    def test_wholeWindow(self) -> None:
        """The connection has room for the windows of all streams, or a slow one stops the rest."""
        limits = evolve(
            Http2Limits(), max_concurrent_streams=10, stream_window=1000, connection_window=5000
        )
        self.assertEqual(limits.wholeWindow, 10_000)
        self.assertEqual(evolve(limits, connection_window=20_000).wholeWindow, 20_000)

    def test_engineListSize(self) -> None:
        """Engines decode a little more than is allowed: so what is too large can be answered."""
        limits = evolve(Http2Limits(), max_header_list_size=1000)
        self.assertEqual(limits.engineListSize, 2000)

    def test_wholeWindowIsAWindow(self) -> None:
        """It never passes the largest window that there is (RFC 9113 6.9.1)."""
        limits = evolve(Http2Limits(), max_concurrent_streams=100, stream_window=2**30)
        self.assertEqual(limits.wholeWindow, 2**31 - 1)

    def test_defaults(self) -> None:
        """Without being told there are limits for all that a peer could do without end."""
        limits = Http2Limits()
        self.assertEqual(limits.floods, FloodLimits())
        for most in (
            limits.max_concurrent_streams,
            limits.max_header_list_size,
            limits.max_headers,
            limits.header_table_size,
            limits.max_informational,
            limits.max_pushes,
            limits.max_pushes_per_request,
        ):
            self.assertGreater(most, 0)

    def test_frozen(self) -> None:
        """Codecs share limits, so nobody changes them."""
        self.assertRaises(FrozenInstanceError, setattr, Http2Limits(), "max_headers", 5)
