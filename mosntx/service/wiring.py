"""Configuration to objects, in two phases.

Make all, then connect; each is verified against its contract, and only here.

Run-time updates use the same builders (``Wiring.router``, `Wiring.clusters`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from random import Random
from typing import Any
from uuid import UUID

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import Cooperator
from twisted.logger import Logger
from zope.interface import implementer
from zope.interface.exceptions import Invalid
from zope.interface.verify import verifyObject

from mosntx.config.problems import ERROR, ConfigError, Problem
from mosntx.config.schema import AccessLog as AccessLogConfig
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import (
    Config,
    FilterSpec,
    ListenerFilterSpec,
    ProxyConfig,
    RouterConfig,
    TcpProxyConfig,
)
from mosntx.config.schema import Listener as ListenerConfig
from mosntx.contracts.codec import IProtocol
from mosntx.contracts.filters import IBackground, IFilterContext, IStreamFilter
from mosntx.contracts.net import (
    IBytesReceiver,
    IConnection,
    IConnectionEventHandler,
    IConnector,
    IListenerEventHandler,
    IListenerFilter,
    INetworkFilterFactory,
)
from mosntx.contracts.stream import IStreamEventHandler
from mosntx.net.listener import Listener, ListenerOptions
from mosntx.net.names import NameCache
from mosntx.net.timers import TimerWheel
from mosntx.proxy.accesslog import AccessLog
from mosntx.proxy.chain import FilterChain, FilterEntry
from mosntx.proxy.events import StreamEventHandlers
from mosntx.proxy.forwarding import buildForwarding
from mosntx.proxy.logsink import LogSink
from mosntx.proxy.proxy import Proxy
from mosntx.proxy.recorder import FlightRecorder
from mosntx.proxy.tcp import TcpProxy
from mosntx.proxy.tcproutes import clusterChoice
from mosntx.proxy.variables import VariableTable
from mosntx.router.compiler import compileRouter
from mosntx.router.errors import RouterConfigError
from mosntx.router.policies import requestTimeouts
from mosntx.router.tables import Routers
from mosntx.router.variables import Variables
from mosntx.router.virtualhosts import Router
from mosntx.service.catalog import Catalog
from mosntx.service.conversions import conversionProblems
from mosntx.service.discovery import discoveries
from mosntx.service.health import healthChecks, heartbeatAnswer
from mosntx.service.logs import Logs
from mosntx.service.pools import Pools
from mosntx.service.protocols import clientKeepalive
from mosntx.service.routefilters import checkFilterConfigs
from mosntx.stats.store import StatsStore
from mosntx.stats.structs import DownstreamStats
from mosntx.stream.framed.turn import WriteTurn
from mosntx.upstream.cluster import Cluster
from mosntx.upstream.clusters import Clusters
from mosntx.upstream.discovery.context import Nameservers
from mosntx.upstream.ejections import Ejections
from mosntx.upstream.health.checks import Callback
from mosntx.upstream.hosts import AddressTable
from mosntx.upstream.outlier import OutlierDetections

log = Logger()


@frozen
class EventHandlers:
    """Event handlers that a user of `Sidecar` has given."""

    listener: tuple[IListenerEventHandler, ...] = ()
    connection: tuple[IConnectionEventHandler, ...] = ()
    stream: tuple[IStreamEventHandler, ...] = ()
    health: Mapping[str, Callback] = field(factory=dict)


@implementer(IFilterContext)
@define(eq=False)
class Context:
    """What everything is made with instead of globals; provides `IFilterContext`.

    :ivar accessSink: ``(path, listener name)`` -> where an access log goes.
    :ivar connector: makes a connector whose connections are closed when idle for so many seconds;
        0.0 = never.
    :ivar names: where its connections look names up.
    :ivar nameservers: whom a cluster asks for its hosts.
    """

    clock: Any
    seconds: Callable[[], float]
    wallSeconds: Callable[[], float]
    random: Random
    wheel: TimerWheel
    connector: Callable[[float], IConnector]
    store: StatsStore
    logs: Logs
    recorder: FlightRecorder | None
    accessSink: Callable[[str, str], LogSink]
    names: NameCache
    nameservers: Callable[[ClusterConfig], Nameservers]
    ids: Any = field(factory=lambda: count(1))
    clusters: Clusters = field(init=False)
    ejections: Ejections = field(init=False)


def expect(interface: Any, thing: Any, path: str) -> Any:
    """Return ``thing`` when it keeps the contract.

    :raises ConfigError: when it does not, naming the place of the configuration that asked for it.
    """
    try:
        verifyObject(interface, thing)
    except Invalid as error:
        raise _wrong(path, f"{type(thing).__name__} breaks its contract: {error}") from error
    return thing


class Wiring:
    """Makes the objects of one Sidecar.

    :ivar listeners: in configuration order; not started.
    :ivar discoveries: find hosts; to be started before listeners, and ended with `background`.
    :ivar background: what works besides, filters too; not started.
    """

    def __init__(
        self, config: Config, catalog: Catalog, context: Context, handlers: EventHandlers
    ) -> None:
        """:raises ConfigError: with everything that cannot be made."""
        self._catalog = catalog
        self._context = context
        self._handlers = handlers
        self._variables = VariableTable(context.seconds, context.wallSeconds)
        self._problems: list[Problem] = []
        self._turn = WriteTurn()
        addresses = AddressTable()
        self._health = healthChecks(context, catalog.protocols, addresses, handlers.health)
        context.ejections = Ejections(addresses)
        self._outliers = OutlierDetections(context.ejections, context.wheel)
        self.discoveries = discoveries(context, catalog)
        self.background: list[IBackground] = [self.discoveries, self._health, self._outliers]
        self._counted: set[Cluster] = set()
        self._jobs = Cooperator(scheduler=lambda step: context.clock.callLater(0, step))
        self.clusters = context.clusters = self._makeClusters(addresses)
        expect(IFilterContext, context, "")
        self.routers = Routers(self._compile)
        for cluster in config.cluster_manager.clusters:
            self._addCluster(cluster)
        for router in config.server.routers:
            self._try(router.path, self.routers.update, router)
        self.listeners = [
            listener
            for listenerConfig in config.server.listeners
            if (listener := self._try(listenerConfig.path, self._listener, listenerConfig))
        ]
        self._problems.extend(conversionProblems(config, catalog))
        if self._problems:
            raise ConfigError(self._problems)

    # clusters

    def _makeClusters(self, addresses: AddressTable) -> Clusters:
        catalog, context = self._catalog, self._context
        return Clusters(
            balancers=catalog.balancers,
            poolFactory=Pools(catalog.protocols, context.connector, context.wheel, self._turn),
            random=context.random,
            seconds=context.seconds,
            work=self._work,
            addresses=addresses,
            watch=self._clusterChanged,
            discovered={name: row.usesHosts for name, row in catalog.discoveries.items()},
        )

    def _addCluster(self, config: ClusterConfig) -> None:
        self._try(config.path, self._context.clusters.update, config)

    def _work(self, steps: Iterator[None]) -> None:
        """Do a job in slices, between other events."""
        self._jobs.cooperate(steps).whenDone().addErrback(
            lambda failure: log.failure("a load balancer cannot be built", failure)
        )

    def _clusterChanged(self, cluster: Cluster) -> None:
        """Count and check clusters that come, also at run time; no longer those that have gone."""
        store = self._context.store
        if cluster.drained:
            if cluster in self._counted:
                self._counted.remove(cluster)
                store.unregister(cluster.stats)
        elif cluster not in self._counted:
            self._counted.add(cluster)
            cluster.limits.budget.start(self._context.seconds())
            store.register(cluster.stats)
        self._health.changed(cluster)
        self._outliers.changed(cluster)
        self.discoveries.changed(cluster)

    # routers

    def _compile(self, config: RouterConfig) -> Router:
        checkFilterConfigs(config, self._catalog.streamFilters, self._context)
        variables = Variables(resolve=self._variables.resolve, known=self._variables.known)
        return compileRouter(config, random=self._context.random, variables=variables)

    # listeners

    def _listener(self, config: ListenerConfig) -> Listener:
        context = self._context
        name = config.name or config.address
        options = ListenerOptions(
            network=config.network,
            bindPort=config.bind_port,
            sharedPort=config.reuseport,
            maxConnections=config.max_connections,
            idleTimeout=config.idleTimeout or 0.0,
            bufferLimit=config.per_connection_buffer_limit_bytes,
        )
        proxied = any(spec.type == "proxy" for spec in config.filters)
        stats = DownstreamStats(name, joinsGlobal=proxied)
        listenerFilters = [
            listenerFilter
            for spec in config.listener_filters
            if (listenerFilter := self._try(spec.path, self._listenerFilter, spec))
        ]
        factories = [
            factory
            for spec in config.filters
            if (factory := self._try(spec.path, self._networkFilter, spec, config, stats))
        ]
        listener = Listener(
            name,
            config.address,
            context.clock,
            context.wheel,
            context.ids,
            factories,
            options=options,
            listenerFilters=listenerFilters,
            eventHandlers=self._handlers.listener,
            connectionHandlers=self._handlers.connection,
        )
        context.store.register(stats)
        stats.readBytes = lambda: (listener.bytesRead, listener.bytesWritten, listener.refused)
        return listener

    def _listenerFilter(self, spec: ListenerFilterSpec) -> IListenerFilter:
        made = self._catalog.listenerFilters[spec.type].build(spec.config, self._context)
        return expect(IListenerFilter, made, spec.path)  # type: ignore[no-any-return]

    def _networkFilter(
        self, spec: FilterSpec, listener: ListenerConfig, stats: DownstreamStats
    ) -> INetworkFilterFactory:
        if spec.type == "proxy":
            return self._proxy(spec.config, listener, stats)
        if spec.type == "tcp_proxy":
            ahead = listener.filters[: listener.filters.index(spec)]
            waits = any(each.type == "proxy" for each in ahead)
            return self._tcpProxy(spec.config, listener.name or listener.address, waits)
        factory = self._catalog.networkFilters[spec.type].build(spec.config, self._context)
        return expect(INetworkFilterFactory, factory, spec.path)  # type: ignore[no-any-return]

    def _proxy(
        self, config: ProxyConfig, listener: ListenerConfig, stats: DownstreamStats
    ) -> Proxy:
        protocols = self._protocols(config, stats)
        context = self._context
        name = listener.name or listener.address
        router = self.routers.get(config.router_config_name)
        chain = FilterChain(self._entries(listener.stream_filters))
        return Proxy(
            name=name,
            type=listener.type,
            protocols=protocols,
            detect=len(config.protocols) != 1 or config.protocols[0] == "Auto",
            router=router,
            clusters=context.clusters,
            stats=stats,
            wheel=context.wheel,
            turn=self._turn,
            keepalive=clientKeepalive(config, context.wheel),
            timeouts=requestTimeouts,
            chain=chain,
            heartbeats=heartbeatAnswer(chain, router),
            upstreamProtocol=config.upstreamProtocol,
            conversions=self._catalog.conversions,
            goAway=config.bolt.enable_bolt_goaway,
            handlers=StreamEventHandlers(self._handlers.stream),
            accessLogs=self._accessLogs(listener, name),
            forwarding=buildForwarding(config, self._newId),
            idleTimeout=config.stream_idle_timeout,
            detectTimeout=config.detect_timeout,
            fallback=config.fallback_for_unknown_protocol,
            recorder=context.recorder,
            reasonHeader=config.reason_header,
            random=context.random.random,
        )

    def _protocols(self, config: ProxyConfig, stats: DownstreamStats) -> list[IProtocol]:
        """Return the protocols of a listener; what they count is published with it."""
        spoken = tuple(self._catalog.protocols) if "Auto" in config.protocols else config.protocols
        protocols = [
            expect(IProtocol, self._catalog.protocols[one](config), config.path) for one in spoken
        ]
        for protocol in protocols:
            if hasattr(protocol, "counters"):
                stats.protocols.add(protocol.counters)
        return protocols

    def _accessLogs(self, listener: ListenerConfig, name: str) -> list[AccessLog]:
        return [
            accessLog
            for log in listener.access_logs
            if (accessLog := self._try(log.path, self._accessLog, log, name))
        ]

    def _accessLog(self, config: AccessLogConfig, listener: str) -> AccessLog:
        sink = self._context.accessSink(config.log_path, listener)
        return AccessLog(config.log_format, self._variables, sink)

    def _tcpProxy(self, config: TcpProxyConfig, listener: str, waits: bool) -> TcpProxy:
        connector = self._context.connector(config.idle_timeout or 0.0)

        def connect(host: Any, receiver: IBytesReceiver) -> Deferred[IConnection]:
            timeout: float = host.cluster.config.connect_timeout
            connecting: Deferred[IConnection] = connector.connect(host.address, timeout, receiver)
            return connecting

        return TcpProxy(listener, clusterChoice(config), self._context.clusters, connect, waits)

    def _entries(self, specs: Iterable[FilterSpec]) -> Iterable[FilterEntry]:
        for spec in specs:
            factory = self._catalog.streamFilters[spec.type]
            built = self._try(spec.path, factory.build, spec.config, self._context)
            if built is not None:
                kept = expect(IStreamFilter, built, spec.path)
                if IBackground.providedBy(kept):
                    self.background.append(expect(IBackground, kept, spec.path))
                yield FilterEntry(spec.type, kept, spec.fail_open)

    def _newId(self) -> bytes:
        return str(UUID(int=self._context.random.getrandbits(128), version=4)).encode()

    def _try(self, path: str, make: Callable[..., Any], *args: Any) -> Any:
        """Call ``make``; what it cannot make is reported with the others at the end."""
        try:
            return make(*args)
        except ConfigError as error:
            self._problems.extend(error.problems)
        except RouterConfigError as error:
            self._problems.extend(
                Problem(ERROR, "", 0, 0, where, message) for where, message in error.problems
            )
        except ValueError as error:
            self._problems.extend(_wrong(path, str(error)).problems)
        return None


def _wrong(path: str, message: str) -> ConfigError:
    return ConfigError([Problem(ERROR, "", 0, 0, path, message)])
