"""The host with the fewest open connections (spec/upstream.md 4)."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerFactory,
)
from mosntx.upstream.balancers.leastactive import leastActive

_active = attrgetter("stats.connection_active")


@implementer(ILoadBalancerFactory)
class LeastConnectionFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_LEAST_CONNECTION"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`."""
        return leastActive(hosts, settings, _active)
