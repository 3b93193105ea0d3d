"""The checks of all clusters of one Sidecar: they follow the hosts (spec/upstream.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from attrs import field, frozen
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.schema import HealthCheck
from mosntx.contracts.filters import IBackground
from mosntx.contracts.upstream import IHost
from mosntx.net.timers import TimerWheel
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.health.build import Probes, scheduleOf
from mosntx.upstream.health.session import SUCCESS, Session
from mosntx.upstream.health.stats import HealthCheckStats
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK, AddressTable

log = Logger()

#: Told after each check: ``(host, its health has changed by this check, it is healthy)``.
#: What it raises is logged.
Callback = Callable[[IHost, bool, bool], object]


@frozen
class Surroundings:
    """What checks are made with instead of globals.

    :ivar wallSeconds: for the event log.
    :ivar eventLog: ``path`` -> a function that takes a line; raises ``OSError`` or ``ValueError``.
    :ivar register: publish stats; `unregister` ends it.
    :ivar callbacks: by the name that ``common_callbacks`` has.
    """

    addresses: AddressTable
    probes: Probes
    wheel: TimerWheel
    random: Random
    wallSeconds: Callable[[], float]
    eventLog: Callable[[str], Callable[[str], object]]
    register: Callable[[HealthCheckStats], object]
    unregister: Callable[[HealthCheckStats], object]
    callbacks: Mapping[str, Callback] = field(factory=dict)


@implementer(IBackground)
class HealthChecks:
    """See the module. Nothing is asked before `start`."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._around = surroundings
        self._clusters: dict[Cluster, None] = {}
        self._running: dict[Cluster, ClusterChecks] = {}
        self._stats: dict[str, HealthCheckStats] = {}
        self._started = False

    def start(self) -> None:
        """Begin with the hosts that are there."""
        self._started = True
        for cluster in list(self._clusters):
            self.changed(cluster)

    def stop(self) -> None:
        """End all checks. What they have found stays as it is."""
        self._started = False
        running, self._running = self._running, {}
        for checks in running.values():
            checks.stop()

    def changed(self, cluster: Cluster) -> None:
        """A cluster is new, has other hosts or settings, or has been drained."""
        if cluster.drained:
            self._clusters.pop(cluster, None)
        else:
            self._clusters[cluster] = None
        if not self._started:
            return
        config = cluster.config.health_check
        wanted = config is not None and config.enabled and not cluster.drained
        before = self._running.get(cluster)
        if before is not None and wanted and config == before.config:
            self._forget(before.follow())
            return
        if before is not None:
            del self._running[cluster]
        if wanted and config is not None:
            stats = self._statsOf(config.service_name or cluster.name)
            checks = self._running[cluster] = ClusterChecks(cluster, config, stats, self._around)
            checks.follow()
        if before is not None:  # last, so that what both have in common outlives the change
            self._end(before)

    def _end(self, checks: ClusterChecks) -> None:
        self._forget(checks.stop())
        stats = checks.stats
        if not stats.healthyHosts:
            del self._stats[stats.labels[0][1]]
            self._around.unregister(stats)

    def _forget(self, addresses: Sequence[str]) -> None:
        """Take the verdict back where nobody asks any more, and so nobody could."""
        for address in addresses:
            if not any(checks.asks(address) for checks in self._running.values()):
                self._around.addresses.clearFlag(address, FAILED_ACTIVE_CHECK)

    def _statsOf(self, service: str) -> HealthCheckStats:
        stats = self._stats.get(service)
        if stats is None:
            stats = self._stats[service] = HealthCheckStats(service)
            self._around.register(stats)
        return stats


class ClusterChecks:
    """The sessions of one cluster, by address.

    :ivar config: what they were made from.
    """

    __slots__ = (
        "_around",
        "_callbacks",
        "_cluster",
        "_event",
        "_schedule",
        "_sessions",
        "config",
        "stats",
    )

    def __init__(
        self,
        cluster: Cluster,
        config: HealthCheck,
        stats: HealthCheckStats,
        surroundings: Surroundings,
    ) -> None:
        self.config = config
        self.stats = stats
        self._cluster = cluster
        self._around = surroundings
        self._schedule = scheduleOf(config)
        self._sessions: dict[str, Session] = {}
        self._event = self._eventLog()
        self._callbacks = self._registered()
        surroundings.probes.explain(config)
        stats.healthyHosts[self] = self._healthyHosts

    def asks(self, address: str) -> bool:
        """Whether a host of this address is checked here."""
        return address in self._sessions

    def follow(self) -> list[str]:
        """Check the hosts that the cluster has now; return addresses that are checked no more."""
        hosts = {host.address: host for host in self._cluster.hosts}
        gone = [address for address in self._sessions if address not in hosts]
        for address in gone:
            self._sessions.pop(address).stop()
        for address, host in hosts.items():
            session = self._sessions.get(address)
            if session is None:
                self._begin(host)
            else:
                session.host = host
        return gone

    def stop(self) -> list[str]:
        """Check nothing any more; return the addresses that were checked."""
        self.stats.healthyHosts.pop(self, None)
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.stop()
        return list(sessions)

    def _begin(self, host: IHost) -> None:
        around = self._around
        probe = around.probes.build(self.config, host.address)
        if probe is None:
            return
        session = self._sessions[host.address] = Session(
            host,
            probe,
            self._schedule,
            around.addresses,
            around.wheel,
            around.random,
            self.stats,
            self._report,
        )
        session.start()

    def _healthyHosts(self) -> int:
        return sum(1 for host in self._cluster.hosts if host.healthy)

    # what a check has found

    def _report(self, session: Session, result: int, changed: bool) -> None:
        host = session.host
        if changed:
            log.warn(
                "{cluster}: host {host} is {health}",
                cluster=self._cluster.name,
                host=host.address,
                health="healthy again" if result == SUCCESS else "unhealthy",
            )
        if self._event is not None:
            self._event(
                f"time:{int(self._around.wallSeconds())},host:{host.address},"
                f"health_status:{host.healthy:d},current_result:{result == SUCCESS:d},"
                f"status_changed:{changed:d}\n"
            )
        for callback in self._callbacks:
            try:
                callback(host, changed, host.healthy)
            except Exception:
                log.failure("callback of a health check")

    def _registered(self) -> list[Callback]:
        """The callbacks that the cluster names; unknown names are passed over, as in MOSN."""
        known, found = self._around.callbacks, []
        for name in self.config.common_callbacks:
            if name in known:
                found.append(known[name])
            else:
                log.warn("{path}: no callback {name!r}", path=self.config.path, name=name)
        return found

    def _eventLog(self) -> Callable[[str], Any] | None:
        """Where lines go; a log that cannot be opened must not keep hosts from being checked."""
        path = self.config.event_log_path
        if not path:
            return None
        try:
            return self._around.eventLog(path)
        except (OSError, ValueError) as error:
            log.error("event log {path} cannot be opened: {error}", path=path, error=error)
            return None
