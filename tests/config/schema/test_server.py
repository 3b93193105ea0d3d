"""Tests of `mosntx.config.schema.server`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import FilterChain, FilterSpec, Listener, TlsContext


class ListenerTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_idleTimeout(self) -> None:
        """MOSN's defaults by network; 0 is never."""
        self.assertEqual(Listener(address=":1").idleTimeout, 90.0)
        self.assertEqual(Listener(address=":1", network="udp").idleTimeout, 5.0)
        self.assertEqual(Listener(address=":1", connection_idle_timeout=7.0).idleTimeout, 7.0)
        self.assertIsNone(Listener(address=":1", connection_idle_timeout=0.0).idleTimeout)

    def test_filters(self) -> None:
        """The filters of the chain; skipped ones are not among them."""
        chain = FilterChain(
            filters=(FilterSpec(type="a"),), skipped_filters=(FilterSpec(type="b"),)
        )
        listener = Listener(address=":1", filter_chains=(chain,))
        self.assertEqual([spec.type for spec in listener.filters], ["a"])

    def test_tlsContexts(self) -> None:
        """Only those that are on, from both keys."""
        off, on = TlsContext(), TlsContext(status=True)
        self.assertEqual(FilterChain(tls_context=off, tls_context_set=(on, off)).tlsContexts, (on,))
        self.assertEqual(Listener(address=":1", filter_chains=(FilterChain(),)).tlsContexts, ())
