"""Hosts, and the health flags that hosts of one address share (spec/upstream.md 2)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zope.interface import implementer

from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IConnectionPool, IHost
from mosntx.stats.structs import HostStats

if TYPE_CHECKING:
    from mosntx.upstream.cluster import Cluster

#: Health flags of an address (MOSN pkg/types/upstream.go).
FAILED_ACTIVE_CHECK = 0x1
FAILED_OUTLIER = 0x2

#: The bounds of a weight (MOSN pkg/config/v2/upstream.go).
MIN_WEIGHT = 1
MAX_WEIGHT = 128


def clamped(weight: int) -> int:
    """Return a weight within the bounds."""
    return min(max(weight, MIN_WEIGHT), MAX_WEIGHT)


#: `IHost.healthySince` of hosts that were there from the start.
ALWAYS = float("-inf")

#: Makes the pool of a host for a protocol.
PoolFactory = Callable[["Host", str], IConnectionPool]


class _Address:
    """What is known of an address that has flags or several hosts."""

    __slots__ = ("flags", "hosts")

    def __init__(self, host: Host) -> None:
        self.flags = 0
        self.hosts: dict[Host, None] = {host: None}


class AddressTable:
    """The health flags of all addresses of one Sidecar.

    An address that fails in one cluster fails in all. What was known is forgotten when the last
    cluster gives the address up (MOSN remembers for ever).
    """

    __slots__ = ("_addresses",)

    def __init__(self) -> None:
        #: Most addresses have one host, which is well: it stands for what would be known of it.
        self._addresses: dict[str, _Address | Host] = {}

    def __len__(self) -> int:
        return len(self._addresses)

    def attach(self, host: Host) -> None:
        """A cluster has begun to use a host: its ``healthy`` follows the flags from now on."""
        known = self._addresses.setdefault(host.address, host)
        if known is not host:
            known = self._known(host.address, known)
            known.hosts[host] = None
            host.healthy = not known.flags
        else:
            host.healthy = True

    def detach(self, host: Host) -> None:
        """A cluster uses a host no longer."""
        known = self._addresses.get(host.address)
        if isinstance(known, _Address):
            known.hosts.pop(host, None)
            if not known.hosts:
                del self._addresses[host.address]
        elif known is host:
            del self._addresses[host.address]

    def flags(self, address: str) -> int:
        """Return the flags of an address; 0 = healthy or not known."""
        known = self._addresses.get(address)
        return known.flags if isinstance(known, _Address) else 0

    def setFlag(self, address: str, flag: int) -> bool:
        """Set a flag. Returns whether the address was healthy before and is so no longer."""
        return self._change(address, self.flags(address) | flag)

    def clearFlag(self, address: str, flag: int) -> bool:
        """Clear a flag. Returns whether the address has become healthy by it."""
        return self._change(address, self.flags(address) & ~flag)

    def _change(self, address: str, flags: int) -> bool:
        entry = self._addresses.get(address)
        if entry is None:
            return False
        known = self._known(address, entry)
        turned = bool(known.flags) != bool(flags)
        known.flags = flags
        for host in known.hosts:
            host.turn(not flags)
        return turned

    def _known(self, address: str, entry: _Address | Host) -> _Address:
        """Return a place for what is known of an address, which until now may have had none."""
        if not isinstance(entry, _Address):
            entry = self._addresses[address] = _Address(entry)
        return entry


#: Stands for the pools of a host that has none yet; never altered.
_NO_POOLS: dict[str, IConnectionPool] = {}


class _Pools:
    """The pools of one address of one cluster; outlives changes of the host's settings."""

    __slots__ = ("byProtocol", "closing")

    def __init__(self) -> None:
        self.byProtocol = _NO_POOLS
        self.closing = False


@implementer(IHost)
class Host:
    """See `IHost`. Its settings never change: a changed one is replaced by its `successor`."""

    __slots__ = (
        "_poolFactory",
        "_pools",
        "address",
        "cluster",
        "config",
        "healthy",
        "healthySince",
        "hostname",
        "metadata",
        "priority",
        "stats",
        "tlsDisable",
        "weight",
        "zone",
    )

    def __init__(
        self, config: HostConfig, cluster: Cluster, stats: HostStats, poolFactory: PoolFactory
    ) -> None:
        """:param poolFactory: called with this host and the name of a protocol."""
        self.config = config
        self.cluster = cluster
        self.stats = stats
        self.address = config.address
        self.hostname = config.hostname
        weight = config.weight
        self.weight = weight if MIN_WEIGHT <= weight <= MAX_WEIGHT else clamped(weight)
        self.metadata: Mapping[str, str] = config.metadata
        self.priority = config.priority
        self.zone = config.zone or config.metadata.get("zone", "")
        self.tlsDisable = config.tls_disable
        #: Kept by the `AddressTable`, so that balancers read an attribute.
        self.healthy = True
        self.healthySince = ALWAYS
        self._poolFactory = poolFactory
        self._pools = _Pools()

    def turn(self, healthy: bool) -> None:
        """Take over what the `AddressTable` knows, and tell the cluster when it is news."""
        if healthy != self.healthy:
            self.healthy = healthy
            self.cluster.healthChanged(self)

    def pool(self, protocol: str) -> IConnectionPool:
        """See `IHost.pool`. A host that has left its cluster gives pools that are draining."""
        pool = self._pools.byProtocol.get(protocol)
        return pool if pool is not None else self._makePool(protocol)

    def pools(self) -> Mapping[str, IConnectionPool]:
        """Return the pools made so far, by protocol; for views and checks."""
        return self._pools.byProtocol

    def successor(self, config: HostConfig) -> Host:
        """Return a host of the same address with other settings, and the same stats and pools.

        Pools are not shared when the settings change what a connection is.
        """
        host = Host(config, self.cluster, self.stats, self._poolFactory)
        host.healthySince = self.healthySince
        if host.tlsDisable == self.tlsDisable:
            host._pools = self._pools
        return host

    def sharesPools(self, other: Host) -> bool:
        """Whether both use the same pools, so that closing one's would close the other's."""
        return self._pools is other._pools

    def renewPools(self) -> list[Any]:
        """Close the pools softly; later requests get new ones. Returns a Deferred for each."""
        before = self._pools.byProtocol
        self._pools.byProtocol = _NO_POOLS
        return [pool.drain() for pool in before.values()]

    def drain(self) -> list[Any]:
        """Close the pools softly, and let no new one begin. Returns a Deferred for each pool."""
        self._pools.closing = True
        return [pool.drain() for pool in self._pools.byProtocol.values()]

    def _makePool(self, protocol: str) -> IConnectionPool:
        pool = self._poolFactory(self, protocol)
        if self._pools.byProtocol is _NO_POOLS:
            self._pools.byProtocol = {}
        self._pools.byProtocol[protocol] = pool
        if self._pools.closing:
            pool.drain()
        return pool

    def __repr__(self) -> str:
        return f"<Host {self.address}{'' if self.healthy else ' unhealthy'}>"
