"""Hosts in turn, in proportion to their weights (spec/upstream.md 4 and 5)."""

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
from mosntx.upstream.balancers.edf import EarliestDeadline
from mosntx.upstream.balancers.roundrobin import RoundRobin
from mosntx.upstream.balancers.slowstart import Weigh, needsSchedule, rising

#: No more picks than this are made ahead: of many hosts it would take too long, and so many are
#: enough to tell sidecars apart.
MAX_AHEAD = 256


def byWeight(host: IHost) -> float:
    """Weigh a host as it is configured."""
    return float(host.weight)


@implementer(ILoadBalancer)
class Weighted:
    """See `ILoadBalancer`. Needs at least two hosts of different weights to be of use."""

    __slots__ = ("_instead", "_schedule")

    def __init__(
        self,
        hosts: Sequence[IHost],
        random: Random,
        weigh: Weigh = byWeight,
        instead: ILoadBalancer | None = None,
    ) -> None:
        """Make the schedule.

        :param random: how many picks are made ahead, so that sidecars do not march in step.
        :param weigh: the weight of a host as of now.
        :param instead: decides when a whole round of picks were unhealthy hosts; without it, a
            round robin.
        """
        self._schedule = EarliestDeadline(hosts, weigh)
        self._instead = RoundRobin(hosts, random) if instead is None else instead
        if hosts:
            for _ in range(random.randrange(min(len(hosts), MAX_AHEAD))):
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

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`. Hosts of one weight need no schedule."""
        if not needsSchedule(hosts, settings):
            return RoundRobin(hosts, settings.random)
        return Weighted(hosts, settings.random, rising(settings, byWeight))
