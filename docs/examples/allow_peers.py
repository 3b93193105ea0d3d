from __future__ import annotations

from ipaddress import ip_address, ip_network

from attrs import frozen
from zope.interface import implementer

from mosntx.contracts.filters import IFilterContext
from mosntx.contracts.net import (
    CONTINUE,
    STOP,
    IConnection,
    INetworkFilter,
    INetworkFilterFactory,
    INetworkFilterType,
)
from mosntx.net.filters import NetworkFilter


@frozen
class AllowPeersConfig:
    """What may stand under `config`."""

    networks: tuple[str, ...]


class AllowPeersFilter(NetworkFilter):
    """Closes a connection that comes from elsewhere."""

    def __init__(self, factory: AllowPeers, connection: IConnection) -> None:
        self._factory = factory
        self._connection = connection

    def newConnection(self) -> int:
        """Look where it comes from."""
        if self._factory.allows(self._connection.peer):
            return CONTINUE
        self._connection.close()
        return STOP


@implementer(INetworkFilterFactory)
class AllowPeers:
    """The networks of one filter chain."""

    name = "allow_peers"

    def __init__(self, config: AllowPeersConfig) -> None:
        self._networks = [ip_network(network) for network in config.networks]

    def allows(self, peer: str) -> bool:
        """Say whether ``ip:port`` is in one of the networks."""
        address = ip_address(peer.rpartition(":")[0].strip("[]"))
        return any(address in network for network in self._networks)

    def createFilter(self, connection: IConnection) -> INetworkFilter:
        """Make the filter of one connection."""
        return AllowPeersFilter(self, connection)


@implementer(INetworkFilterType)
class AllowPeersType:
    """The row for the catalog."""

    name = "allow_peers"
    configClass = AllowPeersConfig

    def build(self, config: AllowPeersConfig, context: IFilterContext) -> INetworkFilterFactory:
        """Make the factory of one filter chain; a network that is none is a ValueError."""
        return AllowPeers(config)
