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
    priority = Attribute("``int``: 0 is preferred; higher ones stand in for it")
    zone = Attribute("``str``: where it runs; ``''`` = not known")
    metadata = Attribute("``Mapping[str, str]``: for subsets")
    healthy = Attribute("``bool``: no flag is set on the address")
    healthySince = Attribute(
        "``float``: monotonic seconds when it joined the others, or was healthy again; minus "
        "infinity when neither has happened: it was there from the start"
    )
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
    host = Attribute("`IHost` of the choice before, or ``None``")
    local = Attribute("``str``: the address of ours that the client has reached")

    def hashKey() -> int | None:
        """Key for consistent hashing."""

    def metadata() -> tuple[tuple[str, str], ...] | None:
        """Subset criteria sorted by key; ``None`` (or none of them) = no restriction."""

    def destination(field: bytes) -> str:
        """Where the client wants to go, as a text of its own; ``''`` when it cannot be said.

        :param field: of the request, in lower case; ``host`` is the authority of any kind of
            request. ``b""``: where its connection went before it was redirected.
        """


class ILoadBalancer(Interface):
    """Chooses among a fixed set of hosts; made anew for each set."""

    def chooseHost(context: ILoadBalancerContext | None) -> IHost | None:
        """Return a healthy host, ``None`` when there is none."""


class IHealthAware(ILoadBalancer):
    """A balancer that keeps accounts of health; others just look at `IHost.healthy`."""

    def healthChanged(host: IHost) -> None:
        """One of the hosts has become healthy, or is so no longer."""


class IBalancerSettings(Interface):
    """What balancers are made with besides hosts."""

    config = Attribute("`mosntx.config.schema.Cluster`: the settings of the cluster")
    lbConfig = Attribute("`mosntx.config.schema.LbConfig`: its ``lbconfig``, or the defaults")
    random = Attribute("``random.Random``")
    seconds = Attribute("``Callable[[], float]``: the monotonic clock")
    stats = Attribute("`mosntx.stats.structs.ClusterStats`")
    before = Attribute("`ILoadBalancer` or ``None``: the one that is being replaced")
    scope = Attribute("``str``: which part of the cluster these hosts are; ``''`` = all")
    panic = Attribute("`mosntx.upstream.balancers.panic.PanicState`")

    def hostAt(address: str) -> IHost:
        """Return a host that is not in the list, for balancers that know addresses elsewhere."""

    def work(steps: Any) -> Any:
        """Do a long job between other events; ``steps`` is an iterator of short ones."""


class ILoadBalancerFactory(Interface):
    """A row of the catalog.

    A factory may have an attribute ``hashes``: when true, its balancers choose by
    `ILoadBalancerContext.hashKey`, and what stands before them will keep a key's choices together.
    """

    name = Attribute("``str``: ``lb_type`` in the configuration")

    def build(hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """Return a balancer over these hosts. The sequence is not altered afterwards."""


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
    """Finds the hosts of a cluster at run time; made for one cluster, started once."""

    def start(update: Any, settled: Any) -> None:
        """Begin.

        Call ``update(hosts)`` with each complete new set, a sequence of `mosntx.config.schema.Host`
        whose addresses can be connected to, and ``settled()`` once, when the first answers have
        come or have failed. Both may happen before this returns.
        """

    def stop() -> Any:
        """End; returns a Deferred or ``None``. No ``update`` comes afterwards."""


class IDiscoveryFactory(Interface):
    """A row of the catalog."""

    name = Attribute("``str``: ``type`` of the clusters in the configuration")
    usesHosts = Attribute("``bool``: ``hosts`` of the cluster say what to look for")

    def build(config: Any, context: Any, before: IDiscovery | None) -> IDiscovery:
        """Return the discovery of a cluster.

        :param config: `mosntx.config.schema.Cluster`.
        :param context: `mosntx.upstream.discovery.context.DiscoveryContext`.
        :param before: the one that it takes the place of, of the same factory, already stopped:
            what that has found may be used until there are answers.
        :raises ValueError: when it cannot be made.
        """
