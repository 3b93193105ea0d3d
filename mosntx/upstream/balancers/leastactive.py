"""The host with the least to do, of a few at random (spec/upstream.md 4).

Source: MOSN pkg/upstream/cluster/loadbalancer.go, lb_leastconnection.go. MOSN does not look at
health here; unhealthy hosts are passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
)
from mosntx.upstream.balancers.roundrobin import RoundRobin
from mosntx.upstream.balancers.slowstart import needsSchedule, rising
from mosntx.upstream.balancers.weighted import Weighted

#: How much a host has to do now.
Active = Callable[[IHost], int]

#: Hosts that are compared at most: each costs time at each choice.
MAX_CHOICES = 64


def choiceCount(settings: IBalancerSettings) -> int:
    """Return how many hosts are compared."""
    count: int = settings.lbConfig.choice_count
    return min(count, MAX_CHOICES)


@implementer(ILoadBalancer)
class LeastActive:
    """See `ILoadBalancer`. For hosts of one weight.

    When all that chance names are unhealthy, a round robin decides.
    """

    __slots__ = ("_active", "_choices", "_count", "_hosts", "_instead", "_next")

    def __init__(
        self, hosts: Sequence[IHost], random: Random, active: Active, choices: int
    ) -> None:
        """Take the hosts.

        :param active: how much a host has to do now.
        :param choices: hosts compared at a time; one may be drawn twice, as in MOSN.
        """
        self._hosts = tuple(hosts)
        self._count = len(self._hosts)
        self._next = random.random
        self._active = active
        self._choices = range(choices)
        self._instead = RoundRobin(hosts, random)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        hosts, count, draw = self._hosts, self._count, self._next
        if not count:
            return None
        best, least = None, 0
        for _ in self._choices:
            host = hosts[int(draw() * count)]
            if host.healthy:
                active = self._active(host)
                if best is None or active < least:
                    best, least = host, active
        return self._instead.chooseHost(context) if best is None else best


def leastActive(
    hosts: Sequence[IHost], settings: IBalancerSettings, active: Active
) -> ILoadBalancer:
    """Return a balancer: by comparison, or by schedule when weights differ."""
    if not needsSchedule(hosts, settings):
        return LeastActive(hosts, settings.random, active, choiceCount(settings))
    bias = settings.lbConfig.active_request_bias

    def weigh(host: IHost) -> float:
        return float(host.weight / (active(host) + 1) ** bias)

    return Weighted(hosts, settings.random, rising(settings, weigh))
