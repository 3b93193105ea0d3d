"""How hosts are found to be well or not (MOSN pkg/config/v2/health.go)."""

from __future__ import annotations

from typing import Annotated, ClassVar

import attrs

from mosntx.config.schema.base import (
    IGNORED,
    Bounds,
    Duration,
    Located,
    Port,
    Uint32,
    internal,
    option,
)


@attrs.frozen(kw_only=True)
class CodeRange(Located):
    """Statuses from `start` to `end`, both included."""

    start: int = option("The first status.")
    end: int = option("The last status.")


@attrs.frozen(kw_only=True)
class HttpCheck:
    """The request of an HTTP health check."""

    port: Annotated[int, Bounds(-1, 65535)] = option(
        "Port to ask; 0 and -1 = the host's.", default=0, absent="the host's"
    )
    timeout: Duration = option("Time for one check.", default=30.0, zero=30.0)
    path: str = option("Path with query.", default="")
    method: str = option("Method.", default="GET")
    scheme: str = option("Scheme.", default="http")
    domain: str = option("The `Host` header.", default="")
    codes: tuple[CodeRange, ...] = option("Statuses of a healthy host.", default=(), absent="200")


@attrs.frozen(kw_only=True)
class GrpcCheck:
    """The call of a gRPC health check (``grpc.health.v1.Health/Check``). mosntx only."""

    service_name: str = option("Service to ask about.", default="", absent="the whole server")
    authority: str = option("The `:authority` of the call.", default="", absent="the host")
    port: Port = option("Port to ask.", default=0, absent="the host's")


@attrs.frozen(kw_only=True)
class CheckConfig:
    """Settings by kind of health check."""

    http_check_config: HttpCheck | None = option("For `Http1` and `Http2`.", default=None)
    grpc_check_config: GrpcCheck | None = option("For `Http2`: ask by gRPC.", default=None)

    CASE_SENSITIVE: ClassVar[bool] = True
    OPEN: ClassVar[bool] = True


@attrs.frozen(kw_only=True)
class HealthCheck(Located):
    """Asking hosts whether they are well."""

    service_name: str = option(
        "Switches the check on, and names it in statistics.", default="", absent="no health check"
    )
    protocol: str = option(
        "`Http1` and `Http2` ask by HTTP with `check_config.http_check_config`, `Http2` by gRPC "
        "with `check_config.grpc_check_config`; `bolt`, `boltv2` and `tr` send heartbeats; "
        "anything else only connects. Of these MOSN has `Http1` only.",
        default="",
    )
    timeout: Duration = option("Time for one check.", default=1.0, zero=1.0)
    interval: Duration = option("Time between checks.", default=15.0, zero=15.0)
    interval_jitter: Duration = option(
        "At most this much is added at random.", default=0.005, zero=0.005
    )
    initial_delay_seconds: Duration = option(
        "Delay of the first check (a duration despite the name).", default=1.0, zero=1.0
    )
    healthy_threshold: Uint32 = option("Good checks until a host is healthy.", default=1, zero=1)
    unhealthy_threshold: Uint32 = option("Bad checks until a host is unhealthy.", default=1, zero=1)
    check_config: CheckConfig = option("What to ask.", factory=CheckConfig)
    event_log_path: str = option("File with one line per check.", default="", absent="off")
    common_callbacks: tuple[str, ...] = option(
        "Names of functions that are told of each check (`Sidecar`'s `healthCallbacks`).",
        default=(),
    )
    check_path: str = option("Path of 0.1 to 0.4.", default="", status=IGNORED)
    old_style: bool = internal(False)
    """The file is of the old style, where `protocol` switches the check on."""

    @property
    def enabled(self) -> bool:
        """Whether hosts are checked at all."""
        return bool(self.service_name or (self.old_style and self.protocol))


@attrs.frozen(kw_only=True)
class OutlierDetection(Located):
    """Leaving out hosts that answer badly. Words and most defaults are Envoy's."""

    consecutive_5xx: Uint32 = option(
        "Statuses of 500 and above, lost connections and timeouts, one after the other, that eject "
        "a host; 0 = off.",
        default=5,
    )
    interval: Duration = option("How often rates are looked at.", default=10.0, zero=10.0)
    base_ejection_time: Duration = option(
        "Length of the first ejection; the next ones are twice, three times as long.",
        default=30.0,
        zero=30.0,
    )
    max_ejection_time: Duration = option("Longest ejection.", default=300.0, zero=300.0)
    max_ejection_percent: Annotated[int, Bounds(0, 100)] = option(
        "Share of hosts that may be ejected at a time; one always may, and never the last healthy "
        "one.",
        default=10,
    )
    success_rate_minimum_hosts: Uint32 = option("Hosts needed to compare rates.", default=5)
    success_rate_request_volume: Uint32 = option(
        "Requests in an interval until the rate of a host counts.", default=100
    )
    success_rate_stdev_factor: Uint32 = option(
        "Thousandths of a standard deviation below the mean that eject a host; 0 = off.",
        default=1900,
    )
    failure_percentage_threshold: Annotated[int, Bounds(0, 100)] = option(
        "Share of failures that ejects a host; 0 = off.", default=85
    )
    failure_percentage_minimum_hosts: Uint32 = option("Hosts needed for that.", default=5)
    failure_percentage_request_volume: Uint32 = option(
        "Requests in an interval until the share of a host counts.", default=50
    )
