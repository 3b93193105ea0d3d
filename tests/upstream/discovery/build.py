"""A discovery with everything around it, for the tests of this folder."""

from __future__ import annotations

from random import Random
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, LogLevel, formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.net.names import NameCache
from mosntx.net.timers import TimerWheel
from mosntx.testing.names import MemoryResolver
from mosntx.upstream.discovery.context import DiscoveryContext, DiscoveryStats


def at(*addresses: str, **more: Any) -> tuple[HostConfig, ...]:
    """Return hosts with these addresses."""
    return tuple(HostConfig(address=address, **more) for address in addresses)


class DiscoveryCase(SynchronousTestCase):
    """Virtual time, name servers in memory, and what a discovery has said.

    :ivar sets: the sets of hosts so far.
    :ivar settled: how often it has said that the first answers are there.
    """

    def setUp(self) -> None:
        self.clock = MemoryReactorClock()
        self.resolver = MemoryResolver()
        wheel = TimerWheel(self.clock, self.clock.seconds)
        self.wheel = wheel
        self.stats = DiscoveryStats("c")
        self.names = NameCache(self.clock, wheel)
        self.context = DiscoveryContext(
            wheel, Random(1), self.resolver.nameservers, self.names, self.stats
        )
        self.sets: list[tuple[HostConfig, ...]] = []
        self.settled = 0
        self.events: list[LogEvent] = []
        observer: Any = self.events.append
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def config(self, *hosts: HostConfig, **more: Any) -> ClusterConfig:
        """Return a cluster."""
        return ClusterConfig(name="c", hosts=hosts, **more)

    def begin(self, discovery: Any) -> Any:
        """Start a discovery."""
        discovery.start(lambda hosts: self.sets.append(tuple(hosts)), self._settle)
        return discovery

    def advance(self, seconds: float) -> None:
        """Let time pass, with all that happens meanwhile."""
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)

    def lines(self, *levels: LogLevel) -> list[str]:
        """Return what mosntx has logged at these levels."""
        return [
            formatEvent(event)
            for event in self.events
            if str(event["log_namespace"]).startswith("mosntx") and event["log_level"] in levels
        ]

    def addresses(self) -> list[str]:
        """Return the addresses of the newest set."""
        return [host.address for host in self.sets[-1]]

    def _settle(self) -> None:
        self.settled += 1
