"""Changes of clusters while a Sidecar runs, in the shape of the configuration file.

`mosntx.upstream.clusters.Clusters` does the work. Here what comes from outside is read and checked
as a file is, so that an update can be no worse than a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from twisted.logger import Logger

from mosntx.config.checkdiscovery import LOGICAL_DNS
from mosntx.config.clusterdoc import readCluster
from mosntx.config.hostsfile import hostsOf
from mosntx.config.names import Names
from mosntx.config.schema import Host as HostConfig
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.clusters import Clusters, FoundHostsError
from mosntx.upstream.hosts import Host

log = Logger()

#: Stands for the file in what is wrong with an update.
SOURCE = "<update>"

_Objects = Sequence[Mapping[str, Any] | str]


class ClusterUpdates:
    """Adds, changes and removes clusters and hosts of one Sidecar.

    Each change is complete when the method returns: the next request sees it. One that is refused
    changes nothing.
    """

    def __init__(self, clusters: Clusters, names: Names) -> None:
        """:param names: what this build knows."""
        self._clusters = clusters
        self._names = names

    def update(self, cluster: Mapping[str, Any] | str) -> Cluster:
        """Add a cluster, or change the settings of the one of this name.

        :param cluster: as in ``cluster_manager.clusters``, a mapping or text in JSON or YAML. A
            known cluster without the key ``hosts`` keeps its hosts; counts stay in any case.
        :raises ConfigError: with all that is wrong.
        """
        read = readCluster(cluster, self._names, SOURCE)
        for problem in read.problems:
            log.warn("{problem}", problem=problem)
        config = read.cluster
        hosts = config.hosts if read.hasHosts else None
        found = self._clusters.update(config, hosts)
        log.info("cluster {name} updated, {n} hosts", name=config.name, n=len(found.hosts))
        return found

    def remove(self, names: Iterable[str]) -> None:
        """Remove clusters; requests that are on their way end in peace.

        :raises UnknownClusterError: when one is not there; then none is removed.
        """
        given = list(names)
        self._clusters.remove(*given)
        log.info("clusters removed: {names}", names=", ".join(given))

    def updateHosts(self, name: str, hosts: _Objects) -> None:
        """Replace the hosts of a cluster.

        :param hosts: each as in ``hosts`` of a cluster, or its address alone.
        :raises ConfigError: with all that is wrong.
        :raises UnknownClusterError: when there is no cluster of this name.
        :raises FoundHostsError: when its hosts are found otherwise.
        """
        read = self._read(name, hosts)
        if self._type(name) == LOGICAL_DNS and len(read) != 1:
            raise FoundHostsError(f"LOGICAL_DNS needs one host, not {len(read)}")
        self._clusters.updateHosts(name, read)
        self._told(name)

    def appendHosts(self, name: str, hosts: _Objects) -> None:
        """Add hosts; those of known addresses are replaced. See `updateHosts`."""
        read = self._read(name, hosts)
        self._manyHosts(name)
        self._clusters.appendHosts(name, read)
        self._told(name)

    def removeHosts(self, name: str, addresses: Iterable[str]) -> None:
        """Remove hosts; unknown addresses are passed over. See `updateHosts`."""
        self._manyHosts(name)
        self._clusters.removeHosts(name, addresses)
        self._told(name)

    def list(self) -> list[dict[str, Any]]:
        """Return all clusters as they are now, with their hosts and how these are."""
        found = [self._clusters.get(name) for name in self._clusters.names()]
        return [_described(cluster) for cluster in found if cluster is not None]

    def _type(self, name: str) -> str:
        cluster = self._clusters.get(name)
        return "" if cluster is None else cluster.type

    def _read(self, name: str, hosts: _Objects) -> tuple[HostConfig, ...]:
        return hostsOf(_mappings(hosts), SOURCE, self._type(name))

    def _manyHosts(self, name: str) -> None:
        """:raises FoundHostsError: when the cluster always has one host."""
        if self._type(name) == LOGICAL_DNS:
            raise FoundHostsError("LOGICAL_DNS has one host: replace it instead")

    def _told(self, name: str) -> None:
        cluster = self._clusters.get(name)
        n = 0 if cluster is None else len(cluster.hosts)
        log.info("cluster {name}: {n} hosts", name=name, n=n)


def _mappings(hosts: _Objects) -> list[object]:
    return [{"address": host} if isinstance(host, str) else host for host in hosts]


def _described(cluster: Cluster) -> dict[str, Any]:
    config = cluster.config
    return {
        "name": cluster.name,
        "type": cluster.type,
        "lb_type": config.lb_type,
        "requests": cluster.limits.requests,
        "hosts": [_describedHost(host) for host in cluster.hosts],
    }


def _describedHost(host: Host) -> dict[str, Any]:
    pools = host.pools().values()
    return {
        "address": host.address,
        "hostname": host.hostname,
        "weight": host.weight,
        "healthy": host.healthy,
        "metadata": dict(host.metadata),
        "connections": sum(pool.active + pool.idle for pool in pools),
    }
