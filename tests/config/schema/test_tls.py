"""Tests of `mosntx.config.schema.tls`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import TlsContext


class TlsContextTests(SynchronousTestCase):
    """Defaults that matter for safety."""

    def test_defaults(self) -> None:
        """Off, and when on: verified, without falling back to plain text."""
        context = TlsContext()
        self.assertFalse(context.status or context.insecure_skip or context.fall_back)
