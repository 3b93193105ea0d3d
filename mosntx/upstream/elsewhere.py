"""Hosts of a cluster that are in no list: balancers learn their addresses from requests."""

from __future__ import annotations

from collections.abc import Callable

from mosntx.config.schema import Host as HostConfig
from mosntx.upstream.hosts import Host

#: Addresses that are remembered at a time. Each has pools and statistics, and clients name them:
#: without a limit they could fill the memory.
MAX_HOSTS = 1024


class HostsElsewhere:
    """The hosts that were used last.

    :param make: makes a host.
    :param gone: told of a host that is given up; requests on it come to their end.
    """

    __slots__ = ("_gone", "_hosts", "_make")

    def __init__(self, make: Callable[[HostConfig], Host], gone: Callable[[Host], object]) -> None:
        self._make = make
        self._gone = gone
        self._hosts: dict[str, Host] = {}

    def __len__(self) -> int:
        return len(self._hosts)

    def get(self, address: str) -> Host:
        """Return the host at an address. Others may have to make room for a new one."""
        hosts = self._hosts
        host = hosts.pop(address, None)
        if host is None:
            if len(hosts) >= MAX_HOSTS:
                self._gone(hosts.pop(next(iter(hosts))))
            host = self._make(HostConfig(address=address))
        hosts[address] = host  # last: the first one is the one that was not used for longest
        return host

    def clear(self) -> None:
        """Give all up."""
        hosts, self._hosts = self._hosts, {}
        for host in hosts.values():
            self._gone(host)
