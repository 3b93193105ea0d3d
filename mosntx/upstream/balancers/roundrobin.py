"""One host after the other (MOSN pkg/upstream/cluster/loadbalancer.go)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)


@implementer(ILoadBalancer)
class RoundRobin:
    """See `ILoadBalancer`.

    Unhealthy hosts use up their turn, so the healthy ones behind them are not preferred. MOSN
    walks round a second time in case health changes meanwhile; here it cannot.
    """

    __slots__ = ("_count", "_hosts", "_last")

    def __init__(self, hosts: Sequence[IHost], random: Random) -> None:
        """:param random: where to begin, so that many sidecars do not begin at the same host."""
        self._hosts = tuple(hosts)
        self._count = len(self._hosts)
        self._last = random.randrange(self._count) if self._count else 0

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        hosts, count, last = self._hosts, self._count, self._last
        for _ in range(count):
            last += 1
            if last >= count:
                last = 0
            host = hosts[last]
            if host.healthy:
                self._last = last
                return host
        return None


@implementer(ILoadBalancerFactory)
class RoundRobinFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_ROUNDROBIN"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> RoundRobin:
        """See `ILoadBalancerFactory.build`."""
        return RoundRobin(hosts, settings.random)
