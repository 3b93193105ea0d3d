"""What a Sidecar says about itself: admin API, Prometheus sinks, local registry API, loop lag."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from attrs import evolve
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.web.server import Site

from mosntx import __version__
from mosntx.admin.clusters import ClusterView
from mosntx.admin.registry.site import registrySite
from mosntx.admin.server import adminSite, prometheusSite
from mosntx.admin.view import AdminView
from mosntx.config.dump import dumpCluster, dumpGlobal, dumpListener, dumpObject, dumpRouter
from mosntx.net.looplag import LoopLag
from mosntx.net.ports import BindFailed
from mosntx.service.explain import Question, explain
from mosntx.service.failures import failureStats
from mosntx.service.registry import LocalRegistry
from mosntx.service.updates import ClusterUpdates
from mosntx.stats.computed import ComputedStats
from mosntx.stats.loop import LoopStats
from mosntx.stats.prometheus import Exposition, PrometheusOptions

if TYPE_CHECKING:
    from mosntx.service.sidecar import Sidecar
    from mosntx.service.wiring import Context

log = Logger()

#: MOSN's feature gates (spec/admin-observability.md 1.1). None of what they switch is built.
FEATURE_GATES = {
    "MultiTenantMode": False,
    "PayLoadLimitEnable": False,
    "XdsMtlsEnable": False,
    "auto_config": False,
}

#: Where MOSN's prometheus sink listens.
SINK_INTERFACE = "0.0.0.0"


class Observation:
    """Makes the sites; `listen` binds them and begins to look at the lag of the event loop."""

    def __init__(self, sidecar: Sidecar, context: Context) -> None:
        self._config = sidecar.loaded.config
        self._store = context.store
        self._exposition = Exposition(self._store.samples, self._store.histograms)
        self._store.register(context.logs.stats())
        self._loopLag = LoopLag(context.clock, context.seconds, LoopStats())
        self._store.register(self._loopLag.stats)
        if context.recorder is not None:
            self._store.register(failureStats(context.recorder))
        if self._config.metrics.flush_mosn:
            self._store.register(metaStats(sidecar, self._config))
        self._view = AdminView(
            version=__version__,
            pid=os.getpid(),
            state=lambda: sidecar.state,
            samples=self._store.samples,
            metrics=self._exposition.render,
            histograms=self._store.histograms,
            configDump=lambda: effectiveConfig(sidecar),
            logLevels=context.logs.levels,
            setLogLevel=context.logs.setLevel,
            setLogEnabled=context.logs.setEnabled,
            explain=lambda listener, *request: explain(sidecar, listener, Question(*request)),
            failures=sidecar.failures,
            features=lambda: FEATURE_GATES,
            environment=lambda: os.environ,
            clusters=clusterView(sidecar.clusterUpdates),
        )

        self._registry = self._localRegistry(sidecar, context)

    def _localRegistry(self, sidecar: Sidecar, context: Context) -> LocalRegistry | None:
        config = self._config.registry
        if config is None:
            return None
        return LocalRegistry(
            config,
            self._config.server.listeners,
            clusters=sidecar.clusters,
            routers=sidecar.routers,
            store=context.store,
            clock=context.clock,
        )

    def stop(self) -> None:
        """Answer whoever still waits and look no longer; the ports have been closed."""
        self._loopLag.stop()
        if self._registry is not None:
            self._registry.stop()

    def listen(self, reactor: Any) -> list[IListeningPort]:
        """Bind all ports.

        :raises BindFailed: when one cannot be had; those bound before are closed again.
        """
        ports: list[IListeningPort] = []
        try:
            for interface, number, site in self._sites(reactor):
                ports.append(_bind(reactor, interface, number, site))
        except BindFailed:
            for port in ports:
                port.stopListening()
            raise
        self._loopLag.start()
        return ports

    def _sites(self, reactor: Any) -> Iterable[tuple[str, int, Site]]:
        admin = self._config.admin
        if admin is not None:
            loopback = _warned("admin", admin.host, admin.port)
            yield admin.host, admin.port, adminSite(self._view, reactor, loopback=loopback)
        if self._registry is not None:
            config = self._registry.config
            loopback = _warned("registry", config.address, config.port_value)
            site = registrySite(self._registry.view(), reactor, loopback=loopback)
            yield config.address, config.port_value, site
        for sink in self._config.metrics.sinks:
            if sink.type == "prometheus":
                options = PrometheusOptions.fromConfig(sink.config)
                exposition = Exposition(self._store.samples, self._store.histograms, options)
                site = prometheusSite(exposition.render, options.endpoint, reactor)
                yield SINK_INTERFACE, options.port, site


def _warned(api: str, host: str, port: int) -> bool:
    """Return whether only this machine reaches an API; warn when others do."""
    loopback = isLoopback(host)
    if not loopback:
        log.warn(
            "the {api} API on {host}:{port} has no passwords and can be reached "
            "from other machines",
            api=api,
            host=host or "*",
            port=port,
        )
    return loopback


def isLoopback(host: str) -> bool:
    """Say whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def clusterView(updates: ClusterUpdates) -> ClusterView:
    """Return what the admin API may do with clusters."""
    return ClusterView(
        list=updates.list,
        update=updates.update,
        remove=updates.remove,
        updateHosts=updates.updateHosts,
        appendHosts=updates.appendHosts,
        removeHosts=updates.removeHosts,
    )


def effectiveConfig(sidecar: Sidecar) -> Mapping[str, Any]:
    """The configuration as it is now, without secrets.

    Run-time changes of clusters and routers are in it.
    """
    config = sidecar.loaded.config
    clusters = {}
    for name in sidecar.clusters.names():
        cluster = sidecar.clusters.get(name)
        if cluster is not None:
            hosts = cluster.config.hosts  # names to look up, where that is their meaning
            if cluster.type not in sidecar.catalog.discoveries:
                hosts = tuple(host.config for host in cluster.hosts)
            clusters[name] = dumpCluster(evolve(cluster.config, hosts=hosts))
    routers = {}
    for name in sidecar.routers.names():
        router = sidecar.routers.get(name).config
        if router is not None:
            routers[name] = dumpRouter(router)
    return {
        "mosn_config": dumpGlobal(config),
        "listener": {
            listener.name or listener.address: dumpListener(listener)
            for listener in config.server.listeners
        },
        "cluster": clusters,
        "routers": routers,
        "extends": [dumpObject(extend) for extend in config.extends],
    }


def metaStats(sidecar: Sidecar, config: Any) -> ComputedStats:
    """MOSN's ``meta`` metrics (spec/admin-observability.md 3.3)."""
    listeners = [listener.address for listener in config.server.listeners]

    def read() -> Iterable[tuple[str, str, float]]:
        yield f"version:{__version__}", "gauge", 1
        for address in listeners:
            yield f"listener_address:{address}", "gauge", 1
        yield "mosn_state_code", "gauge", sidecar.state

    return ComputedStats("meta", (("mosn", "info"),), read)


def _bind(reactor: Any, interface: str, number: int, site: Site) -> IListeningPort:
    listen: Callable[..., IListeningPort] = reactor.listenTCP
    try:
        return listen(number, site, interface=interface)
    except CannotListenError as error:
        reason = getattr(error.socketError, "strerror", None) or str(error.socketError)
        raise BindFailed(f"{interface}:{number}", reason) from error
