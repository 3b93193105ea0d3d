"""Walking over hosts once, from one of them on."""

from __future__ import annotations

from collections.abc import Sequence

from mosntx.contracts.upstream import IHost


def healthyFrom(hosts: Sequence[IHost], start: int) -> IHost | None:
    """Return the first healthy host, walking round once.

    :param start: number of the host to begin with; may be beyond the last one by one.
    """
    count = len(hosts)
    for index in range(start, count):
        host = hosts[index]
        if host.healthy:
            return host
    for index in range(min(start, count)):
        host = hosts[index]
        if host.healthy:
            return host
    return None


class Positions:
    """Where hosts stand in a list; made when first asked, since few requests ask."""

    __slots__ = ("_hosts", "_index")

    def __init__(self, hosts: Sequence[IHost]) -> None:
        self._hosts = hosts
        self._index: dict[str, int] | None = None

    def of(self, host: IHost) -> int:
        """Return the number of the host at this address, -1 when there is none."""
        index = self._index
        if index is None:
            index = {one.address: number for number, one in enumerate(self._hosts)}
            self._index = index
        return index.get(host.address, -1)
