"""What balancers are made with (see `IBalancerSettings`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from random import Random

from attrs import Factory, frozen
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import LbConfig
from mosntx.contracts.upstream import IBalancerSettings, IHost, ILoadBalancer
from mosntx.stats.structs import ClusterStats
from mosntx.upstream.balancers.panic import PanicState

_DEFAULTS = LbConfig()


def atOnce(steps: Iterator[None]) -> None:
    """Do a job to its end before anything else."""
    deque(steps, maxlen=0)


def noHostAt(address: str) -> IHost:
    """Refuse to make hosts.

    :raises LookupError: always.
    """
    raise LookupError(f"no host is made for {address}")


@implementer(IBalancerSettings)
@frozen(kw_only=True)
class BalancerSettings:
    """See `IBalancerSettings`."""

    random: Random
    seconds: Callable[[], float]
    config: ClusterConfig = Factory(lambda: ClusterConfig(name=""))
    stats: ClusterStats = Factory(lambda self: ClusterStats(self.config.name), takes_self=True)
    before: ILoadBalancer | None = None
    scope: str = ""
    hostAt: Callable[[str], IHost] = noHostAt
    work: Callable[[Iterator[None]], object] = atOnce
    panic: PanicState = Factory(lambda self: PanicState(self.stats), takes_self=True)

    @property
    def lbConfig(self) -> LbConfig:
        """See `IBalancerSettings`."""
        return self.config.lbconfig or _DEFAULTS
