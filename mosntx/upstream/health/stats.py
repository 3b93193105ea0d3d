"""Type ``healthcheck``: what checks have found (spec/admin-observability.md 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mosntx.contracts.stats import Sample
from mosntx.stats.scope import StatsStruct


class HealthCheckStats(StatsStruct):
    """``{service}``: shared by all clusters whose checks have this ``service_name``.

    ``passive_failure`` and ``verify_cluster`` are MOSN's and stay 0 here as they do there.

    :ivar healthyHosts: a function per cluster that counts its healthy hosts.
    """

    __slots__ = (
        "active_failure",
        "attempt",
        "failure",
        "healthyHosts",
        "network_failure",
        "passive_failure",
        "success",
        "verify_cluster",
    )

    type = "healthcheck"
    COUNTERS = (
        "attempt",
        "success",
        "failure",
        "active_failure",
        "passive_failure",
        "network_failure",
        "verify_cluster",
    )

    def __init__(self, service: str) -> None:
        super().__init__((("service", service),))
        self.attempt = 0
        self.success = 0
        self.failure = 0
        #: The host answered, and badly.
        self.active_failure = 0
        self.passive_failure = 0
        #: The host did not answer in time or its connection ended.
        self.network_failure = 0
        self.verify_cluster = 0
        self.healthyHosts: dict[object, Callable[[], int]] = {}

    def samples(self) -> Iterator[Sample]:
        """See `IStatsScope.samples`. ``healty`` is MOSN's spelling; ``healthy`` is ours."""
        yield from super().samples()
        healthy = sum(count() for count in self.healthyHosts.values())
        for key in ("healty", "healthy"):
            yield self.type, self.labels, key, "gauge", healthy
