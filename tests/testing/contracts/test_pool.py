"""Tests of `mosntx.testing.contracts.pool`: the suite finds pools that break the contract."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from mosntx.protocol.http1.protocol import Http1Protocol
from mosntx.upstream.pools.pingpong import PingPongPool, PoolLimits
from tests.testing.contracts import test_streams
from tests.upstream.pools import test_pingpong


class HastyPool(PingPongPool):
    """Says that it is drained before it is."""

    __slots__ = ()

    def drain(self) -> Deferred[None]:
        """See `IConnectionPool.drain`."""
        done: Deferred[None] = Deferred()
        super().drain()
        done.callback(None)
        return done


class PoolSuiteTests(SynchronousTestCase):
    """A broken pool."""

    def test_drain(self) -> None:
        """It fails where it is hasty, and nowhere else."""

        class Hasty(test_pingpong.PingPongTestCase):
            def pool(self, maxConnections: int = 0, maxPending: int = 9, **limits: Any) -> Any:
                return HastyPool(
                    "192.0.2.1:80",
                    Http1Protocol().clientCodec,
                    self.connector,
                    self.wheel,
                    self.stats,
                    PoolLimits(maxConnections, maxPending),
                )

        names = ["test_drain", "test_reuse", "test_drainEmpty"]
        self.assertEqual(test_streams.failures(Hasty, *names), names[:1])
