"""Hosts in turn, in proportion to their weights (spec/upstream.md 4 and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)
from mosntx.upstream.balancers.edf import EarliestDeadline
from mosntx.upstream.balancers.roundrobin import RoundRobin


def _weight(host: IHost) -> float:
    return float(host.weight)


@implementer(ILoadBalancer)
class Weighted:
    """See `ILoadBalancer`. Needs at least two hosts of different weights to be of use."""

    __slots__ = ("_instead", "_schedule")

    def __init__(self, hosts: Sequence[IHost], random: Random) -> None:
        """:param random: how many picks are made ahead, so that sidecars do not march in step."""
        self._schedule = EarliestDeadline(hosts, _weight)
        self._instead = RoundRobin(hosts, random)
        if hosts:
            for _ in range(random.randrange(len(hosts))):
                self._schedule.pick()

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        pick = self._schedule.pick
        for _ in range(len(self._schedule)):
            host = pick()
            if host.healthy:
                return host
        return self._instead.chooseHost(context)


@implementer(ILoadBalancerFactory)
class WeightedFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_WEIGHTED_ROUNDROBIN"

    def build(self, hosts: Sequence[IHost], random: Random) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`. Hosts of one weight need no schedule."""
        if len({host.weight for host in hosts}) < 2:
            return RoundRobin(hosts, random)
        return Weighted(hosts, random)
