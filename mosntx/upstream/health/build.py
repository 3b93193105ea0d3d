"""From ``health_check`` to a probe (spec/upstream.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from mosntx.config.schema import GrpcCheck, HealthCheck, HttpCheck
from mosntx.contracts.codec import IProtocol
from mosntx.contracts.net import IConnector
from mosntx.protocol.errors import EncodeError
from mosntx.upstream.health.grpc import GrpcProbe
from mosntx.upstream.health.http import HttpProbe
from mosntx.upstream.health.probe import IProbe
from mosntx.upstream.health.rpc import RpcProbe
from mosntx.upstream.health.session import Schedule
from mosntx.upstream.health.tcp import TcpProbe

log = Logger()

#: ``protocol`` that asks by HTTP, when there are settings for it. MOSN knows ``Http1``.
HTTP1: Final = "Http1"
HTTP2: Final = "Http2"
#: ``protocol`` that asks by heartbeats. MOSN only connects for these, too, since 0.3; its older
#: name ``SofaRpc`` still means that.
HEARTBEATS: Final = frozenset(("bolt", "boltv2", "tr"))


def scheduleOf(config: HealthCheck) -> Schedule:
    """Return when hosts are asked."""
    timeout = config.timeout
    http = _httpCheck(config)
    if http is not None:
        timeout = min(timeout, http.timeout)
    return Schedule(
        initialDelay=config.initial_delay_seconds,
        interval=config.interval,
        jitter=config.interval_jitter,
        timeout=timeout,
        healthyThreshold=config.healthy_threshold,
        unhealthyThreshold=config.unhealthy_threshold,
    )


@frozen
class Probes:
    """Makes probes.

    :ivar connector: how to reach hosts.
    :ivar protocols: returns a protocol by name.
    :ivar known: the names that ``protocols`` knows.
    """

    connector: IConnector
    protocols: Callable[[str], IProtocol]
    known: Collection[str]

    def build(self, config: HealthCheck, address: str) -> IProbe | None:
        """Return a probe for one host; ``None`` when it cannot be asked and counts as healthy."""
        try:
            return self._build(config, address)
        except (ValueError, EncodeError) as error:
            log.error(
                "{path}: {host} is not checked: {error}",
                path=config.path,
                host=address,
                error=error,
                alert="health check",
            )
            return None

    def _build(self, config: HealthCheck, address: str) -> IProbe:
        name = config.protocol
        if name not in self.known:
            return TcpProbe(self.connector)
        grpc, http = _grpcCheck(config), _httpCheck(config)
        if grpc is not None:
            timeout = config.timeout
            return GrpcProbe(grpc, address, timeout, self.connector, self.protocols(name))
        if http is not None:
            return HttpProbe(http, address, self.connector, self.protocols(name))
        if name in HEARTBEATS:
            return RpcProbe(self.connector, self.protocols(name).clientCodec)
        return TcpProbe(self.connector)

    def explain(self, config: HealthCheck) -> None:
        """Say once per cluster what a configuration asks for and does not get."""
        name, check = config.protocol, config.check_config.http_check_config
        http, grpc = _httpCheck(config), _grpcCheck(config)
        if name == HTTP1 and check is None:
            why = "there is no check_config.http_check_config"
        elif check is not None and name in (HTTP1, HTTP2) and http is None and grpc is None:
            why = "the scheme of http_check_config is not http"
        elif (http or grpc or name in HEARTBEATS) and name not in self.known:
            why = f"{name} is not known"
        else:
            if http is not None and http.port <= 0:
                log.warn("{path}: each host is asked at its own port", path=config.path)
            return
        log.error("{path}: the check only connects: {why}", path=config.path, why=why)


def _grpcCheck(config: HealthCheck) -> GrpcCheck | None:
    """The gRPC check to make, ``None`` for another kind."""
    return config.check_config.grpc_check_config if config.protocol == HTTP2 else None


def _httpCheck(config: HealthCheck) -> HttpCheck | None:
    """The HTTP check to make, ``None`` for another kind."""
    check = config.check_config.http_check_config
    if config.protocol not in (HTTP1, HTTP2) or check is None or check.scheme not in ("", "http"):
        return None
    return check
