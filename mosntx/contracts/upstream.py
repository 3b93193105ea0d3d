"""Clusters, hosts, balancing, pools, health (capabilities S7, X2, X3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zope.interface import Attribute, Interface


class IHost(Interface):
    """One address of a cluster."""

    address = Attribute("``str``: ``ip:port``, ``name:port`` or ``unix:/path``")
    hostname = Attribute("``str``: label from the configuration")
    weight = Attribute("``int``: 1 to 128")
    metadata = Attribute("``Mapping[str, str]``: for subsets")
    healthy = Attribute("``bool``: no flag is set on the address")
    stats = Attribute("`mosntx.stats.structs.HostStats`")

    def pool(protocol: str) -> IConnectionPool:
        """The pool of connections that speak ``protocol``, made at first use.

        The same pool as long as the host is in the cluster.
        """


class ICluster(Interface):
    """A named group of hosts; updates swap `hosts` and `loadBalancer` together."""

    name = Attribute("``str``")
    type = Attribute("``str``: ``type`` in the configuration, for example ``SIMPLE``")
    hosts = Attribute("``Sequence[IHost]``: as of now; a snapshot that is never altered")
    loadBalancer = Attribute("`ILoadBalancer` over exactly these hosts")
    stats = Attribute("`mosntx.stats.structs.ClusterStats`")
    limits = Attribute("`mosntx.upstream.limits.Limits`: circuit breakers")
    config = Attribute("`mosntx.config.schema.Cluster`: its settings")
    outlier = Attribute("`IOutlierDetector` or ``None``: is told how requests ended")


class IClusters(Interface):
    """The clusters of one Sidecar by name."""

    def get(name: str) -> ICluster | None:
        """The cluster as of now, or ``None``."""

    def names() -> Sequence[str]:
        """All names, sorted."""


class ILoadBalancerContext(Interface):
    """What a balancer may know of a request; the exchange provides it."""

    attempts = Attribute("``int``: attempts begun before this choice")
    host = Attribute("`IHost` of the attempt before, or ``None``")

    def hashKey() -> int | None:
        """Key for consistent hashing."""

    def metadata() -> Sequence[tuple[str, str]] | None:
        """Subset criteria sorted by key; ``None`` = no restriction."""


class ILoadBalancer(Interface):
    """Chooses among a fixed set of hosts; made anew for each set."""

    def chooseHost(context: ILoadBalancerContext | None) -> IHost | None:
        """Return a healthy host, ``None`` when there is none."""


class ILoadBalancerFactory(Interface):
    """A row of the catalog."""

    name = Attribute("``str``: ``lb_type`` in the configuration")

    def build(hosts: Sequence[IHost], random: Any) -> ILoadBalancer:
        """Return a balancer; ``random`` is a ``random.Random``."""


class IConnectionPool(Interface):
    """The connections to one host in one protocol, with limits."""

    active = Attribute("``int``: connections checked out now")
    idle = Attribute("``int``: connections ready now")
    waiting = Attribute("``int``: checkouts that wait now")

    def tryCheckout() -> Any:
        """Return an `mosntx.contracts.stream.IClientStreams` that is ready now, else ``None``."""

    def checkout() -> Any:
        """Return a ``Deferred[IClientStreams]``.

        Fails with `mosntx.upstream.pools.errors.PoolOverflow` (limit reached), `PoolTimeout`
        (waited too long), or what the connector fails with.
        Cancelling leaves the queue; a connection being made for it serves the next.
        """

    def checkin(streams: Any) -> None:
        """A stream on a connection of this pool has ended; called by the connection itself.

        Not reusable ones are closed.
        """

    def drain() -> Any:
        """Close idle connections now and others after their streams; new checkouts fail.

        Returns a ``Deferred[None]`` that fires when none is left.
        """

    def abort() -> None:
        """Close every connection at once, whatever is on it."""


class IHealthChecker(Interface):
    """Asks hosts how they are."""

    def check(host: IHost) -> Any:
        """Return a ``Deferred[bool]``; failures count as unhealthy. Cancelling stops the probe."""


class IOutlierDetector(Interface):
    """Watches what hosts answer."""

    def success(host: IHost) -> None:
        """The host answered well."""

    def failure(host: IHost, reason: int) -> None:
        """The host answered badly or not at all.

        :param reason: of the reset; 0 = an answer with a bad status.
        """


class IEjections(Interface):
    """Who has ejected which address: it is unhealthy until the last one has let it in again."""

    def eject(address: str) -> None:
        """Leave an address out, on behalf of one ejector."""

    def admit(address: str) -> None:
        """Let an address in again; once for each `eject`."""


class IDiscovery(Interface):
    """Finds the hosts of a cluster at run time."""

    def start(update: Any) -> None:
        """Begin; call ``update(hosts)`` with each complete new set."""

    def stop() -> Any:
        """End; returns a Deferred or ``None``."""
