"""All clusters of one Sidecar by name, and how they change at run time (spec/upstream.md 1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredList
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IClusters, ILoadBalancerFactory
from mosntx.upstream.balancers.settings import atOnce
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.hosts import AddressTable, PoolFactory

#: The balancer of clusters that ask for one that nobody has (MOSN).
DEFAULT_BALANCER = "LB_ROUNDROBIN"


class UnknownClusterError(LookupError):
    """There is no cluster of this name."""


class FoundHostsError(ValueError):
    """The hosts of this cluster are found by its discovery; they cannot be said."""


@implementer(IClusters)
class Clusters:
    """See `IClusters`."""

    def __init__(
        self,
        *,
        balancers: Mapping[str, ILoadBalancerFactory],
        poolFactory: PoolFactory,
        random: Random,
        seconds: Callable[[], float],
        addresses: AddressTable | None = None,
        watch: Callable[[Cluster], object] | None = None,
        work: Callable[[Iterator[None]], object] = atOnce,
        discovered: Mapping[str, bool] | None = None,
    ) -> None:
        """Make none yet.

        :param balancers: by ``lb_type``; `DEFAULT_BALANCER` must be one of them.
        :param seconds: the monotonic clock.
        :param watch: called with a cluster after each change of it.
        :param work: see `mosntx.contracts.upstream.IBalancerSettings.work`.
        :param discovered: types of clusters whose hosts are found, and whether their ``hosts`` say
            what to look for. "Hosts" in the methods below are then what to look for.
        """
        self._balancers = balancers
        self._poolFactory = poolFactory
        self._random = random
        self._seconds = seconds
        self._work = work
        self._watch = watch
        self._discovered = {} if discovered is None else discovered
        self._clusters: dict[str, Cluster] = {}
        #: See `IClusters.get`. The dictionary's own, for each request calls it.
        self.get: Callable[[str], Cluster | None] = self._clusters.get
        #: Clusters that were removed and still have connections.
        self._leaving: dict[Deferred[None], None] = {}
        self.addresses = AddressTable() if addresses is None else addresses

    def names(self) -> Sequence[str]:
        """See `IClusters.names`."""
        return sorted(self._clusters)

    def update(self, config: ClusterConfig, hosts: Iterable[HostConfig] | None = None) -> Cluster:
        """Add a cluster, or change its settings.

        :param hosts: its hosts; without them a new cluster takes ``config.hosts``, a known one
            keeps the hosts that it has.
        """
        balancer = self._balancers.get(config.lb_type) or self._balancers[DEFAULT_BALANCER]
        cluster = self._clusters.get(config.name)
        if config.type in self._discovered:
            same = cluster is not None and cluster.type == config.type
            if hosts is None and cluster is not None and (same or not config.hosts):
                hosts = tuple(self._hostsOf(cluster))
            config = config if hosts is None else evolve(config, hosts=tuple(hosts))
            hosts = () if cluster is None else None
        if cluster is None:
            cluster = self._clusters[config.name] = Cluster(
                config,
                balancer=balancer,
                poolFactory=self._poolFactory,
                random=self._random,
                seconds=self._seconds,
                work=self._work,
                addresses=self.addresses,
                hosts=hosts,
                watch=self._watch,
            )
            return cluster
        cluster.configure(config, balancer)
        if hosts is not None:
            cluster.update(hosts)
        return cluster

    def updateHosts(self, name: str, hosts: Iterable[HostConfig]) -> None:
        """Replace all hosts of a cluster.

        :raises UnknownClusterError: when there is none of this name.
        :raises FoundHostsError: when its discovery does not look for hosts that are given.
        """
        self._setHosts(self._known(name), hosts)

    def appendHosts(self, name: str, hosts: Iterable[HostConfig]) -> None:
        """Add hosts in front of the others; they replace those of the same address.

        :raises UnknownClusterError: when there is none of this name.
        :raises FoundHostsError: see `updateHosts`.
        """
        cluster = self._known(name)
        self._setHosts(cluster, [*hosts, *self._hostsOf(cluster)])

    def removeHosts(self, name: str, addresses: Iterable[str]) -> None:
        """Remove hosts; unknown addresses are passed over. Those that stay get sorted by address.

        :raises UnknownClusterError: when there is none of this name.
        :raises FoundHostsError: see `updateHosts`.
        """
        cluster = self._known(name)
        gone = set(addresses)
        kept = [config for config in self._hostsOf(cluster) if config.address not in gone]
        self._setHosts(cluster, sorted(kept, key=lambda config: config.address))

    def _hostsOf(self, cluster: Cluster) -> Iterable[HostConfig]:
        if cluster.type in self._discovered:
            return cluster.config.hosts
        return (host.config for host in cluster.hosts)

    def _setHosts(self, cluster: Cluster, hosts: Iterable[HostConfig]) -> None:
        if cluster.type not in self._discovered:
            cluster.update(hosts)
            return
        if not self._discovered[cluster.type]:
            raise FoundHostsError(f"{cluster.type} finds the hosts of cluster {cluster.name!r}")
        chosen: dict[str, HostConfig] = {}
        for config in hosts:
            chosen.setdefault(config.address, config)
        self.update(cluster.config, tuple(chosen.values()))

    def remove(self, *names: str) -> None:
        """Remove clusters and drain their pools.

        :raises UnknownClusterError: when one is not there; then none is removed.
        """
        for name in names:
            self._known(name)
        for name in dict.fromkeys(names):
            closing = self._clusters.pop(name).drain()
            if not closing.called:
                self._leaving[closing] = None
                closing.addBoth(self._closed, closing)

    def drain(self) -> Deferred[None]:
        """Remove all. The Deferred fires with ``None`` when the last connection has gone."""
        self.remove(*self._clusters)
        done: Deferred[Any] = DeferredList(list(self._leaving))
        return done.addCallback(lambda _: None)

    def _known(self, name: str) -> Cluster:
        cluster = self._clusters.get(name)
        if cluster is None:
            raise UnknownClusterError(f"there is no cluster {name!r}")
        return cluster

    def _closed(self, result: Any, closing: Deferred[None]) -> Any:
        self._leaving.pop(closing, None)
        return result
