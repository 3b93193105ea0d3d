"""``LOGICAL_DNS``: one host with a name; each new connection goes to the newest answer.

For services behind a name whose answer is another sample of many addresses each time: as hosts they
would come and go with each answer, and their connections with them. Here connections stay; only
where the next one goes follows the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import attrs
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.discovery.context import DiscoveryContext
from mosntx.upstream.discovery.strict_dns import hostText
from mosntx.upstream.discovery.target import Target


@implementer(IDiscovery)
class LogicalDns:
    """See `IDiscovery`. The answers go to where connects look names up."""

    def __init__(
        self, config: ClusterConfig, context: DiscoveryContext, before: LogicalDns | None = None
    ) -> None:
        """See `IDiscoveryFactory.build`.

        :raises ValueError: when there is not exactly one host.
        """
        if len(config.hosts) != 1:
            raise ValueError(f"LOGICAL_DNS needs one host, not {len(config.hosts)}")
        nameservers = context.nameservers(config)
        self._names = context.names
        self._target = Target(config.hosts[0], config, context, nameservers, self._answered)
        if before is not None and before._target.name == self._target.name:
            self._target.adopt(before._target)
        self._update: Callable[[Sequence[HostConfig]], object] | None = None
        self._settled: Callable[[], object] | None = None
        self._known = False

    def start(
        self, update: Callable[[Sequence[HostConfig]], object], settled: Callable[[], object]
    ) -> None:
        """See `IDiscovery.start`."""
        self._update, self._settled = update, settled
        self._answered()
        self._target.start()

    def stop(self) -> None:
        """See `IDiscovery.stop`."""
        self._update = None
        self._target.stop()
        self._names.unpin(self._target.name, self)

    def _answered(self) -> None:
        update, settled, target = self._update, self._settled, self._target
        if update is None:
            return
        places = target.places
        if places and not target.literal:
            self._names.pin(target.name, tuple(place.ip for place in places), self)
        if places and not self._known:
            self._known = True
            host = target.host
            address = hostText(target.name, target.port)
            name = host.hostname or ("" if target.literal else target.name)
            update((attrs.evolve(host, address=address, hostname=name, path=""),))
        if target.settled and settled is not None:
            self._settled = None
            settled()


@implementer(IDiscoveryFactory)
class LogicalDnsFactory:
    """See `IDiscoveryFactory`."""

    name: ClassVar[str] = "LOGICAL_DNS"
    usesHosts: ClassVar[bool] = True

    def build(self, config: ClusterConfig, context: DiscoveryContext, before: Any) -> LogicalDns:
        """See `IDiscoveryFactory.build`."""
        return LogicalDns(config, context, before)
