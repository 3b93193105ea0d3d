"""Each request begins at the first host; its repetitions go on from there.

Source: spec/upstream.md 4 (MOSN pkg/upstream/cluster/loadbalancer.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)
from mosntx.upstream.balancers.scan import Positions, healthyFrom


@implementer(ILoadBalancer)
class RequestRoundRobin:
    """See `ILoadBalancer`. The host of the choice before says how far a request has come."""

    __slots__ = ("_hosts", "_positions")

    def __init__(self, hosts: Sequence[IHost]) -> None:
        self._hosts = tuple(hosts)
        self._positions = Positions(self._hosts)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        if context is None or context.host is None:
            return healthyFrom(self._hosts, 0)
        return healthyFrom(self._hosts, self._positions.of(context.host) + 1)


@implementer(ILoadBalancerFactory)
class RequestRoundRobinFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_REQUEST_ROUNDROBIN"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> RequestRoundRobin:
        """See `ILoadBalancerFactory.build`."""
        return RequestRoundRobin(hosts)
