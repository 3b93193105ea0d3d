"""Any host (MOSN pkg/upstream/cluster/loadbalancer.go)."""

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
from mosntx.upstream.balancers.roundrobin import RoundRobin


@implementer(ILoadBalancer)
class RandomChoice:
    """See `ILoadBalancer`.

    When chance names an unhealthy host, a round robin over all hosts decides, so that the share
    of the unhealthy spreads evenly.
    """

    __slots__ = ("_count", "_hosts", "_instead", "_next")

    def __init__(self, hosts: Sequence[IHost], random: Random) -> None:
        self._hosts = tuple(hosts)
        self._count = len(self._hosts)
        self._next = random.random
        self._instead = RoundRobin(hosts, random)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        count = self._count
        if not count:
            return None
        host = self._hosts[int(self._next() * count)]
        return host if host.healthy else self._instead.chooseHost(context)


@implementer(ILoadBalancerFactory)
class RandomFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_RANDOM"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> RandomChoice:
        """See `ILoadBalancerFactory.build`."""
        return RandomChoice(hosts, settings.random)
