"""A cluster: hosts and the balancer over them, swapped together (spec/upstream.md 1, 2 and 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred, DeferredList
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import (
    ICluster,
    IHealthAware,
    IHost,
    ILoadBalancer,
    ILoadBalancerFactory,
)
from mosntx.stats.structs import ClusterStats
from mosntx.upstream.balancers.settings import BalancerSettings, atOnce
from mosntx.upstream.balancers.tiers import Tiered
from mosntx.upstream.bulk import uncollected
from mosntx.upstream.elsewhere import HostsElsewhere
from mosntx.upstream.hosts import ALWAYS, AddressTable, Host, PoolFactory
from mosntx.upstream.limits import Limits
from mosntx.upstream.subset import Criteria, balance


def _poolSettings(config: ClusterConfig) -> tuple[Any, ...]:
    """Everything that pools are made from: when it changes, they are made anew."""
    return (
        config.tls_context,
        config.cluster_manager_tls,
        config.connect_timeout,
        config.idle_timeout,
        config.pending_timeout,
        config.max_requests_per_connection,
        config.keepalive,
        config.protocol_options,
        config.mark,
        config.circuitBreaker.max_connections,
        config.circuitBreaker.max_pending_requests,
    )


@implementer(ICluster)
class Cluster:
    """See `ICluster`.

    The object stays the same as long as the cluster has its name, so counts and pools outlive
    changes of the configuration; `hosts` is a new tuple after each update.

    :ivar drained: it has been given up.
    """

    __slots__ = (
        "_addresses",
        "_elsewhere",
        "_factory",
        "_healthChanged",
        "_leaving",
        "_poolFactory",
        "_settings",
        "_watch",
        "config",
        "drained",
        "hosts",
        "limits",
        "loadBalancer",
        "name",
        "outlier",
        "stats",
        "type",
    )

    def __init__(
        self,
        config: ClusterConfig,
        *,
        balancer: ILoadBalancerFactory,
        poolFactory: PoolFactory,
        random: Random,
        seconds: Callable[[], float],
        addresses: AddressTable,
        hosts: Iterable[HostConfig] | None = None,
        watch: Callable[[Cluster], object] | None = None,
        work: Callable[[Iterator[None]], object] = atOnce,
    ) -> None:
        """Make it with its first hosts.

        :param hosts: instead of the configuration's.
        :param work: see `IBalancerSettings.work`.
        :param watch: called with this cluster after each change, the first hosts included.
        """
        self.config, self.drained = config, False
        self.name, self.type = config.name, config.type
        self.stats = stats = ClusterStats(config.name)
        self.outlier: Any = None  # IOutlierDetector
        self.limits = Limits()
        self._factory: ILoadBalancerFactory = Tiered(balancer)
        self._poolFactory, self._watch = poolFactory, watch
        self._elsewhere = elsewhere = HostsElsewhere(self._newHost, self._gone)
        at = elsewhere.get
        self._settings = BalancerSettings(
            random=random, seconds=seconds, config=config, stats=stats, work=work, hostAt=at
        )
        self._healthChanged: Callable[[IHost], None] | None = None
        self._addresses = addresses
        #: Deferreds of pools that still close.
        self._leaving: dict[Deferred[None], None] = {}
        self._limit(config)
        self.hosts: tuple[Host, ...] = ()
        stats.readMembers = self._members
        self.loadBalancer: ILoadBalancer | Any = None
        self.update(config.hosts if hosts is None else hosts)

    def update(self, hosts: Iterable[HostConfig]) -> None:
        """Replace the hosts. Of those with one address the first counts.

        Addresses that stay keep their stats, health and pools; pools of those that leave drain.
        """
        configs = tuple(hosts)
        with uncollected(max(len(configs), len(self.hosts))):
            self._update(configs)
        self._changed()

    def _update(self, configs: Iterable[HostConfig]) -> None:
        before = {host.address: host for host in self.hosts}
        after: dict[str, Host] = {}
        since = self._settings.seconds() if before else ALWAYS
        for config in configs:
            address = config.address
            if address not in after:
                known = before.get(address)
                if known is not None and (known.config is config or known.config == config):
                    after[address] = known
                else:
                    after[address] = self._host(config, known, since)
        chosen = tuple(after.values())
        if chosen != self.hosts or self.loadBalancer is None:
            self._balance(chosen)
        for host in before.values():
            now = after.get(host.address)
            if now is host:
                continue
            self._addresses.detach(host)
            if now is None:
                self.stats.hostLeft(host.address)
            if now is None or not now.sharesPools(host):
                self._close(host.drain())

    def configure(self, config: ClusterConfig, balancer: ILoadBalancerFactory) -> None:
        """Take other settings, keep hosts and counts; ``config.hosts`` is not looked at."""
        renew = _poolSettings(config) != _poolSettings(self.config)
        if config.lb_type != self.config.lb_type:
            self._forgetLatency()
        self.config = config
        self.type = config.type
        self._factory = Tiered(balancer)
        self._settings = evolve(self._settings, config=config)
        self._limit(config)
        self._balance(self.hosts)
        if renew:
            for host in self.hosts:
                self._close(host.renewPools())
        self._changed()

    def drain(self) -> Deferred[None]:
        """Give all hosts up. The Deferred fires with ``None`` when the last connection has gone."""
        self.drained = True
        self._elsewhere.clear()
        self.update(())
        done: Deferred[Any] = DeferredList(list(self._leaving))
        return done.addCallback(lambda _: None)

    def healthChanged(self, host: Host) -> None:
        """A host has become healthy, or is so no longer; called by the host."""
        if host.healthy:
            host.healthySince = self._settings.seconds()
        if self._healthChanged is not None:
            self._healthChanged(host)

    def _balance(self, hosts: tuple[Host, ...]) -> None:
        """Swap hosts and balancer."""
        factory, settings = self._factory, self._settings

        def make(
            some: Sequence[IHost], part: Criteria, before: ILoadBalancer | None
        ) -> ILoadBalancer:
            scope = ",".join(f"{key}={value}" for key, value in part)
            return factory.build(some, evolve(settings, before=before, scope=scope))

        settings.panic.renew()
        subsets = self.config.lb_subset_config
        balancer = balance(subsets, hosts, make, self.stats, self.loadBalancer)
        settings.panic.settle()
        aware: Any = balancer if IHealthAware.providedBy(balancer) else None
        self._healthChanged = None if aware is None else aware.healthChanged
        self.hosts, self.loadBalancer = hosts, balancer

    def _forgetLatency(self) -> None:
        """The next balancer may not want to know how hosts answer; one that does says so."""
        self.stats.latency = None
        for host in self.hosts:
            host.stats.latency = None

    def _members(self) -> tuple[int, int]:
        return len(self.hosts), sum(host.healthy for host in self.hosts)

    def _host(self, config: HostConfig, before: Host | None, since: float) -> Host:
        if before is not None:
            host = before.successor(config)
        else:
            host = self._newHost(config)
            host.healthySince = since
        self._addresses.attach(host)
        return host

    def _newHost(self, config: HostConfig) -> Host:
        stats = self.stats.hostStats(config.address)
        return Host(config, self, stats, self._poolFactory)

    def _gone(self, host: Host) -> None:
        """A host has left for good."""
        self.stats.hostLeft(host.address)
        self._close(host.drain())

    def _changed(self) -> None:
        if self._watch is not None:
            self._watch(self)

    def _limit(self, config: ClusterConfig) -> None:
        breaker = config.circuitBreaker
        self.limits.configure(
            breaker.max_connections,
            breaker.max_pending_requests,
            breaker.max_requests,
            breaker.max_retries,
        )
        self.limits.adapt(config.adaptive_concurrency, self.stats)
        budget = self.limits.budget
        budget.share = breaker.retry_budget.percent / 100
        budget.least = breaker.retry_budget.min_per_second

    def _close(self, pools: list[Deferred[None]]) -> None:
        for closing in pools:
            if not closing.called:
                self._leaving[closing] = None
                closing.addBoth(self._closed, closing)

    def _closed(self, result: Any, closing: Deferred[None]) -> Any:
        self._leaving.pop(closing, None)
        return result

    def __repr__(self) -> str:
        return f"<Cluster {self.name} of {len(self.hosts)} hosts>"
