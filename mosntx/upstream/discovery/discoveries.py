"""The discoveries of all clusters of one Sidecar: they come and go with the clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.filters import IBackground
from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.discovery.context import DiscoveryContext, DiscoveryStats

log = Logger()


@implementer(IBackground)
class Discoveries:
    """See the module. Nothing is asked before `start`."""

    def __init__(
        self,
        factories: Mapping[str, IDiscoveryFactory],
        context: Callable[[DiscoveryStats], DiscoveryContext],
        register: Callable[[DiscoveryStats], object],
        unregister: Callable[[DiscoveryStats], object],
    ) -> None:
        """Make none yet.

        :param factories: by the ``type`` of clusters.
        :param context: what a discovery with these stats is made with.
        :param register: publish stats; ``unregister`` ends it.
        """
        self._factories = factories
        self._context = context
        self._register = register
        self._unregister = unregister
        self._clusters: dict[Cluster, None] = {}
        self._running: dict[Cluster, _Running] = {}
        self._started = False
        self._waiting: list[Deferred[None]] = []

    def __len__(self) -> int:
        return len(self._running)

    def start(self) -> None:
        """Begin to look for hosts. Ignored when it has begun."""
        if self._started:
            return
        self._started = True
        for cluster in list(self._clusters):
            self.changed(cluster)

    def stop(self) -> None:
        """End all. What they have found stays as it is."""
        self._started = False
        for cluster in list(self._running):
            self._end(cluster)
        self._tellSettled()

    def settled(self) -> Deferred[None]:
        """Wait for the first answers.

        :returns: fires with ``None`` when each discovery has found something or has failed once,
            or all have ended. Can be cancelled.
        """
        if self._allSettled():
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiter)
        return waiter

    def changed(self, cluster: Cluster) -> None:
        """A cluster is new, has other hosts or settings, or has been drained."""
        factory = None if cluster.drained else self._factories.get(cluster.type)
        if factory is None:
            self._clusters.pop(cluster, None)
            if cluster in self._running:
                self._end(cluster)
                self._tellSettled()
            return
        self._clusters[cluster] = None
        if not self._started:
            return
        before = self._running.get(cluster)
        if before is not None and cluster.config == before.config:
            return
        self._begin(cluster, factory, before)

    def _begin(self, cluster: Cluster, factory: IDiscoveryFactory, before: _Running | None) -> None:
        same = before is not None and before.factory is factory
        if before is None:
            stats = DiscoveryStats(cluster.name)
            self._register(stats)
        else:
            before.end()
            stats = before.stats
        old = before.discovery if before is not None and same else None
        running = self._running[cluster] = _Running(cluster, factory, stats, self._tellSettled)
        try:
            running.discovery = factory.build(cluster.config, self._context(stats), old)
            running.discovery.start(running.update, running.settle)
        except Exception:
            stats.update_failure += 1
            log.failure("{cluster}: no discovery, its hosts stay", cluster=cluster.name)
            running.settle()

    def _end(self, cluster: Cluster) -> None:
        running = self._running.pop(cluster)
        running.end()
        self._unregister(running.stats)

    def _allSettled(self) -> bool:
        return all(running.settled for running in self._running.values())

    def _tellSettled(self) -> None:
        if self._waiting and self._allSettled():
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                waiter.callback(None)


class _Running:
    """The discovery of one cluster with its present settings."""

    __slots__ = ("_cluster", "_tell", "config", "discovery", "ended", "factory", "settled", "stats")

    def __init__(
        self,
        cluster: Cluster,
        factory: IDiscoveryFactory,
        stats: DiscoveryStats,
        tell: Callable[[], object],
    ) -> None:
        self.config: ClusterConfig = cluster.config
        self.discovery: IDiscovery | None = None
        self.factory = factory
        self.stats = stats
        self.settled = False
        self.ended = False
        self._cluster = cluster
        self._tell = tell

    def update(self, hosts: Sequence[HostConfig]) -> None:
        """Give the cluster its hosts, unless it has gone or has another discovery by now."""
        if not self.ended and not self._cluster.drained:
            self._cluster.update(hosts)

    def settle(self) -> None:
        """The first answers are there."""
        self.settled = True
        self._tell()

    def end(self) -> None:
        """See `IDiscovery.stop`."""
        self.ended = True
        if self.discovery is not None:
            try:
                self.discovery.stop()
            except Exception:
                log.failure("{cluster}: its discovery does not stop", cluster=self._cluster.name)
