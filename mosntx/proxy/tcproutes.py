"""Which cluster a connection of ``tcp_proxy`` goes to (MOSN pkg/filter/network/streamproxy)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import frozen

from mosntx.config.address import parsePorts
from mosntx.config.schema import TcpProxyConfig
from mosntx.contracts.net import IConnection

#: ``(IP address, port)``; ``(None, -1)`` for what has none, such as a unix socket.
Endpoint = tuple[IPv4Address | IPv6Address | None, int]

#: ``(connection) -> name of a cluster``; empty when no route matches.
ClusterChoice = Callable[[IConnection], str]


def endpoint(text: str) -> Endpoint:
    """Take the address of a connection apart.

    :param text: as `IConnection.peer` and ``local`` have it.
    """
    host, _, port = text.rpartition(":")
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        return None, -1


@frozen
class Matcher:
    """What one end of a connection has to be; empty means anything (MOSN: nothing).

    :ivar networks: the address is in one of them.
    :ivar ports: the port is within one of these ranges, both ends included.
    """

    networks: tuple[IPv4Network | IPv6Network, ...]
    ports: tuple[tuple[int, int], ...]

    @classmethod
    def fromConfig(cls, networks: Iterable[str], ports: str) -> Matcher:
        """Take the two keys of one end.

        :raises ValueError: when one of them is malformed.
        """
        return cls(tuple(ip_network(each, strict=False) for each in networks), parsePorts(ports))

    def admits(self, end: Endpoint) -> bool:
        """Say whether an end is what it has to be."""
        address, port = end
        if self.networks and not (
            address is not None and any(address in network for network in self.networks)
        ):
            return False
        return not self.ports or any(low <= port <= high for low, high in self.ports)


def clusterChoice(config: TcpProxyConfig) -> ClusterChoice:
    """Return what chooses: ``cluster`` for all, or else the first of ``routes`` that matches.

    :raises ValueError: when a network or a range of ports is malformed.
    """
    if config.cluster:
        return _always(config.cluster)
    routes = [
        (
            route.cluster,
            Matcher.fromConfig(route.source_addrs, route.source_port),
            Matcher.fromConfig(route.destination_addrs, route.destination_port),
        )
        for route in config.routes
    ]

    def choose(connection: IConnection) -> str:
        source, destination = endpoint(connection.peer), endpoint(connection.local)
        for cluster, from_, to in routes:
            if from_.admits(source) and to.admits(destination):
                return cluster
        return ""

    return choose


def _always(cluster: str) -> ClusterChoice:
    return lambda connection: cluster
