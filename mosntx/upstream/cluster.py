"""A cluster: hosts and the balancer over them, swapped together (spec/upstream.md 1, 2 and 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from zope.interface import implementer

from mosntx.config.schema import Cluster as ClusterConfig
from mosntx.config.schema import Host as HostConfig
from mosntx.contracts.upstream import ICluster, IHost, ILoadBalancer, ILoadBalancerFactory
from mosntx.stats.structs import ClusterStats
from mosntx.upstream.hosts import AddressTable, Host, PoolFactory
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
        "_factory",
        "_leaving",
        "_poolFactory",
        "_random",
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
        addresses: AddressTable,
        hosts: Iterable[HostConfig] | None = None,
        watch: Callable[[Cluster], object] | None = None,
    ) -> None:
        """Make it with its first hosts.

        :param hosts: instead of the configuration's.
        :param watch: called with this cluster after each change, the first hosts included.
        """
        self.config = config
        self.drained = False
        self._watch = watch
        self.name = config.name
        self.outlier: Any = None  # IOutlierDetector
        self.type = config.type
        self.stats = ClusterStats(config.name)
        self.limits = Limits()
        self._factory = balancer
        self._poolFactory = poolFactory
        self._random = random
        self._addresses = addresses
        #: Deferreds of pools that still close.
        self._leaving: dict[Deferred[None], None] = {}
        self._limit(config)
        self.hosts: tuple[Host, ...] = ()
        self.loadBalancer: ILoadBalancer | Any = None
        self.update(config.hosts if hosts is None else hosts)

    def update(self, hosts: Iterable[HostConfig]) -> None:
        """Replace the hosts. Of those with one address the first counts.

        Addresses that stay keep their stats, health and pools; pools of those that leave drain.
        """
        before = {host.address: host for host in self.hosts}
        after: dict[str, Host] = {}
        for config in hosts:
            if config.address not in after:
                after[config.address] = self._host(config, before.get(config.address))
        self._balance(tuple(after.values()))
        for host in before.values():
            now = after.get(host.address)
            if now is host:
                continue
            self._addresses.detach(host)
            if now is None:
                self.stats.hostLeft(host.address)
            if now is None or not now.sharesPools(host):
                self._close(host.drain())
        self._changed()

    def configure(self, config: ClusterConfig, balancer: ILoadBalancerFactory) -> None:
        """Take other settings, keep hosts and counts; ``config.hosts`` is not looked at."""
        renew = _poolSettings(config) != _poolSettings(self.config)
        self.config = config
        self.type = config.type
        self._factory = balancer
        self._limit(config)
        self._balance(self.hosts)
        if renew:
            for host in self.hosts:
                self._close(host.renewPools())
        self._changed()

    def drain(self) -> Deferred[None]:
        """Give all hosts up. The Deferred fires with ``None`` when the last connection has gone."""
        self.drained = True
        self.update(())
        done: Deferred[Any] = DeferredList(list(self._leaving))
        return done.addCallback(lambda _: None)

    def _balance(self, hosts: tuple[Host, ...]) -> None:
        """Swap hosts and balancer."""
        factory, random = self._factory, self._random

        def make(some: Sequence[IHost], part: Criteria) -> ILoadBalancer:
            return factory.build(some, random)

        before = self.loadBalancer
        balancer = balance(self.config.lb_subset_config, hosts, make, self.stats, before)
        self.hosts, self.loadBalancer = hosts, balancer

    def _host(self, config: HostConfig, before: Host | None) -> Host:
        if before is not None and before.config == config:
            return before
        if before is not None:
            host = before.successor(config)
        else:
            stats = self.stats.hostStats(config.address)
            host = Host(config, self, stats, self._poolFactory)
        self._addresses.attach(host)
        return host

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
