"""The one table of names: what may stand in a configuration, and who makes it.

A new protocol, filter or balancer is one new file or folder and one line here. Users add theirs
with `Catalog.extended`, or by an entry point
(`mosntx.service.plugins`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from mosntx.config.names import Names
from mosntx.contracts.filters import IStreamFilterFactory
from mosntx.contracts.net import IListenerFilterType, INetworkFilterType
from mosntx.contracts.upstream import IDiscoveryFactory, ILoadBalancerFactory
from mosntx.filters.fault import FaultFactory
from mosntx.filters.fault_tolerance import FaultToleranceFactory
from mosntx.filters.healthcheck import HealthcheckFactory
from mosntx.filters.payload_limit import PayloadLimitFactory
from mosntx.filters.rate_limit import RateLimitFactory
from mosntx.filters.transcoder import TranscoderFactory
from mosntx.net.faultinject import FaultInjectType
from mosntx.proxy.convert.base import Conversions
from mosntx.proxy.convert.bolt_http1 import BoltToHttp1
from mosntx.proxy.convert.http1_bolt import Http1ToBolt
from mosntx.proxy.convert.tr_bolt import BoltToTr, TrToBolt
from mosntx.proxy.convert.tr_http1 import Http1ToTr, TrToHttp1
from mosntx.proxy.mirror import MirrorFactory
from mosntx.service.protocols import ProtocolRow, bolt, boltv2, http1, http2, http2Engines, tr
from mosntx.upstream.balancers.leastconnection import LeastConnectionFactory
from mosntx.upstream.balancers.leastrequest import LeastRequestFactory
from mosntx.upstream.balancers.maglev import MaglevFactory
from mosntx.upstream.balancers.originaldst import OriginalDstFactory
from mosntx.upstream.balancers.peakewma import PeakEwmaFactory
from mosntx.upstream.balancers.random import RandomFactory
from mosntx.upstream.balancers.requestroundrobin import RequestRoundRobinFactory
from mosntx.upstream.balancers.ringhash import RingHashFactory
from mosntx.upstream.balancers.roundrobin import RoundRobinFactory
from mosntx.upstream.balancers.weighted import WeightedFactory
from mosntx.upstream.discovery.file import HostsFileFactory
from mosntx.upstream.discovery.logical_dns import LogicalDnsFactory
from mosntx.upstream.discovery.strict_dns import StrictDnsFactory

#: What of `mosntx.config.names.FEATURES` this build can do. The rest is accepted and reported as
#: not yet supported.
FEATURES = frozenset(
    {
        "access_log",
        "admin",
        "circuit_breakers",
        "cluster_variable",
        "connect",
        "direct_response",
        "dns",
        "dsl",
        "forwarding_headers",
        "hash_policy",
        "header_rewrite",
        "health_check",
        "host_rewrite",
        "idle_timeout",
        "keepalive",
        "lb_config",
        "log_roller",
        "metrics_matcher",
        "mirror",
        "original_dst_lb",
        "path_rewrite",
        "protocol_conversion",
        "protocol_fallback",
        "redirect",
        "retry",
        "reuseport",
        "slow_start",
        "subset",
        "tcp_routes",
        "unix",
        "variables",
        "weighted_clusters",
    }
)

#: Cluster types that are a fixed list of hosts (MOSN: SIMPLE and those it treats alike), and the
#: one without.
CLUSTER_TYPES = frozenset({"SIMPLE", "STATIC", "DYNAMIC", "EDS", "ORIGINAL_DST"})

#: Names that stand for other protocols in ``downstream_protocol``, and what separates names.
_NO_PROTOCOLS = frozenset({"", "Auto", "SofaRpc", "X", "Xprotocol"})
_SEPARATOR = ","

#: Network filters that wiring makes by itself.
OWN_NETWORK_FILTERS = ("proxy", "tcp_proxy", "connection_manager")


@frozen
class Catalog:
    """What this process can make, by configuration name.

    :ivar networkFilters: besides ``proxy`` and ``tcp_proxy``, which wiring knows by itself.
    :ivar conversions: ``(client's protocol, upstream's)`` -> what stands between; ``bolt`` is for
        ``boltv2`` too, and ``Http1`` for ``Http2``.
    """

    protocols: Mapping[str, ProtocolRow]
    networkFilters: Mapping[str, INetworkFilterType]
    streamFilters: Mapping[str, IStreamFilterFactory]
    balancers: Mapping[str, ILoadBalancerFactory]
    conversions: Conversions = field(factory=dict)
    discoveries: Mapping[str, IDiscoveryFactory] = field(factory=dict)
    listenerFilters: Mapping[str, IListenerFilterType] = field(factory=dict)

    def extended(
        self,
        *,
        listenerFilters: Iterable[IListenerFilterType] = (),
        networkFilters: Iterable[INetworkFilterType] = (),
        streamFilters: Iterable[IStreamFilterFactory] = (),
        balancers: Iterable[ILoadBalancerFactory] = (),
        discoveries: Iterable[IDiscoveryFactory] = (),
        protocols: Mapping[str, ProtocolRow] | None = None,
    ) -> Catalog:
        """Return a catalog with more rows.

        :param protocols: by name. ``Auto`` asks them before those that were there, in this order.
        :raises ValueError: when a name is taken, or means something else in a list of protocols.
        """
        return evolve(
            self,
            protocols=_moreProtocols(self.protocols, protocols or {}),
            listenerFilters=_joined("listener filter", self.listenerFilters, listenerFilters),
            networkFilters=_joined("network filter", self.networkFilters, networkFilters),
            streamFilters=_joined("stream filter", self.streamFilters, streamFilters),
            balancers=_joined("load balancer", self.balancers, balancers),
            discoveries=_joined("cluster type", self.discoveries, discoveries),
        )

    def names(self) -> Names:
        """What the configuration loader is told."""
        return Names(
            protocols=frozenset(self.protocols),
            networkFilters={
                **dict.fromkeys(OWN_NETWORK_FILTERS),
                **{name: row.configClass for name, row in self.networkFilters.items()},
            },
            listenerFilters={name: row.configClass for name, row in self.listenerFilters.items()},
            streamFilters={name: row.configClass for name, row in self.streamFilters.items()},
            balancers=frozenset(self.balancers),
            clusterTypes=CLUSTER_TYPES | frozenset(self.discoveries),
            sinks=frozenset({"prometheus"}),
            engines=http2Engines(),
            features=FEATURES,
        )


def standardCatalog() -> Catalog:
    """Return what comes with mosntx."""
    return Catalog(
        # In the order in which `Auto` asks them: by the first octet, and Http1 is the rest.
        protocols={"bolt": bolt, "boltv2": boltv2, "tr": tr, "Http2": http2, "Http1": http1},
        networkFilters=_byName(FaultInjectType()),
        streamFilters=_byName(
            FaultFactory(),
            FaultToleranceFactory(),
            HealthcheckFactory(),
            MirrorFactory(),
            PayloadLimitFactory(),
            RateLimitFactory(),
            TranscoderFactory(),
        ),
        balancers=_byName(
            LeastConnectionFactory(),
            LeastRequestFactory(),
            MaglevFactory(),
            OriginalDstFactory(),
            PeakEwmaFactory(),
            RandomFactory(),
            RequestRoundRobinFactory(),
            RingHashFactory(),
            RoundRobinFactory(),
            WeightedFactory(),
        ),
        discoveries=_byName(HostsFileFactory(), LogicalDnsFactory(), StrictDnsFactory()),
        conversions={
            ("bolt", "Http1"): BoltToHttp1,
            ("bolt", "tr"): BoltToTr,
            ("Http1", "bolt"): Http1ToBolt,
            ("Http1", "tr"): Http1ToTr,
            ("tr", "Http1"): TrToHttp1,
            ("tr", "bolt"): TrToBolt,
        },
    )


def _byName(*rows: Any) -> dict[str, Any]:
    return {row.name: row for row in rows}


def _moreProtocols(
    rows: Mapping[str, ProtocolRow], more: Mapping[str, ProtocolRow]
) -> dict[str, ProtocolRow]:
    """New ones first: of those that there are, Http1 takes what nobody else claims."""
    for name in more:
        if name in rows:
            raise ValueError(f"the protocol {name!r} exists already")
        if name in _NO_PROTOCOLS or _SEPARATOR in name or name != name.strip():
            raise ValueError(f"{name!r} cannot be the name of a protocol")
    return {**more, **rows}


def _joined(kind: str, rows: Mapping[str, Any], more: Iterable[Any]) -> dict[str, Any]:
    joined = dict(rows)
    own = {"network filter": OWN_NETWORK_FILTERS, "cluster type": CLUSTER_TYPES}
    taken = {*rows, *own.get(kind, ())}
    for row in more:
        if row.name in taken:
            raise ValueError(f"the {kind} {row.name!r} exists already")
        taken.add(row.name)
        joined[row.name] = row
    return joined
