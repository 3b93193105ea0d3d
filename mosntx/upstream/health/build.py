"""From ``health_check`` to a probe (spec/upstream.md 8)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from attrs import frozen
from twisted.logger import Logger

from mosntx.config.schema import HealthCheck, HttpCheck
from mosntx.contracts.codec import IProtocol
from mosntx.contracts.net import IConnector
from mosntx.protocol.errors import EncodeError
from mosntx.upstream.health.http1 import Http1Probe
from mosntx.upstream.health.probe import IProbe
from mosntx.upstream.health.rpc import RpcProbe
from mosntx.upstream.health.session import Schedule
from mosntx.upstream.health.tcp import TcpProbe

log = Logger()

HTTP: Final = "Http1"
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
        http = _httpCheck(config)
        if http is not None:
            try:
                return Http1Probe(http, address, self.connector, self.protocols(HTTP))
            except (ValueError, EncodeError) as error:
                log.error(
                    "{path}: {host} is not checked: {error}",
                    path=config.path,
                    host=address,
                    error=error,
                    alert="health check",
                )
                return None
        if config.protocol in HEARTBEATS and config.protocol in self.known:
            return RpcProbe(self.connector, self.protocols(config.protocol).clientCodec)
        return TcpProbe(self.connector)

    def explain(self, config: HealthCheck) -> None:
        """Say once per cluster what a configuration asks for and does not get."""
        check = config.check_config.http_check_config
        if config.protocol == HTTP and check is None:
            why = "there is no check_config.http_check_config"
        elif config.protocol == HTTP and _httpCheck(config) is None:
            why = "the scheme of http_check_config is not http"
        elif config.protocol in HEARTBEATS and config.protocol not in self.known:
            why = f"{config.protocol} is not known"
        else:
            if check is not None and _httpCheck(config) is check and not check.port:
                log.warn("{path}: each host is asked at its own port", path=config.path)
            return
        log.error("{path}: the check only connects: {why}", path=config.path, why=why)


def _httpCheck(config: HealthCheck) -> HttpCheck | None:
    """The HTTP check to make, ``None`` for another kind."""
    check = config.check_config.http_check_config
    if config.protocol != HTTP or check is None or check.scheme not in ("", "http"):
        return None
    return check
