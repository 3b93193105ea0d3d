"""``STRICT_DNS``: each record of each name is a host (MOSN pkg/upstream/cluster/strict_dns...)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import attrs
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import IDiscovery, IDiscoveryFactory
from mosntx.upstream.discovery.context import DiscoveryContext
from mosntx.upstream.discovery.target import Target

_Update = Callable[[Sequence[HostConfig]], object]


def hostText(ip: str, port: int) -> str:
    """Return an address of a host."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


@implementer(IDiscovery)
class StrictDns:
    """See `IDiscovery`.

    The hosts of all names are merged and sorted by address. A name that has not been answered yet
    has none, one that cannot be looked up any more keeps those of its last answer.
    """

    def __init__(
        self, config: ClusterConfig, context: DiscoveryContext, before: StrictDns | None = None
    ) -> None:
        """See `IDiscoveryFactory.build`."""
        nameservers = context.nameservers(config)
        self._targets = [
            Target(host, config, context, nameservers, self._answered) for host in config.hosts
        ]
        self._family = config.dns_lookup_family
        self._update: _Update | None = None
        self._settled: Callable[[], object] | None = None
        self._known: tuple[HostConfig, ...] | None = None
        if before is not None and before._family == self._family:
            self._adopt(before)

    def _adopt(self, before: StrictDns) -> None:
        """Keep the hosts of names that stay, whatever else has changed."""
        known = {(each.name, each.host.srv): each for each in before._targets}
        for target in self._targets:
            found = known.get((target.name, target.host.srv))
            if found is not None:
                target.adopt(found)

    def start(self, update: _Update, settled: Callable[[], object]) -> None:
        """See `IDiscovery.start`."""
        self._update, self._settled = update, settled
        for target in self._targets:
            target.start()
        self._answered()

    def stop(self) -> None:
        """See `IDiscovery.stop`."""
        self._update = None
        for target in self._targets:
            target.stop()

    def _answered(self) -> None:
        """A name has been answered, or has failed."""
        if self._update is None:
            return
        hosts = self._hosts()
        everything = all(target.settled for target in self._targets)
        if hosts != self._known and (hosts or everything):
            self._known = hosts
            self._update(hosts)
        settled = self._settled
        if everything and settled is not None:
            self._settled = None
            settled()

    def _hosts(self) -> tuple[HostConfig, ...]:
        found: dict[str, HostConfig] = {}
        for target in self._targets:
            host = target.host
            for place in target.places:
                address = hostText(place.ip, place.port or target.port)
                if address not in found:
                    found[address] = attrs.evolve(
                        host,
                        address=address,
                        hostname=host.hostname or ("" if target.literal else target.name),
                        weight=place.weight or host.weight,
                        srv=False,
                        path="",
                    )
        return tuple(found[address] for address in sorted(found))


@implementer(IDiscoveryFactory)
class StrictDnsFactory:
    """See `IDiscoveryFactory`."""

    name: ClassVar[str] = "STRICT_DNS"
    usesHosts: ClassVar[bool] = True

    def build(self, config: ClusterConfig, context: DiscoveryContext, before: Any) -> StrictDns:
        """See `IDiscoveryFactory.build`."""
        return StrictDns(config, context, before)
