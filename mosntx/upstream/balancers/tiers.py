"""Preferred hosts and those that stand in for them, around any other balancer.

Hosts are sorted into tiers by priority, and within one by zone: those of the preferred zone come
first. A tier takes the share of the requests that its healthy hosts can bear, the next one what is
left (so does Envoy with priorities: docs "Load balancing: Priority levels"). Each tier has a
balancer of its own, so that what is true for the ``lb_type`` is true within a tier.

When too few of all hosts are healthy, the cluster is in panic (`PanicState`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import evolve
from zope.interface import implementer

from mosntx.contracts.upstream import (
    IBalancerSettings,
    IHealthAware,
    IHost,
    ILoadBalancer,
    ILoadBalancerContext,
    ILoadBalancerFactory,
)

#: The value of ``panic_mode`` that chooses unhealthy hosts, too.
ALL = "all"
#: Keys of 64 bits become fractions; this spreads small ones first (2^64 / the golden ratio).
_SPREAD = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF

#: Less than this is what binary fractions leave of nothing.
_ROUNDING = 1e-9

#: Priority, and whether the zone is another than the preferred one.
Key = tuple[int, bool]


class Tier:
    """Hosts that are equally welcome.

    :ivar healthy: of `total` hosts.
    :ivar upTo: requests whose number from 0 to 1 is below, and not below the one of the tier
        before, go here.
    """

    __slots__ = ("balancer", "failover", "healthy", "key", "otherZone", "total", "upTo")

    def __init__(
        self, key: Key, hosts: Sequence[IHost], balancer: ILoadBalancer, failover: bool
    ) -> None:
        """:param failover: it is not of the first priority there is."""
        self.key = key
        self.balancer = balancer
        self.failover = failover
        self.otherZone = key[1]
        self.total = len(hosts)
        self.healthy = sum(host.healthy for host in hosts)
        self.upTo = 0.0


def keyOf(host: IHost, zone: str) -> Key:
    """Return where a host belongs.

    :param zone: the preferred one, ``""`` = none.
    """
    return host.priority, bool(zone) and host.zone != zone


def divide(tiers: Sequence[Tier], factor: float) -> None:
    """Set `Tier.upTo` of all.

    :param factor: the load that a healthy host can bear, in parts of its usual one.
    """
    left = 1.0
    for tier in tiers:
        taken = min(left, tier.healthy / tier.total * factor)
        left = left - taken if left - taken > _ROUNDING else 0.0
        tier.upTo = 1.0 - left
    whole = 1.0 - left
    if left and whole:  # together they cannot bear all: each gets more
        for tier in tiers:
            tier.upTo /= whole


@implementer(IHealthAware)
class Tiers:
    """See `ILoadBalancer`."""

    __slots__ = (
        "_all",
        "_factor",
        "_hashes",
        "_healthy",
        "_hosts",
        "_next",
        "_only",
        "_panics",
        "_settings",
        "_stats",
        "_threshold",
        "_tiers",
        "_zone",
    )

    def __init__(
        self,
        hosts: Sequence[IHost],
        tiers: Sequence[Tier],
        settings: IBalancerSettings,
        hashes: bool,
    ) -> None:
        """Take the tiers, best first.

        :param hashes: requests of one key should go to one tier.
        """
        lb = settings.lbConfig
        self._settings = settings
        self._stats = settings.stats
        self._hosts = tuple(hosts)
        self._tiers = {tier.key: tier for tier in tiers}
        self._healthy = sum(tier.healthy for tier in tiers)
        self._hashes = hashes
        self._next = settings.random.random
        self._zone: str = lb.zone
        self._factor = max(lb.overprovisioning_factor, 100) / 100
        self._threshold: float = lb.panic_threshold
        self._all = lb.panic_mode == ALL
        self._panics = False
        #: The tier that takes all requests; None when there are several, or none can.
        self._only: Tier | None = None
        self._divide()

    def chooseHost(self, context: ILoadBalancerContext | None) -> IHost | None:
        """See `ILoadBalancer.chooseHost`; in panic it may choose an unhealthy host, or none."""
        if self._panics:
            return self._panic(context)
        tier = self._only or self._pick(context)
        if tier is None:
            return None
        host: IHost | None = tier.balancer.chooseHost(context)
        if host is not None:
            if tier.failover:
                self._stats.lb_failover += 1
            if tier.otherZone:
                self._stats.lb_other_zone += 1
        return host

    def healthChanged(self, host: IHost) -> None:
        """See `IHealthAware.healthChanged`."""
        tier = self._tiers.get(keyOf(host, self._zone))
        if tier is None:
            return
        change = 1 if host.healthy else -1
        tier.healthy += change
        self._healthy += change
        if IHealthAware.providedBy(tier.balancer):
            tier.balancer.healthChanged(host)
        self._divide()

    def balancerOf(self, key: Key) -> ILoadBalancer | None:
        """Return the balancer of a tier, ``None`` when there is none."""
        tier = self._tiers.get(key)
        return None if tier is None else tier.balancer

    def _divide(self) -> None:
        tiers = list(self._tiers.values())
        divide(tiers, self._factor)
        able = [tier for tier in tiers if tier.healthy]
        self._only = next((tier for tier in able if tier.upTo >= 1.0), None)
        if self._only is not None and self._only is not able[0]:
            self._only = None
        if self._threshold or self._stats.lb_panic:
            self._judge()

    def _judge(self) -> None:
        """Say whether there is panic."""
        percent = 100.0 * self._healthy / len(self._hosts)
        self._panics = percent < self._threshold
        self._settings.panic.set(
            self._settings.scope,
            self._panics,
            f"{self._healthy} of {len(self._hosts)} hosts are healthy and the threshold is "
            f"{self._threshold:g} %" + (self._consequence() if self._panics else ""),
        )

    def _consequence(self) -> str:
        if self._all:
            return ": requests go to all hosts, healthy or not"
        return ": requests are refused"

    def _panic(self, context: ILoadBalancerContext | None) -> IHost | None:
        self._stats.lb_panic_requests += 1
        if not self._all:
            return None
        hosts = self._hosts
        return hosts[int(self._fraction(context) * len(hosts))]

    def _pick(self, context: ILoadBalancerContext | None) -> Tier | None:
        """Return the tier of one request, ``None`` when no host is healthy."""
        if not self._healthy:
            return None
        number = self._fraction(context)
        for tier in self._tiers.values():
            if number < tier.upTo:
                return tier
        return None

    def _fraction(self, context: ILoadBalancerContext | None) -> float:
        """Return a number from 0 to 1, the same for the same key when that matters."""
        if self._hashes and context is not None and not context.attempts:
            key = context.hashKey()
            if key is not None:
                # The divisor is a little larger, so that the float stays below 1.
                return float((key * _SPREAD & _MASK) / (_MASK + 2048))
        return float(self._next())


@implementer(ILoadBalancerFactory)
class Tiered:
    """See `ILoadBalancerFactory`: puts `Tiers` around what another factory makes, when needed."""

    def __init__(self, factory: ILoadBalancerFactory) -> None:
        self._factory = factory
        self.name: str = factory.name
        self.hashes = bool(getattr(factory, "hashes", False))

    def build(self, hosts: Sequence[IHost], settings: IBalancerSettings) -> ILoadBalancer:
        """See `ILoadBalancerFactory.build`."""
        lb = settings.lbConfig
        wanted = bool(lb.zone or lb.panic_threshold) or any(host.priority for host in hosts)
        if not (wanted and hosts):
            return self._build(hosts, settings, keyOf(hosts[0], "") if hosts else (0, False))
        groups: dict[Key, list[IHost]] = {}
        for host in hosts:
            groups.setdefault(keyOf(host, lb.zone), []).append(host)
        first = min(groups)[0]
        tiers = [
            Tier(key, some, self._build(some, settings, key), key[0] != first)
            for key, some in sorted(groups.items())
        ]
        return Tiers(hosts, tiers, settings, self.hashes)

    def _build(self, hosts: Sequence[IHost], settings: Any, key: Key) -> ILoadBalancer:
        """Make the balancer of a tier, which replaces the one of the same tier before."""
        before = settings.before
        if isinstance(before, Tiers):
            settings = evolve(settings, before=before.balancerOf(key))
        return self._factory.build(hosts, settings)
