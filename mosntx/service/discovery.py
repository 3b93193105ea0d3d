"""What discoveries are made with: name servers on a reactor, one resolver for each choice."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger
from twisted.names.client import Resolver
from twisted.names.hosts import Resolver as HostsResolver
from twisted.names.resolve import ResolverChain

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.net.listener import Listener
from mosntx.net.timers import TimerWheel
from mosntx.service.catalog import Catalog
from mosntx.upstream.discovery.context import DiscoveryContext, DiscoveryStats, Nameservers
from mosntx.upstream.discovery.discoveries import Discoveries
from mosntx.upstream.discovery.resolvconf import ResolverSettings, resolverSettings

if TYPE_CHECKING:
    from mosntx.service.wiring import Context

log = Logger()

#: Seconds for which no connection is accepted at start, so that the first requests find hosts that
#: are being looked for; name servers that do not answer must not keep the sidecar from serving.
FIRST_ANSWER_SECONDS = 5.0

#: Choices of name servers that are remembered; more come only by thousands of run-time changes.
MAX_RESOLVERS = 256


def discoveries(context: Context, catalog: Catalog) -> Discoveries:
    """Return the discoveries of all clusters, not started."""

    def made(stats: DiscoveryStats) -> DiscoveryContext:
        return DiscoveryContext(
            context.wheel, context.random, context.nameservers, context.names, stats
        )

    store = context.store
    return Discoveries(catalog.discoveries, made, store.register, store.unregister)


def nameserversOn(reactor: Any) -> Callable[[ClusterConfig], Nameservers]:
    """Return what makes the name servers of a cluster; clusters that ask the same ones share them.

    :param reactor: provides ``IReactorUDP``, ``IReactorTCP`` and ``IReactorTime``.
    """
    made: dict[ResolverSettings, Nameservers] = {}

    def nameservers(config: ClusterConfig) -> Nameservers:
        settings = resolverSettings(config)
        if settings not in made:
            if len(made) >= MAX_RESOLVERS:
                made.clear()
            made[settings] = _nameservers(settings, reactor)
        return made[settings]

    return nameservers


def holdUntilSettled(found: Discoveries, listeners: Iterable[Listener], wheel: TimerWheel) -> None:
    """Hold the listeners until clusters have found their first hosts, or have failed to.

    They are bound already, so that a port that cannot be had ends the start.
    """
    settled = found.settled()
    if settled.called:
        return
    held = list(listeners)
    for listener in held:
        listener.hold()
    timer = wheel.schedule(FIRST_ANSWER_SECONDS, settled.cancel)

    def resume(late: object) -> None:
        timer.cancel()
        if late is not None:
            seconds = FIRST_ANSWER_SECONDS
            log.warn("no answer about some hosts within {seconds:g} s: serving", seconds=seconds)
        for listener in held:
            listener.resume()

    settled.addBoth(resume)


def _nameservers(settings: ResolverSettings, reactor: Any) -> Nameservers:
    timeouts = (settings.timeout,) * settings.attempts
    resolver: Any = Resolver(servers=list(settings.servers), timeout=timeouts, reactor=reactor)
    if settings.system:
        hosts = HostsResolver(ttl=0)
        resolver = ResolverChain([hosts, resolver])
    return Nameservers(resolver, timeouts, settings.search, settings.ndots)
