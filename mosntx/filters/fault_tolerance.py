r"""``fault_tolerance``: hosts that fail far more often than the others are left out for a while.

MOSN pkg/filter/stream/faulttolerance; spec/upstream.md 10. What is counted are the answers that
clients of this listener get, per cluster and host. A window begins with the first of them::

    answers ... |-- timeWindow --| rates compared, counts forgotten; the next answer begins another
                                 \-> host ejected --recoverTime--> back, with new counts

`mosntx.upstream.outlier` sees attempts instead, and knows more reasons. Both may eject the same
address: it comes back when the last of them lets it in.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from attrs import define, field, frozen
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.schema import IGNORED, Bounds, Uint32, option
from mosntx.contracts.filters import (
    AFTER_ROUTE,
    CONTINUE,
    IBackground,
    IExchange,
    IFilterContext,
    IStreamFilter,
    IStreamFilterFactory,
)
from mosntx.contracts.message import IResponseHead
from mosntx.contracts.upstream import ICluster
from mosntx.filters.base import StreamFilter
from mosntx.net.timers import Timer

log = Logger()

#: Clusters that are measured at a time; with `MAX_HOSTS` it bounds what names and addresses that
#: come and go at run time can make us keep.
MAX_CLUSTERS: Final = 1_000
#: Hosts of one cluster that are measured in a window: 1 000 take about 0.2 MiB.
MAX_HOSTS: Final = 1_000

#: Reasons (`mosntx.proxy.reasons`) of answers made here that are the host's fault. Limits of this
#: sidecar and refusals of filters are not.
HOST_FAILED: Final = frozenset(
    {
        "connect_failed",
        "connection_lost",
        "upstream_reset",
        "upstream_refused",
        "upstream_invalid",
        "timeout",
        "try_timeout",
    }
)

_MILLISECOND: Final = 0.001


@frozen
class FaultToleranceConfig:
    """Configuration of the stream filter ``fault_tolerance``; times are in milliseconds."""

    enabled: bool = option("watch and eject", default=False)
    exceptionTypes: tuple[int, ...] = option("statuses that are failures", default=(502, 503, 504))
    timeWindow: Annotated[int, Bounds(10, 2**32 - 1)] = option(
        "how long answers are counted until rates are compared, in ms", default=10_000
    )
    leastWindowCount: Uint32 = option(
        "answers of a host in a window until its rate counts", default=10
    )
    exceptionRateMultiple: float = option(
        "a host goes whose rate is so many times the rate of all; above 1", default=5.0
    )
    maxIpCount: Uint32 = option("hosts of a cluster that may be out at a time", default=1)
    recoverTime: Uint32 = option("how long a host is left out, in ms", default=900_000)
    maxIpRatio: float = option("not used by MOSN either", default=0.0, status=IGNORED)
    taskSize: int = option("workers in Go", default=20, status=IGNORED)


@define(eq=False)
class _Counts:
    """Answers of one host in the present window.

    :ivar back: when it is let in again; ``None`` while it is not ejected.
    """

    calls: int = 0
    exceptions: int = 0
    back: Timer | None = None


@define(eq=False)
class _Scope:
    """One cluster: MOSN's dimension.

    :ivar hosts: by address.
    :ivar window: ``None`` between windows.
    """

    cluster: ICluster
    hosts: dict[str, _Counts] = field(factory=dict)
    window: Timer | None = None

    @property
    def ejected(self) -> int:
        """Hosts that are out because of this filter."""
        return sum(counts.back is not None for counts in self.hosts.values())


@implementer(IBackground)
class FaultToleranceFilter(StreamFilter):
    """Counts answers, compares hosts, and ejects the bad ones."""

    phase = AFTER_ROUTE

    def __init__(self, config: FaultToleranceConfig, context: IFilterContext) -> None:
        self.config = config
        self._exceptions = frozenset(config.exceptionTypes)
        self._wheel = context.wheel
        self._ejections = context.ejections
        self._scopes: dict[str, _Scope] = {}
        self._running = False

    # IBackground

    def start(self) -> None:
        """See `IBackground.start`."""
        self._running = True

    def stop(self) -> None:
        """See `IBackground.stop`: every host is let in again."""
        self._running = False
        for scope in self._scopes.values():
            if scope.window is not None:
                scope.window.cancel()
            for address in list(scope.hosts):
                self._forget(scope, address)
        self._scopes.clear()

    # IStreamFilter

    def responseHead(self, exchange: IExchange, head: IResponseHead, end: bool) -> int:
        """Count an answer that tells something about its host."""
        if exchange.host is not None and (not exchange.reason or exchange.reason in HOST_FAILED):
            counts = self._countsOf(exchange)
            if counts is not None:
                counts.calls += 1
                if head.status in self._exceptions:
                    counts.exceptions += 1
        return CONTINUE

    def _countsOf(self, exchange: IExchange) -> _Counts | None:
        """The counts of the host, ``None`` when there are too many or the Sidecar has ended."""
        cluster: Any = exchange.cluster
        scope = self._scopes.get(cluster.name)
        if scope is None:
            if not self._running or len(self._scopes) >= MAX_CLUSTERS:
                return None
            scope = self._scopes[cluster.name] = _Scope(cluster)
        elif scope.cluster is not cluster:  # the name was given away at run time
            for address in list(scope.hosts):
                self._forget(scope, address)
            scope.cluster = cluster
        if scope.window is None:
            seconds = self.config.timeWindow * _MILLISECOND
            scope.window = self._wheel.schedule(seconds, lambda: self._windowOver(scope))
        address = exchange.host.address
        counts = scope.hosts.get(address)
        if counts is None and len(scope.hosts) < MAX_HOSTS:
            counts = scope.hosts[address] = _Counts()
        return counts

    # the end of a window

    def _windowOver(self, scope: _Scope) -> None:
        scope.window = None
        present = {host.address for host in scope.cluster.hosts}
        for address in [each for each in scope.hosts if each not in present]:
            self._forget(scope, address)
        self._compare(scope)
        # Those that are out are not compared; they begin anew when they come back.
        scope.hosts = {
            address: counts for address, counts in scope.hosts.items() if counts.back is not None
        }
        self._dropIdle(scope)

    def _compare(self, scope: _Scope) -> None:
        """Eject the hosts whose rate is too far above that of all, the worst first."""
        least = self.config.leastWindowCount
        measured = {
            address: counts
            for address, counts in scope.hosts.items()
            if counts.calls >= least and counts.back is None
        }
        exceptions = sum(counts.exceptions for counts in measured.values())
        if not exceptions:
            return
        average = exceptions / sum(counts.calls for counts in measured.values())
        rates = {address: one.exceptions / one.calls for address, one in measured.items()}
        for address in sorted(rates, key=rates.__getitem__, reverse=True):
            if rates[address] < average * self.config.exceptionRateMultiple:
                break
            self._eject(scope, address, f"{rates[address]:.1%} fail, of all {average:.1%}")

    def _eject(self, scope: _Scope, address: str, why: str) -> None:
        stats = scope.cluster.stats
        if not self._mayEject(scope, address):
            stats.outlier_ejections_overflow += 1
            return
        seconds = self.config.recoverTime * _MILLISECOND
        counts = scope.hosts[address]
        counts.back = self._wheel.schedule(seconds, lambda: self._recovered(scope, address))
        stats.outlier_ejections_total += 1
        stats.outlier_ejections_active += 1
        self._ejections.eject(address)
        log.warn(
            "{cluster}: host {host} is ejected for {seconds:g} s: {why}",
            cluster=scope.cluster.name,
            host=address,
            seconds=seconds,
            why=why,
        )

    def _mayEject(self, scope: _Scope, address: str) -> bool:
        """Say whether few enough are out, and another one is left (MOSN does not look at that)."""
        left = any(host.healthy for host in scope.cluster.hosts if host.address != address)
        return left and scope.ejected < self.config.maxIpCount

    # the end of an ejection

    def _recovered(self, scope: _Scope, address: str) -> None:
        self._forget(scope, address)
        self._dropIdle(scope)
        log.info("{cluster}: host {host} is let in again", cluster=scope.cluster.name, host=address)

    def _forget(self, scope: _Scope, address: str) -> None:
        """Drop the counts of a host, and its ejection."""
        counts = scope.hosts.pop(address)
        if counts.back is not None:
            counts.back.cancel()
            scope.cluster.stats.outlier_ejections_active -= 1
            self._ejections.admit(address)

    def _dropIdle(self, scope: _Scope) -> None:
        """Drop what is empty: clusters that are gone, or have no requests, cost nothing."""
        if not scope.hosts and scope.window is None:
            self._scopes.pop(scope.cluster.name, None)


@implementer(IStreamFilterFactory)
class FaultToleranceFactory:
    """See `IStreamFilterFactory`."""

    name = "fault_tolerance"
    configClass = FaultToleranceConfig

    def build(self, config: FaultToleranceConfig, context: IFilterContext) -> IStreamFilter:
        """See `IStreamFilterFactory.build`.

        :raises ValueError: when the configuration cannot work.
        """
        if not config.exceptionRateMultiple > 1:
            multiple = config.exceptionRateMultiple
            raise ValueError(f"exceptionRateMultiple is {multiple:g}; it must be above 1")
        # A filter that does nothing costs nothing.
        return FaultToleranceFilter(config, context) if config.enabled else StreamFilter()
