"""What balancers by hash have in common: tables that take time to make.

A table is made in small steps between other events (`IBalancerSettings.work`). Until it is there,
the table of the balancer before goes on to be used, with hosts that have left passed over; where
there is none, the first request waits until the table is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
)
from mosntx.upstream.balancers.scan import Positions, healthyFrom


@implementer(ILoadBalancer)
class Consistent(ABC):
    """See `ILoadBalancer`. Equal keys go to the same host as long as it is healthy."""

    __slots__ = ("_abandoned", "_before", "_count", "_hosts", "_positions", "_ready", "_steps")

    def __init__(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> None:
        """Take the hosts, and give the building of the table to be done."""
        self._hosts = tuple(hosts)
        self._count = len(self._hosts)
        self._positions = Positions(self._hosts)
        self._ready = self._abandoned = False
        before = settings.before
        self._before: Consistent | None = None
        if isinstance(before, Consistent):
            last = before.giveUp()
            self._before = last if type(last) is type(self) else None
        self._steps = self._build(settings)
        if self._count:
            settings.work(self._job())

    @abstractmethod
    def _build(self, settings: IBalancerSettings) -> Iterator[None]:
        """Make the table in small steps; there is at least one host."""

    @abstractmethod
    def _place(self, key: int) -> int:
        """Return the number of the host of a key; the table is there."""

    @abstractmethod
    def _otherwise(self, key: int, index: int) -> IHost | None:
        """Return the host for a key when its own, number ``index``, is not to be used."""

    def _unhashed(self) -> IHost | None:
        """Return the host of a request that has no key."""
        return None

    def giveUp(self) -> Consistent | None:
        """Make no table any more; return the last balancer that has one."""
        if self._ready:
            return self
        self._abandoned = True
        return self._before

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`."""
        count = self._count
        if not count:
            return None
        key = None if context is None else context.hashKey()
        if context is None or key is None:
            return self._unhashed()
        if self._ready or (self._before is None and self._finish()):
            index = self._place(key)
        else:
            index = self._placeBefore(key)
        if context.attempts and context.host is not None:
            last = self._positions.of(context.host)
            return self._otherwise(key, index if last < 0 else last)
        host = self._hosts[index]
        return host if host.healthy else self._otherwise(key, index)

    def _job(self) -> Iterator[None]:
        for _ in self._steps:
            yield
            if self._abandoned:
                return
        self._finish()

    def _finish(self) -> bool:
        """Make what is missing of the table; true, since it is there then."""
        if not self._ready:
            for _ in self._steps:
                pass
            self._ready = True
            self._before = None
        return True

    def _placeBefore(self, key: int) -> int:
        """Return the number of the host that the balancer before has for a key, or one beside."""
        before = self._before
        assert before is not None
        index = before._place(key)
        now = self._positions.of(before._hosts[index])
        return now if now >= 0 else index % self._count

    def _next(self, index: int) -> IHost | None:
        """Return the next healthy host of the list."""
        return healthyFrom(self._hosts, index + 1)
