"""The local registry: what an application publishes and subscribes, as clusters and addresses.

There is no central registry behind it. Who offers a service is said by the configuration, by
run-time changes of clusters and routers, and by the application itself: `publish` makes a cluster
of the service's name with the application as its host, so that a route can lead there; `subscribe`
answers with the address of the sidecar's own egress listener, once it knows the service.

Source: wire/registry.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import attrs
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from mosntx.admin.registry.view import Application, Publication, RegistryError, RegistryView
from mosntx.config.address import parseAddress
from mosntx.config.patterns import Pattern
from mosntx.config.problems import ERROR, ConfigError, Problem
from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import HeaderMatch, Listener, Match, ProxyConfig, VirtualHost
from mosntx.config.schema import Host as HostConfig
from mosntx.config.schema.top import Registry as RegistryConfig
from mosntx.contracts.stats import IStatsScope
from mosntx.router.tables import Routers
from mosntx.stats.store import StatsStore
from mosntx.upstream.clusters import Clusters

log = Logger()

#: Services that may be published, and as many subscribed, at a time.
MAX_SERVICES: Final = 4096
#: Questions that may wait for a service to become known.
MAX_WAITING: Final = 256
#: Seconds such a question waits (MOSN: WaitReceivedDataTimeout).
SUBSCRIBE_SECONDS: Final = 3.0
#: Seconds between two looks for services that came by other ways than `publish`.
LOOK_SECONDS: Final = 0.25
#: Matches any service in MOSN's rule for RPC.
ANY: Final = ".*"
APPLICATION_HOST: Final = "127.0.0.1"

#: How a published service has its cluster.
_MADE = 0  # by us: it goes when the service does
_FILLED = 1  # it stood in the configuration without hosts: these go
_FOUND = 2  # it stood there with just this host: nothing was changed


@attrs.define(eq=False)
class _Published:
    """One published service."""

    wanted: Publication
    address: str
    how: int
    stats: IStatsScope | None = None


@attrs.define(eq=False)
class _Waiting:
    """One question that cannot be answered yet."""

    service: str
    looks: int
    answer: Deferred[Sequence[str]]
    timer: IDelayedCall | None = None


class LocalRegistry:
    """The registry of one Sidecar.

    :ivar config: the block ``registry``.
    """

    def __init__(
        self,
        config: RegistryConfig,
        listeners: Sequence[Listener],
        *,
        clusters: Clusters,
        routers: Routers,
        store: StatsStore,
        clock: IReactorTime,
    ) -> None:
        """:raises ConfigError: when ``egress`` is no address that can be connected to."""
        self.config = config
        self._clusters = clusters
        self._routers = routers
        self._store = store
        self._clock = clock
        self._egressRouters = _egressRouters(config, listeners)
        self._application: Application | None = None
        self._published: dict[str, _Published] = {}
        self._subscribed: set[str] = set()
        self._waiting: dict[_Waiting, None] = {}

    def view(self) -> RegistryView:
        """Return what the HTTP API may see and do."""
        return RegistryView(
            application=lambda: self._application,
            start=self.start,
            publish=self.publish,
            unpublish=self.unpublish,
            subscribe=self.subscribe,
            unsubscribe=self._subscribed.discard,
            services=self.services,
        )

    def start(self, application: Application) -> None:
        """Forget what was published and subscribed, and begin for this application (MOSN).

        The same announcement again changes nothing: anthunder sends it with every client and
        listener that it makes, and one must not take away what another has published.
        """
        if application == self._application:
            return
        for service in list(self._published):
            self.unpublish(service)
        self._subscribed.clear()
        self._application = application
        log.info("registry: the application is {name}", name=application.appName)

    def stop(self) -> None:
        """Let nobody wait any longer."""
        for waiting in list(self._waiting):
            self._end(waiting)
            waiting.answer.errback(RegistryError("The sidecar is shutting down."))

    # publish

    def publish(self, wanted: Publication) -> None:
        """Give the cluster of this name the application as its only host.

        :raises RegistryError: when there is such a cluster with other hosts, or there are too many
            services.
        """
        service = wanted.service
        address = f"{APPLICATION_HOST}:{wanted.port or self.config.app_port}"
        before = self._published.get(service)
        if before is None and len(self._published) >= MAX_SERVICES:
            raise RegistryError(f"There are {MAX_SERVICES} published services already.")
        how = self._hold(service, address, before)
        published = _Published(wanted, address, how)
        if how == _MADE:
            published.stats = self._publishStats(service, before)
        self._published[service] = published
        log.info("registry: {service} is at {address}", service=service, address=address)
        for waiting in list(self._waiting):
            if waiting.service == service:
                self._look(waiting)

    def _hold(self, service: str, address: str, before: _Published | None) -> int:
        """See to it that the cluster has this host; say how."""
        cluster = self._clusters.get(service)
        host = HostConfig(address=address)
        if cluster is None:
            self._clusters.update(ClusterConfig(name=service, hosts=(host,)))
            return _MADE
        how = _FOUND if before is None else before.how
        if how == _FOUND:
            if any(each.address == address for each in cluster.hosts):
                return _FOUND
            if cluster.hosts:
                raise RegistryError(
                    f"Cluster {service} has hosts of its own in the sidecar's configuration."
                )
            how = _FILLED
        self._clusters.updateHosts(service, (host,))
        return how

    def _publishStats(self, service: str, before: _Published | None) -> IStatsScope | None:
        cluster: Any = self._clusters.get(service)
        stats: IStatsScope = cluster.stats
        if before is not None and before.stats is not None and before.stats is not stats:
            self._store.unregister(before.stats)
        self._store.register(stats)
        return stats

    def unpublish(self, service: str) -> None:
        """Undo `publish`; ignored when it is not published."""
        published = self._published.pop(service, None)
        if published is None:
            return
        if published.stats is not None:
            self._store.unregister(published.stats)
        if self._clusters.get(service) is not None:
            if published.how == _MADE:
                self._clusters.remove(service)
            elif published.how == _FILLED:
                self._clusters.updateHosts(service, ())
        log.info("registry: {service} is published no more", service=service)

    # subscribe

    def subscribe(self, service: str) -> Deferred[Sequence[str]]:
        """Ask where calls of a service are to be sent.

        :returns: fires with the address of our egress, at the latest after `SUBSCRIBE_SECONDS`;
            fails with `RegistryError` when the service has not become known by then. Can be
            cancelled.
        """
        if service not in self._subscribed and len(self._subscribed) >= MAX_SERVICES:
            return fail(RegistryError(f"There are {MAX_SERVICES} subscribed services already."))
        if self.knows(service):
            self._subscribed.add(service)
            return succeed([self._data(service, self.config.egress)])
        if len(self._waiting) >= MAX_WAITING:
            return fail(RegistryError(f"{MAX_WAITING} subscriptions wait already."))
        answer: Deferred[Sequence[str]] = Deferred(lambda _: self._end(waiting))
        waiting = _Waiting(service, round(SUBSCRIBE_SECONDS / LOOK_SECONDS), answer)
        self._waiting[waiting] = None
        waiting.timer = self._clock.callLater(LOOK_SECONDS, self._look, waiting)
        return answer

    def _look(self, waiting: _Waiting) -> None:
        """Look whether the service has become known; give up after the last time."""
        service = waiting.service
        waiting.looks -= 1
        if self.knows(service):
            self._end(waiting)
            self.subscribe(service).chainDeferred(waiting.answer)
        elif waiting.looks <= 0:
            self._end(waiting)
            waiting.answer.errback(
                RegistryError(
                    f"Wait confreg server push data timeout. data id = {service}, "
                    f"timeout = {SUBSCRIBE_SECONDS:g}s"
                )
            )
        else:
            waiting.timer = self._clock.callLater(LOOK_SECONDS, self._look, waiting)

    def _end(self, waiting: _Waiting) -> None:
        self._waiting.pop(waiting, None)
        if waiting.timer is not None and waiting.timer.active():
            waiting.timer.cancel()

    def knows(self, service: str) -> bool:
        """Say whether a call of this service could be routed.

        It can when it is published here, when a cluster has its name, or when a route of our egress
        is for it.
        """
        if service in self._published or self._clusters.get(service) is not None:
            return True
        names = self._egressRouters
        for name in self._routers.names() if names is None else names:
            slot = self._routers.get(name)
            if slot.router is not None and slot.config is not None:
                hosts: Sequence[VirtualHost] = slot.config.virtual_hosts
                if any(_isFor(route.match, service) for host in hosts for route in host.routers):
                    return True
        return False

    # what is known

    def services(self) -> Mapping[str, Mapping[str, Sequence[str]]]:
        """Return the addresses of all services: service -> zone -> addresses.

        Those of the application for what it has published, our egress for what it has subscribed.
        """
        zone = self._application.zone if self._application is not None else ""
        found = {
            service: {zone: [self._data(service, self.config.egress)]}
            for service in self._subscribed
        }
        for service, published in self._published.items():
            found[service] = {zone: [self._data(service, published.address)]}
        return dict(sorted(found.items()))

    def _data(self, service: str, address: str) -> str:
        """An address as the registry gives it.

        Never with ``_SERIALIZETYPE``: clients after anthunder 0.8.1 cannot read it there.
        """
        published = self._published.get(service)
        wanted = published.wanted if published is not None else Publication(service=service)
        own = self._application.appName if self._application is not None else ""
        application = quote(wanted.appName or own, safe="")
        protocol = quote(wanted.protocol or "1", safe="")
        version = quote(wanted.version or "4.0", safe="")
        return f"{address}?p={protocol}&v={version}&app_name={application}"


def _egressRouters(config: RegistryConfig, listeners: Sequence[Listener]) -> tuple[str, ...] | None:
    """The routers of the listener at our egress address; ``None`` when none of ours is there.

    :raises ConfigError: see `LocalRegistry`.
    """
    try:
        egress = parseAddress(config.egress)
        if not egress.host or not egress.port:
            raise ValueError("nothing can be connected to there")
    except ValueError as error:
        where = f"{config.path or 'registry'}.egress"
        message = f"address {config.egress!r}: {error}"
        raise ConfigError([Problem(ERROR, "", 0, 0, where, message)]) from None
    for listener in listeners:
        at = parseAddress(listener.address, listener.network)
        if at.network == "tcp" and at.port == egress.port:
            specs = [spec.config for spec in listener.filters]
            return tuple(spec.router_config_name for spec in specs if isinstance(spec, ProxyConfig))
    return None


def _isFor(match: Match, service: str) -> bool:
    """Say whether a rule may match calls of a service, whatever else it asks of them."""
    if match.kind != "headers":
        return False
    headers = match.headers
    alone = len(headers) == 1
    return all(header.name != "service" or _fits(header, service, alone) for header in headers)


def _fits(header: HeaderMatch, service: str, alone: bool) -> bool:
    """:param alone: a single ``service`` is never a pattern, but for `ANY`."""
    if alone or not header.regex:
        return header.value == service or (alone and header.value == ANY)
    return Pattern(header.value).search(service.encode("utf-8"))
