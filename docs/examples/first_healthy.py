"""A load balancer of your own: always the first healthy host, the others stand by."""

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


@implementer(ILoadBalancer)
class FirstHealthy:
    """See `ILoadBalancer`."""

    def __init__(self, hosts: Sequence[IHost]) -> None:
        self._hosts = tuple(hosts)

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        return next((host for host in self._hosts if host.healthy), None)


@implementer(ILoadBalancerFactory)
class FirstHealthyFactory:
    """See `ILoadBalancerFactory`."""

    name = "LB_FIRST_HEALTHY"

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> FirstHealthy:
        """See `ILoadBalancerFactory.build`."""
        return FirstHealthy(hosts)
