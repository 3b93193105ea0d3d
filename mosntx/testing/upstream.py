"""Fakes of hosts, pools, clusters and exchanges, for balancers, filters and routes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred, succeed
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.contracts.filters import IExchange
from mosntx.contracts.upstream import (
    ICluster,
    IConnectionPool,
    IEjections,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
)
from mosntx.stats.structs import ClusterStats, HostStats
from mosntx.upstream.limits import Limits


@implementer(IConnectionPool)
class FakePool:
    """A pool that gives what a test puts into it.

    :ivar ready: what `tryCheckout` gives, last first.
    :ivar waiters: Deferreds of `checkout`, for the test to fire.
    :ivar returned: what was checked in.
    :ivar drained: the Deferred of `drain`, for the test to fire; ``None`` before.
    :ivar aborted: `abort` was called.
    """

    def __init__(self, host: IHost | None = None, protocol: str = "Http1") -> None:
        self.host = host
        self.protocol = protocol
        self.ready: list[Any] = []
        self.waiters: list[Deferred[Any]] = []
        self.returned: list[Any] = []
        self.active = 0
        self.drained: Deferred[None] | None = None
        self.aborted = False

    @property
    def idle(self) -> int:
        """See `IConnectionPool`."""
        return len(self.ready)

    @property
    def waiting(self) -> int:
        """See `IConnectionPool`."""
        return len(self.waiters)

    def tryCheckout(self) -> Any:
        """See `IConnectionPool.tryCheckout`."""
        if not self.ready:
            return None
        self.active += 1
        return self.ready.pop()

    def abort(self) -> None:
        """See `IConnectionPool.abort`."""
        self.aborted = True

    def checkout(self) -> Deferred[Any]:
        """See `IConnectionPool.checkout`."""
        streams = self.tryCheckout()
        if streams is not None:
            return succeed(streams)
        waiter: Deferred[Any] = Deferred(self.waiters.remove)
        self.waiters.append(waiter)
        return waiter

    def checkin(self, streams: Any) -> None:
        """See `IConnectionPool.checkin`."""
        self.active -= 1
        self.returned.append(streams)

    def drain(self) -> Deferred[None]:
        """See `IConnectionPool.drain`."""
        if self.drained is None:
            self.drained = Deferred()
        return self.drained


@implementer(IHost)
class FakeHost:
    """A host with settings of the test's choice; assign `healthy` to change its health."""

    def __init__(
        self,
        address: str = "127.0.0.1:8080",
        *,
        weight: int = 1,
        healthy: bool = True,
        hostname: str = "",
        metadata: Mapping[str, str] | None = None,
        priority: int = 0,
        zone: str = "",
        healthySince: float = float("-inf"),
    ) -> None:
        self.priority = priority
        self.zone = zone
        self.healthySince = healthySince
        self.address = address
        self.hostname = hostname
        self.weight = weight
        self.metadata: Mapping[str, str] = metadata or {}
        self.healthy = healthy
        self.stats = HostStats("fake", address)
        self.pools: dict[str, FakePool] = {}

    def pool(self, protocol: str) -> FakePool:
        """See `IHost.pool`."""
        if protocol not in self.pools:
            self.pools[protocol] = FakePool(self, protocol)
        return self.pools[protocol]

    def __repr__(self) -> str:
        return f"<FakeHost {self.address}{'' if self.healthy else ' unhealthy'}>"


def hosts(*weights: int, unhealthy: Sequence[int] = ()) -> list[FakeHost]:
    """Return hosts of these weights.

    :param unhealthy: numbers, from 0, of those that are not healthy.
    """
    return [
        FakeHost(f"10.0.0.{number}:80", weight=weight, healthy=number not in unhealthy)
        for number, weight in enumerate(weights)
    ]


@implementer(ILoadBalancer)
class FirstHost:
    """A balancer without surprises: the first healthy host."""

    def __init__(self, hosts: Sequence[IHost] = ()) -> None:
        self.hosts = tuple(hosts)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        return next((host for host in self.hosts if host.healthy), None)


@implementer(ICluster)
class FakeCluster:
    """A cluster of given hosts."""

    def __init__(
        self, name: str = "fake", hosts: Sequence[IHost] = (), type: str = "SIMPLE"
    ) -> None:
        self.name = name
        self.type = type
        self.hosts = tuple(hosts)
        self.loadBalancer = FirstHost(hosts)
        self.stats = ClusterStats(name)
        self.limits = Limits()
        self.config = ClusterConfig(name=name, type=type)
        self.outlier: Any = None


@implementer(IEjections)
class FakeEjections:
    """Remembers who is out.

    :ivar out: address -> how often it was ejected and not let in again.
    """

    def __init__(self) -> None:
        self.out: Counter[str] = Counter()

    def eject(self, address: str) -> None:
        """See `IEjections.eject`."""
        self.out[address] += 1

    def admit(self, address: str) -> None:
        """See `IEjections.admit`."""
        self.out[address] -= 1
        if not self.out[address]:
            del self.out[address]


class FakeConnection:
    """The two addresses of a connection, which is what routes and balancers look at."""

    def __init__(self, peer: str = "127.0.0.1:50000", local: str = "127.0.0.1:2045") -> None:
        self.peer = peer
        self.local = local


@implementer(IExchange, ILoadBalancerContext)
class FakeExchange:
    """An exchange that goes nowhere and notes what it is told.

    :ivar replies: ``(status, text, flag)`` of each `reply`.
    :ivar resumed: how often `resume` was called.
    :ivar aborted: whether `abort` was called.
    :ivar key: what `hashKey` says when there is no route.
    :ivar criteria: what `metadata` says.
    :ivar wanted: what `destination` says, by field.
    """

    def __init__(self, request: Any = None, *, peer: str = "127.0.0.1:50000") -> None:
        self.request = request
        self.connection = FakeConnection(peer)
        self.key: int | None = None
        self.criteria: tuple[tuple[str, str], ...] | None = None
        self.wanted: dict[bytes, str] = {}
        self.replies: list[tuple[int, bytes, int]] = []
        self.resumed = 0
        self.aborted = False
        self.number = 1
        self.listener: Any = None
        self.response: Any = None
        self.route: Any = None
        self.cluster: Any = None
        self.host: Any = None
        self.upstreamConnection: Any = None
        self.attempts = 0
        self.status = 0
        self.flags = 0
        self.reason = ""
        self.attributes: dict[str, object] = {}
        self.part = b""
        self.startTime = self.requestEndTime = self.responseTime = self.endTime = 0.0
        self.bytesReceived = self.bytesSent = 0

    def reply(self, status: int, text: bytes = b"", flag: int = 0, reason: str = "") -> None:
        """See `IExchange.reply`."""
        self.replies.append((status, text, flag))
        self.flags |= flag
        self.reason = reason

    def resume(self) -> None:
        """See `IExchange.resume`."""
        self.resumed += 1

    def abort(self) -> None:
        """See `IExchange.abort`."""
        self.aborted = True

    @property
    def local(self) -> str:
        """See `ILoadBalancerContext`."""
        return self.connection.local

    def hashKey(self) -> int | None:
        """See `IExchange.hashKey`."""
        if self.route is None:
            return self.key
        key: int | None = self.route.hashKey(self)
        return key

    def metadata(self) -> tuple[tuple[str, str], ...] | None:
        """See `ILoadBalancerContext.metadata`."""
        return self.criteria

    def destination(self, field: bytes) -> str:
        """See `ILoadBalancerContext.destination`."""
        return self.wanted.get(field, "")
