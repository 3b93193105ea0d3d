"""Network filters: what one starts from, and the chain of a connection (MOSN filtermanager.go)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.logger import Logger
from zope.interface import implementer

from mosntx.contracts.net import CONTINUE, STOP, INetworkFilter

log = Logger()

#: No filter: nobody stopped, or no hook is running.
NOBODY = -1


@implementer(INetworkFilter)
class NetworkFilter:
    """A filter that does nothing. Override only what you need: a hook that is not costs nothing."""

    __slots__ = ()

    def newConnection(self) -> int:
        """See `INetworkFilter.newConnection`."""
        return CONTINUE

    def bytesReceived(self, buffer: bytearray) -> int:
        """See `INetworkFilter.bytesReceived`."""
        return CONTINUE

    def bytesWritten(self, data: bytes) -> bytes | None:
        """See `INetworkFilter.bytesWritten`."""
        return data

    def connectionClosed(self, event: int) -> None:
        """See `INetworkFilter.connectionClosed`."""


def hook(networkFilter: INetworkFilter, name: str) -> Any:
    """Return the filter's hook as a bound method, ``None`` when it is the one that does nothing.

    A filter that is not made from `NetworkFilter` counts as overriding all of them.
    """
    method = getattr(networkFilter, name)
    inherited = getattr(NetworkFilter, name)
    return None if getattr(method, "__func__", None) is inherited else method


class FilterChain:
    """The filters of one connection, and the octets that they have not consumed.

    A round shows the buffer to one filter after the other until one stops. When all have continued,
    what is left belongs to the connection's receiver; without one, nobody wants it.

    :ivar buffer: received and not consumed.
    :ivar writers: the overridden ``bytesWritten`` hooks in configuration order.
    """

    __slots__ = (
        "_begun",
        "_continued",
        "_end",
        "_filters",
        "_gate",
        "_readers",
        "_running",
        "_stopped",
        "buffer",
        "writers",
    )

    def __init__(self, filters: Sequence[INetworkFilter]) -> None:
        self._filters = filters
        self._readers: list[Callable[[bytearray], int] | None] = [
            hook(each, "bytesReceived") for each in filters
        ]
        self.writers: list[Callable[[bytes], bytes | None]] = [
            method for each in filters if (method := hook(each, "bytesWritten")) is not None
        ]
        self.buffer = bytearray()
        self._end = len(filters)  # where a round ends
        self._begun = 0  # filters that have seen newConnection
        self._gate = NOBODY  # stopped in newConnection: no round goes beyond
        self._stopped = NOBODY  # where `resume` goes on
        self._running = NOBODY
        self._continued = False

    @property
    def begun(self) -> Sequence[INetworkFilter]:
        """The filters that know of the connection."""
        return self._filters[: self._begun]

    def run(self) -> bool:
        """Begin a round.

        :returns: all filters continued.
        """
        return self._round(0)

    def resume(self) -> bool:
        """Go on with the filter after the one that stopped.

        Called from within a hook, it turns the `STOP` that the hook returns into a `CONTINUE`.

        :returns: all filters continued.
        """
        if self._running != NOBODY:
            self._continued = True
            return False
        if self._stopped == NOBODY:
            return False
        start = self._stopped + 1
        self._stopped = self._gate = NOBODY
        return self._round(start)

    def handOver(self) -> bool:
        """End rounds in front of the filter that has given the connection away.

        It is the one that runs now, or else the last that knows of the connection.

        :returns: a filter in front of it looks at octets.
        """
        self._end = max(self._begun - 1, 0) if self._running == NOBODY else self._running
        self.buffer.clear()
        self._stopped = self._gate = NOBODY
        return any(self._readers[: self._end])

    def stop(self) -> None:
        """The connection ends: no filter sees octets any more."""
        self._end = 0
        self._stopped = NOBODY
        self.buffer.clear()

    def _round(self, start: int) -> bool:
        """Show the buffer to the filters from ``start`` on."""
        index = start
        while index < self._end:
            if not self._visit(index):
                return False
            index += 1
        return True

    def _visit(self, index: int) -> bool:
        """Show one filter the connection, if it is new to it, and the buffer.

        :returns: the next filter may see them too.
        """
        if index >= self._begun:
            self._begun = index + 1
            if not self._went(index, self._filters[index].newConnection):
                self._gate = self._stopped
                return False
        reader = self._readers[index]
        if reader is not None and self.buffer and not self._went(index, reader, self.buffer):
            return False
        return index != self._gate

    def _went(self, index: int, method: Callable[..., int], *octets: bytearray) -> bool:
        """Call a hook.

        :returns: it continued, and has not given the connection away.
        """
        self._running = index
        self._continued = False
        try:
            verdict = method(*octets)
        finally:
            self._running = NOBODY
        if index >= self._end:
            return False
        if verdict == STOP and not self._continued:
            self._stopped = index
            return False
        return True
