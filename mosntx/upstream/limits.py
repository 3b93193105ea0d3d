"""Circuit breakers: how much of a cluster may be in use at once (spec/upstream.md 9)."""

from __future__ import annotations

from mosntx.config.schema import AdaptiveConcurrency
from mosntx.stats.structs import ClusterStats
from mosntx.upstream.adaptive import AdaptiveLimit
from mosntx.upstream.retrybudget import RetryBudget


class Limits:
    """Four counters, each with its limit; a limit of 0 is none.

    Each ``try...`` that returns true is followed by exactly one ``release...``. Everything is
    counted, limited or not, so a limit that comes at run time finds true counts.

    ``connections`` counts the whole cluster's, which only L4 proxies limit; pools compare their
    own number of connections with `maxConnections`.

    :ivar adaptive: sets `maxRequests` by latency; ``None`` when that is off.
    :ivar begun: attempts so far.
    :ivar budget: of repetitions.
    """

    __slots__ = (
        "_ceiling",
        "adaptive",
        "begun",
        "budget",
        "connections",
        "maxConnections",
        "maxPending",
        "maxRequests",
        "maxRetries",
        "pending",
        "requests",
        "retries",
    )

    def __init__(
        self,
        maxConnections: int = 0,
        maxPending: int = 0,
        maxRequests: int = 0,
        maxRetries: int = 0,
    ) -> None:
        self.adaptive: AdaptiveLimit | None = None
        self.begun = 0
        self.budget = RetryBudget()
        self.connections = 0
        self.pending = 0
        self.requests = 0
        self.retries = 0
        self.configure(maxConnections, maxPending, maxRequests, maxRetries)

    def configure(
        self, maxConnections: int, maxPending: int, maxRequests: int, maxRetries: int
    ) -> None:
        """Change the limits and keep the counts."""
        self.maxConnections = maxConnections
        self.maxPending = maxPending
        self._ceiling = self.maxRequests = maxRequests
        self.maxRetries = maxRetries
        if self.adaptive is not None:
            self.hold(self.adaptive.limit)

    def adapt(self, config: AdaptiveConcurrency | None, stats: ClusterStats) -> None:
        """Let latency set the limit of requests, or no longer. What was measured stays.

        :param stats: show the present limit.
        """
        if config is None:
            self.adaptive = None
            self.maxRequests, stats.adaptive_limit = self._ceiling, 0
        elif self.adaptive is None:
            self.adaptive = AdaptiveLimit(self, config, stats)
        else:
            self.adaptive.config = config
            self.adaptive.set(self.adaptive.limit)

    def hold(self, limit: int) -> None:
        """Allow no more requests at a time than this and than the configuration allows."""
        self.maxRequests = min(self._ceiling or limit, limit)

    def refusedByLatency(self) -> bool:
        """Say whether the limit of requests is the measured one at the moment."""
        return self.adaptive is not None and self.maxRequests != self._ceiling

    def tryConnection(self) -> bool:
        """Count one connection more, unless the limit is reached."""
        limit = self.maxConnections
        if limit and self.connections >= limit:
            return False
        self.connections += 1
        return True

    def releaseConnection(self) -> None:
        """A counted connection has ended."""
        self.connections -= 1

    def tryPending(self) -> bool:
        """Count one more request that waits for a connection, unless the limit is reached."""
        limit = self.maxPending
        if limit and self.pending >= limit:
            return False
        self.pending += 1
        return True

    def releasePending(self) -> None:
        """A counted request waits no longer."""
        self.pending -= 1

    def tryRequest(self) -> bool:
        """Count one request more, unless the limit is reached."""
        limit = self.maxRequests
        if limit and self.requests >= limit:
            return False
        self.requests += 1
        self.begun += 1
        return True

    def releaseRequest(self) -> None:
        """A counted request has ended."""
        self.requests -= 1

    def mayRepeat(self, now: float) -> bool:
        """Take a repetition out of the budget, unless it is spent."""
        return self.budget.take(now, self.begun)

    def tryRetry(self) -> bool:
        """Count one retry more, unless the limit is reached."""
        limit = self.maxRetries
        if limit and self.retries >= limit:
            return False
        self.retries += 1
        return True

    def releaseRetry(self) -> None:
        """A counted retry has ended."""
        self.retries -= 1
