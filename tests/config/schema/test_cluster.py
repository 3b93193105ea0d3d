"""Tests of `mosntx.config.schema.cluster`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import CircuitBreaker, Cluster


class ClusterTests(SynchronousTestCase):
    """Values that follow from others."""

    def test_circuitBreaker(self) -> None:
        """None, the first, or of several the one called default."""
        self.assertEqual(Cluster(name="c").circuitBreaker.max_pending_requests, 1024)
        first, second = (
            CircuitBreaker(max_retries=1),
            CircuitBreaker(max_retries=2, priority="DEFAULT"),
        )
        self.assertEqual(Cluster(name="c", circuit_breakers=(first,)).circuitBreaker, first)
        both = Cluster(name="c", circuit_breakers=(first, second))
        self.assertEqual(both.circuitBreaker, second)
        self.assertEqual(Cluster(name="c", circuit_breakers=(first, first)).circuitBreaker, first)
