"""Tests of `mosntx.stats.structs`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from mosntx.contracts.stats import IStatsScope
from mosntx.stats.scope import StatsStruct
from mosntx.stats.structs import ClusterStats, DownstreamStats, HostStats

# spec/admin-observability.md 3.1 and 3.2, without what is marked inert or not exported.
DOWNSTREAM_KEYS = [
    "connection_total",
    "connection_active",
    "connection_destroy",
    "bytes_read_total",
    "bytes_write_total",
    "request_total",
    "request_active",
    "request_reset",
    "request_time_total",
    "process_time_total",
    "request_failed",
    "request_200_total",
    "request_206_total",
    "request_302_total",
    "request_304_total",
    "request_400_total",
    "request_403_total",
    "request_404_total",
    "request_416_total",
    "request_499_total",
    "request_500_total",
    "request_502_total",
    "request_503_total",
    "request_504_total",
    "request_other_code",
    "request_time_min",
    "request_time_max",
    "process_time_min",
    "process_time_max",
]
HOST_KEYS = [
    "connection_total",
    "connection_active",
    "connection_close",
    "connection_local_close",
    "connection_remote_close",
    "connection_local_close_with_active_request",
    "connection_remote_close_with_active_request",
    "connection_con_fail",
    "request_total",
    "request_active",
    "request_local_reset",
    "request_remote_reset",
    "request_failure_eject",
    "request_pending_overflow",
    "request_timeout",
    "response_success",
    "response_failed",
    "request_duration_time_min",
    "request_duration_time_max",
    "request_duration_time_total",
]
CLUSTER_KEYS = [
    "connection_retry",
    "connection_bytes_read_total",
    "connection_bytes_write",
    "request_retry",
    "request_retry_overflow",
    "lb_subsets_fallback",
    "lb_subsets_created",
]


def values(scope: StatsStruct, host: str = "") -> dict[str, float]:
    """Return key -> value of a scope, of one of its hosts when given."""
    return {
        key: value
        for _, labels, key, _, value in scope.samples()
        if dict(labels).get("host", "") == host
    }


#: Keys of hosts that MOSN does not have.
OWN = ("response_late", "response_protocol_error")
#: Ours of clusters only.
OWN_OF_CLUSTERS = (
    "adaptive_limit",
    "outlier_ejections_active",
    "outlier_ejections_overflow",
    "outlier_ejections_total",
    "request_adaptive_overflow",
    "request_hedge",
    "request_hedge_won",
    "request_retry_budget_exceeded",
)


class DownstreamStatsTests(SynchronousTestCase):
    """Counters of a listener."""

    def test_contract(self) -> None:
        """It is a scope."""
        verifyObject(IStatsScope, DownstreamStats("in"))

    def test_keys(self) -> None:
        """All of MOSN's keys are published, each once, and ours besides."""
        keys = [key for _, _, key, _, _ in DownstreamStats("in").samples()]
        self.assertEqual(len(keys), len(set(keys)))
        self.assertEqual(
            set(keys) - set(DOWNSTREAM_KEYS),
            {
                *("connection_refused", "filter_failed_total", "protocol_error_total"),
                *("request_mirror_total", "request_mirror_failed", "request_mirror_dropped"),
            },
        )
        self.assertLessEqual(set(DOWNSTREAM_KEYS), set(keys))

    def test_labels(self) -> None:
        """Every sample has the type and the listener's name."""
        for type_, labels, _, kind, _ in DownstreamStats("in").samples():
            self.assertEqual((type_, labels), ("downstream", (("listener", "in"),)))
            self.assertIn(kind, ("counter", "gauge"))

    def test_codes(self) -> None:
        """Statuses without a key of their own count as other, also unusual ones and none."""
        stats = DownstreamStats("in")
        for status in (200, 200, 404, 201, 204, 0, 999):
            stats.codes[status] += 1
        found = values(stats)
        self.assertEqual(found["request_200_total"], 2)
        self.assertEqual(found["request_404_total"], 1)
        self.assertEqual(found["request_other_code"], 4)

    def test_times(self) -> None:
        """A histogram gives extremes and its sum."""
        stats = DownstreamStats("in")
        stats.request_time.record(100)
        stats.request_time.record(300)
        found = values(stats)
        self.assertEqual(found["request_time_min"], 100)
        self.assertEqual(found["request_time_max"], 300)
        self.assertEqual(found["request_time_total"], 400)

    def test_readBytes(self) -> None:
        """What the listener counts itself is asked for when read, also for sums."""
        stats = DownstreamStats("in")
        stats.readBytes = lambda: (10, 20, 3)
        self.assertEqual(values(stats)["bytes_read_total"], 10)
        total = DownstreamStats("")
        total.fold(stats)
        total.fold(stats)
        found = values(total)
        self.assertEqual(found["bytes_write_total"], 40)
        self.assertEqual(found["connection_refused"], 6)

    def test_noDict(self) -> None:
        """A misspelt counter is an error, not a new attribute."""
        with self.assertRaises(AttributeError):
            DownstreamStats("in").request_totals = 1  # type: ignore[attr-defined]


class ClusterStatsTests(SynchronousTestCase):
    """Counters of a cluster and its hosts."""

    def test_contract(self) -> None:
        """Clusters and hosts are scopes."""
        verifyObject(IStatsScope, ClusterStats("c"))
        verifyObject(IStatsScope, HostStats("c", "h"))

    def test_keys(self) -> None:
        """A cluster has its own keys and all keys of its hosts, each once."""
        stats = ClusterStats("c")
        stats.hostStats("h:1")
        keys = [(labels, key) for _, labels, key, _, _ in stats.samples()]
        self.assertEqual(len(keys), len(set(keys)))
        balancing = {"lb_failover", "lb_other_zone", "lb_panic", "lb_panic_requests"}
        expected = {*CLUSTER_KEYS, *HOST_KEYS, *OWN, *OWN_OF_CLUSTERS, *balancing}
        self.assertEqual(set(values(stats)), expected)
        self.assertEqual(set(values(stats, "h:1")), {*HOST_KEYS, *OWN})

    def test_members(self) -> None:
        """How many hosts there are is asked for when somebody wants to know."""
        stats = ClusterStats("c")
        members = (3, 3)
        stats.readMembers = lambda: members
        members = (3, 2)
        found = values(stats)
        self.assertEqual((found["membership_total"], found["membership_healthy"]), (3, 2))

    def test_sums(self) -> None:
        """What hosts count is summed for the cluster."""
        stats = ClusterStats("c")
        first, second = stats.hostStats("h:1"), stats.hostStats("h:2")
        first.request_total += 2
        second.request_total += 3
        second.request_duration_time.record(500)
        stats.request_retry += 1
        found = values(stats)
        self.assertEqual(found["request_total"], 5)
        self.assertEqual(found["request_duration_time_max"], 500)
        self.assertEqual(found["request_retry"], 1)
        self.assertEqual(values(stats, "h:1")["request_total"], 2)

    def test_sameHost(self) -> None:
        """A host is asked for twice and is the same."""
        stats = ClusterStats("c")
        self.assertIs(stats.hostStats("h:1"), stats.hostStats("h:1"))

    def test_departed(self) -> None:
        """A host that left is not published, but stays in the sums."""
        stats = ClusterStats("c")
        stats.hostStats("h:1").request_total += 7
        stats.hostLeft("h:1")
        for _ in range(3):
            self.assertEqual(values(stats)["request_total"], 7)
        self.assertEqual(values(stats, "h:1"), {})
        self.assertEqual(list(stats.hosts()), [])

    def test_leaving(self) -> None:
        """What a host counts after it left, until its last request ends, is not lost."""
        stats = ClusterStats("c")
        host = stats.hostStats("h:1")
        host.request_total = host.request_active = 1
        stats.hostLeft("h:1")
        self.assertEqual(values(stats)["request_active"], 1)
        self.assertFalse(stats.idle)
        host.request_active -= 1
        host.response_success += 1
        found = values(stats)
        self.assertEqual((found["request_active"], found["response_success"]), (0, 1))
        self.assertTrue(stats.idle)

    def test_back(self) -> None:
        """A host that comes back while it is leaving goes on with its counters."""
        stats = ClusterStats("c")
        host = stats.hostStats("h:1")
        host.connection_active = host.connection_total = 1
        stats.hostLeft("h:1")
        self.assertIs(stats.hostStats("h:1"), host)
        self.assertEqual(values(stats)["connection_total"], 1)

    def test_backLater(self) -> None:
        """A host that comes back after it ended starts anew; the sum has both lives."""
        stats = ClusterStats("c")
        stats.hostStats("h:1").request_total += 4
        stats.hostLeft("h:1")
        values(stats)
        stats.hostStats("h:1").request_total += 1
        self.assertEqual(values(stats, "h:1")["request_total"], 1)
        self.assertEqual(values(stats)["request_total"], 5)

    def test_unknownLeft(self) -> None:
        """A host that never was may leave."""
        stats = ClusterStats("c")
        stats.hostLeft("nobody")
        self.assertEqual(values(stats)["request_total"], 0)

    def test_histograms(self) -> None:
        """The cluster's merged histogram comes first, then each host's."""
        stats = ClusterStats("c")
        stats.hostStats("h:1").request_duration_time.record(5)
        stats.hostStats("h:2").request_duration_time.record(9)
        found = [
            (dict(labels).get("host"), each.count) for _, labels, _, each in stats.histograms()
        ]
        self.assertEqual(found, [(None, 2), ("h:1", 1), ("h:2", 1)])
