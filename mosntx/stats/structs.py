"""MOSN's counters as slots structs, given to constructors and incremented by their owners.

Names are MOSN's keys (spec/admin-observability.md 3; MOSN pkg/metrics/downstream.go, upstream.go).
One fact has one increment: what is a sum of others (a cluster's ``request_total``, the values of
``{proxy="global"}``, ``request_time_total``) is made when the values are read. Durations are
integers of nanoseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from mosntx.contracts.stats import Sample
from mosntx.stats.histogram import Histogram
from mosntx.stats.latency import Latency
from mosntx.stats.protocols import ProtocolCounts
from mosntx.stats.scope import HistogramSample, StatsStruct

#: Statuses with a counter of their own; all others count as ``request_other_code``.
NAMED_STATUSES = (200, 206, 302, 304, 400, 403, 404, 416, 499, 500, 502, 503, 504)
#: `DownstreamStats.codes` has a place for each status of three digits; 0 stands for "no status".
STATUS_LIMIT = 1000


class DownstreamStats(StatsStruct):
    """Type ``downstream``: one per listener, ``{listener: NAME}``.

    :param joinsGlobal: whether the listener counts in ``{proxy: global}``; listeners without the
        ``proxy`` network filter do not.
    """

    __slots__ = (
        "bytes_read_total",
        "bytes_write_total",
        "codes",
        "connection_active",
        "connection_destroy",
        "connection_refused",
        "connection_total",
        "filter_failed_total",
        "joinsGlobal",
        "process_time",
        "protocol_error_total",
        "protocols",
        "readBytes",
        "request_active",
        "request_failed",
        "request_mirror_dropped",
        "request_mirror_failed",
        "request_mirror_total",
        "request_reset",
        "request_time",
        "request_total",
    )

    type = "downstream"
    COUNTERS = (
        "connection_total",
        "connection_active",
        "connection_destroy",
        "connection_refused",
        "bytes_read_total",
        "bytes_write_total",
        "request_total",
        "request_active",
        "request_reset",
        "request_failed",
        "protocol_error_total",
        "filter_failed_total",
        "request_mirror_total",
        "request_mirror_failed",
        "request_mirror_dropped",
    )
    HISTOGRAMS = ("request_time", "process_time")

    def __init__(self, listener: str, *, joinsGlobal: bool = True) -> None:
        super().__init__((("listener", listener),))
        self.joinsGlobal = joinsGlobal
        #: Where the listener keeps ``bytes_read_total``, ``bytes_write_total`` and
        #: ``connection_refused`` itself; read instead of them when given.
        self.readBytes: Callable[[], tuple[int, int, int]] | None = None
        self.connection_total = 0
        self.connection_active = 0
        self.connection_destroy = 0
        #: Ours: closed at once by a connection limit or because the listener drains.
        self.connection_refused = 0
        self.bytes_read_total = 0
        self.bytes_write_total = 0
        self.request_total = 0
        self.request_active = 0
        self.request_reset = 0
        self.request_failed = 0
        #: Ours: a client's octets could not be understood.
        self.protocol_error_total = 0
        #: Ours: a stream filter raised an exception.
        self.filter_failed_total = 0
        self.protocols = ProtocolCounts()
        #: Ours: copies for mirrors that were begun, of these the ones that came to nothing, and
        #: those that were not begun because of a limit.
        self.request_mirror_total = 0
        self.request_mirror_failed = 0
        self.request_mirror_dropped = 0
        #: Requests by final status, indexed by it (0 to 999).
        self.codes = [0] * STATUS_LIMIT
        self.request_time = Histogram()
        self.process_time = Histogram()

    def samples(self) -> Iterator[Sample]:
        """See `IStatsScope.samples`."""
        self._collect()
        yield from super().samples()
        codes = self.codes
        for status in NAMED_STATUSES:
            yield self.type, self.labels, f"request_{status}_total", "counter", codes[status]
        others = sum(codes) - sum(codes[status] for status in NAMED_STATUSES)
        yield self.type, self.labels, "request_other_code", "counter", others
        yield from self.protocols.samples(self.type, self.labels)

    def fold(self, other: StatsStruct) -> None:
        """See `StatsStruct.fold`."""
        if isinstance(other, DownstreamStats):
            other._collect()
            for status, count in enumerate(other.codes):
                self.codes[status] += count
            self.protocols.fold(other.protocols)
        super().fold(other)

    def _collect(self) -> None:
        """Take over what the listener has counted."""
        if self.readBytes is not None:
            read, written, refused = self.readBytes()
            self.bytes_read_total, self.bytes_write_total = read, written
            self.connection_refused = refused


class HostStats(StatsStruct):
    """Type ``upstream``, ``{cluster, host}``. Made by `ClusterStats.hostStats`."""

    __slots__ = (
        "connection_active",
        "connection_close",
        "connection_con_fail",
        "connection_local_close",
        "connection_local_close_with_active_request",
        "connection_remote_close",
        "connection_remote_close_with_active_request",
        "connection_total",
        "latency",
        "request_active",
        "request_duration_time",
        "request_failure_eject",
        "request_local_reset",
        "request_pending_overflow",
        "request_remote_reset",
        "request_timeout",
        "request_total",
        "response_failed",
        "response_late",
        "response_protocol_error",
        "response_success",
    )

    type = "upstream"
    COUNTERS = (
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
        "response_protocol_error",
        "response_late",
    )
    HISTOGRAMS = ("request_duration_time",)

    def __init__(self, cluster: str, host: str, label: tuple[str, str] | None = None) -> None:
        """:param label: of the cluster; the same object for all its hosts saves memory."""
        self.labels = (label or ("cluster", cluster), ("host", host))
        self.connection_total = 0
        self.connection_active = 0
        self.connection_close = 0
        self.connection_local_close = 0
        self.connection_remote_close = 0
        self.connection_local_close_with_active_request = 0
        self.connection_remote_close_with_active_request = 0
        self.connection_con_fail = 0
        self.request_total = 0
        self.request_active = 0
        self.request_local_reset = self.request_remote_reset = 0
        self.request_failure_eject = 0
        self.request_pending_overflow = 0
        self.request_timeout = 0
        self.response_success = 0
        self.response_failed = 0
        #: Ours: a host's octets could not be understood.
        self.response_protocol_error = 0
        #: Ours: answers that nobody waited for.
        self.response_late = 0
        self.request_duration_time = Histogram()
        self.latency: Latency | None = None  # only when a balancer wants to know

    def countClose(self, local: bool, busy: bool) -> None:
        """A connection has ended.

        :param local: by our side.
        :param busy: with requests on it.
        """
        self.connection_active -= 1
        self.connection_close += 1
        if local:
            self.connection_local_close += 1
            self.connection_local_close_with_active_request += busy
        else:
            self.connection_remote_close += 1
            self.connection_remote_close_with_active_request += busy


class ClusterStats(StatsStruct):
    """Type ``upstream``, ``{cluster}``: what belongs to no single host, and the hosts' structs.

    What both kinds of MOSN objects count is summed over the hosts when read. A host that leaves
    stays in these sums for ever; it is no longer published by itself.
    """

    __slots__ = (
        "_departed",
        "_hosts",
        "_leaving",
        "adaptive_limit",
        "connection_bytes_read_total",
        "connection_bytes_write",
        "connection_retry",
        "latency",
        "lb_failover",
        "lb_other_zone",
        "lb_panic",
        "lb_panic_requests",
        "lb_subsets_created",
        "lb_subsets_fallback",
        "name",
        "outlier_ejections_active",
        "outlier_ejections_overflow",
        "outlier_ejections_total",
        "protocols",
        "readMembers",
        "request_adaptive_overflow",
        "request_hedge",
        "request_hedge_won",
        "request_retry",
        "request_retry_budget_exceeded",
        "request_retry_overflow",
    )

    type = "upstream"
    COUNTERS = (
        "connection_retry",
        "connection_bytes_read_total",
        "connection_bytes_write",
        "request_retry",
        "request_retry_overflow",
        "request_retry_budget_exceeded",
        "request_adaptive_overflow",
        "request_hedge",
        "request_hedge_won",
        "outlier_ejections_total",
        "outlier_ejections_overflow",
        "lb_subsets_fallback",
        "lb_failover",
        "lb_other_zone",
        "lb_panic_requests",
    )
    GAUGES = ("lb_subsets_created", "lb_panic", "outlier_ejections_active", "adaptive_limit")

    def __init__(self, cluster: str) -> None:
        super().__init__((("cluster", cluster),))
        self.name = cluster
        self.connection_retry = self.request_retry = self.request_retry_overflow = 0
        self.connection_bytes_read_total = self.connection_bytes_write = 0
        self.lb_subsets_fallback = self.lb_subsets_created = 0
        self.request_retry_budget_exceeded = 0
        #: Ours: requests at a time that latency allows now, 0 = off; requests that were too many.
        self.adaptive_limit = self.request_adaptive_overflow = 0
        self.outlier_ejections_active = self.outlier_ejections_overflow = 0
        self.outlier_ejections_total = 0
        #: Ours: second attempts besides a slow first; those of them that have answered first.
        self.request_hedge = self.request_hedge_won = 0
        #: Ours: choices of hosts of another than the first priority, or not in the own zone.
        self.lb_failover = self.lb_other_zone = 0
        #: Ours: choices while too few hosts are healthy; in how many parts (subsets) it is so now.
        self.lb_panic_requests = self.lb_panic = 0
        #: Returns the numbers of hosts and of healthy hosts.
        self.readMembers: Callable[[], tuple[int, int]] | None = None
        self.latency: Latency | None = None  # of all hosts
        self.protocols = ProtocolCounts()
        self._hosts: dict[str, HostStats] = {}
        self._leaving: dict[str, HostStats] = {}
        self._departed = HostStats(cluster, "")

    def hostStats(self, address: str) -> HostStats:
        """Return the struct of one host, a new one when there is none.

        A host that comes back while its last requests are still running gets its old struct.
        """
        stats = self._hosts.get(address)
        if stats is None:
            label = self.labels[0]
            stats = self._leaving.pop(address, None) or HostStats(self.name, address, label)
            self._hosts[address] = stats
        return stats

    def hostLeft(self, address: str) -> None:
        """Publish this host no longer; what it still counts while it ends joins the sums."""
        stats = self._hosts.pop(address, None)
        if stats is not None:
            self._leaving[address] = stats

    def hosts(self) -> Iterable[HostStats]:
        """The structs of the present hosts, by time of arrival."""
        return self._hosts.values()

    def totals(self) -> HostStats:
        """Return the sums over all hosts that ever were, as of now."""
        for address, stats in list(self._leaving.items()):
            if stats.idle:
                self._departed.fold(stats)
                del self._leaving[address]
        total = HostStats(self.name, "")
        total.labels = self.labels
        for stats in (self._departed, *self._leaving.values(), *self._hosts.values()):
            total.fold(stats)
        return total

    def samples(self) -> Iterator[Sample]:
        """See `IStatsScope.samples`: the cluster's, the sums of its hosts, then each host's."""
        yield from super().samples()
        if self.readMembers is not None:
            total, healthy = self.readMembers()
            yield self.type, self.labels, "membership_total", "gauge", total
            yield self.type, self.labels, "membership_healthy", "gauge", healthy
        yield from self.protocols.samples(self.type, self.labels)
        yield from self.totals().samples()
        for stats in self._hosts.values():
            yield from stats.samples()

    def histograms(self) -> Iterator[HistogramSample]:
        """See `StatsStruct.histograms`."""
        yield from self.totals().histograms()
        for stats in self._hosts.values():
            yield from stats.histograms()

    @property
    def idle(self) -> bool:
        """See `StatsStruct.idle`."""
        return self.totals().idle
