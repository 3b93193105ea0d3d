"""The top of a configuration file and its small blocks (MOSN pkg/config/v2/config.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from mosntx.config.schema.base import IGNORED, Located, Port, internal, option
from mosntx.config.schema.cluster import ClusterManager
from mosntx.config.schema.server import Server

PPROF_PORT = 9090
"""MOSN's port of the profiling server."""
REGISTRY_PORT = 13330
"""Where applications with anthunder look for their sidecar's registry API."""
APPLICATION_PORT = 12200
"""SOFARPC's port of applications."""


@attrs.frozen(kw_only=True)
class SocketAddress(Located):
    """An address in two keys."""

    address: str = option("IP address or name.", default="")
    port_value: Port = option("Port.", default=0)


@attrs.frozen(kw_only=True)
class AdminAddress(Located):
    """The address of the admin API."""

    socket_address: SocketAddress = option("The address.", factory=SocketAddress)


@attrs.frozen(kw_only=True)
class Admin(Located):
    """The admin API."""

    address: AdminAddress = option("Where it listens.", factory=AdminAddress)

    @property
    def host(self) -> str:
        """IP address or name it listens on; "" = all."""
        return self.address.socket_address.address

    @property
    def port(self) -> int:
        """Port it listens on; 0 = any."""
        return self.address.socket_address.port_value


@attrs.frozen(kw_only=True)
class Pprof(Located):
    """The profiling server."""

    debug: bool = option("Switches it on.", default=False)
    port_value: Port = option("Port; 0 = 9090.", default=PPROF_PORT, zero=PPROF_PORT)
    endpoint: str = option("IP address.", default="0.0.0.0")


@attrs.frozen(kw_only=True)
class Registry(Located):
    """The local registry API, by which applications publish and subscribe. mosntx only."""

    address: str = option("IP address it listens on.", default="127.0.0.1")
    port_value: Port = option(
        "Port; 0 = 13330, where anthunder looks.", default=REGISTRY_PORT, zero=REGISTRY_PORT
    )
    egress: str = option(
        "Address of the listener that takes this application's calls; the answer to `subscribe`.",
        default="127.0.0.1:12220",
    )
    app_port: Port = option(
        "Port of the application when `publish` names none; 0 = 12200.",
        default=APPLICATION_PORT,
        zero=APPLICATION_PORT,
    )


@attrs.frozen(kw_only=True)
class PrometheusSink(Located):
    """Settings of the sink `prometheus`."""

    port: Port = option("Port to serve metrics on.")
    endpoint: str = option("Path of the metrics.", default="/metrics")
    percentiles: tuple[int, ...] = option("Percentiles of histograms to show.", default=())
    disable_collect_process: bool = option("Leave out `process_*`.", default=False)
    disable_collect_go: bool = option("Leave out figures of the language runtime.", default=False)
    disable_passive_flush: bool = option("Of 0.4.1.", default=False, status=IGNORED)
    export_url: str = option("Must be empty: pushing is not supported.", default="")


@attrs.frozen(kw_only=True)
class MetricsSink(Located):
    """Where metrics go."""

    type: str = option("Kind of sink: `prometheus`.", default="")
    config: Any = option("Its settings.", factory=dict)


@attrs.frozen(kw_only=True)
class StatsMatcher(Located):
    """Metrics to leave out."""

    reject_all: bool = option("Leave out everything.", default=False)
    exclusion_labels: tuple[str, ...] = option("Names of labels.", default=())
    exclusion_keys: tuple[str, ...] = option("Names of metrics.", default=())


@attrs.frozen(kw_only=True)
class MetricsSample(Located):
    """How histograms keep samples."""

    type: str = option("`UNIFORM` or `EXP_DECAY`; anything else is `UNIFORM`.", default="UNIFORM")
    size: int = option("Samples kept.", default=100, zero=100)
    exp_decay_alpha: float = option("Speed of decay.", default=0.5)


@attrs.frozen(kw_only=True)
class MetricsEwma(Located):
    """Moving averages for load balancing."""

    alpha: float = option("Weight of a new value, between 0 and 1.", default=0.0)
    target: float = option("Value to fall to, between 0 and 1 …", default=0.0)
    duration: Any = option("… after this long.", default=None)


@attrs.frozen(kw_only=True)
class Metrics(Located):
    """Statistics."""

    sinks: Annotated[tuple[MetricsSink, ...], "sinks"] = option("Where metrics go.", default=())
    stats_matcher: StatsMatcher | None = option(
        "What to leave out.", default=None, feature="metrics_matcher"
    )
    shm_zone: str = option("Shared memory of the Go process.", default="", status=IGNORED)
    shm_size: str = option("Size of `shm_zone`.", default="", status=IGNORED)
    flush_mosn: bool = option("Show the metrics of type `meta`.", default=False)
    lazy_flush: bool = option("Do not show a metric before it first changes.", default=False)
    sample: MetricsSample | None = option("Histograms.", default=None, feature="metrics_sample")
    ewma: MetricsEwma | None = option("Moving averages.", default=None, feature="metrics_sample")

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "flush": "Of 0.4.1.",
        "flush_interval": "Of 0.4.1.",
    }


@attrs.frozen(kw_only=True)
class Tracing(Located):
    """Traces of requests."""

    enable: bool = option("Switches tracing on, together with `driver`.", default=False)
    driver: str = option(
        "`SOFATracer`, `SkyWalking`, `Zipkin`, `jaeger`, `otel`.", default="", absent="off"
    )
    config: Mapping[str, Any] = option("Settings of the driver.", factory=dict)

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {"tracer": "Of 0.4."}


@attrs.frozen(kw_only=True)
class PluginConfig(Located):
    """Sub-process plugins."""

    log_base: str = option("Directory of their logs.", default="")


@attrs.frozen(kw_only=True)
class Codec:
    """A codec from a plugin."""

    enable: bool = option("Switches it on.", default=False)
    type: str = option("`go-plugin` or `wasm`.", default="")
    path: str = option("The plugin's file.", default="")
    loader_func_name: str = option("Function that makes the codec.", default="LoadCodec")
    config: Any = option("Its settings.", default=None)


@attrs.frozen(kw_only=True)
class ThirdPartCodec(Located):
    """Codecs from plugins."""

    codecs: tuple[Codec, ...] = option("The codecs.", default=())


@attrs.frozen(kw_only=True)
class Extend(Located):
    """One extension block."""

    type: str = option("Kind of extension; an unknown one has no effect.", default="")
    config: Any = option("Its settings.", default=None)


@attrs.frozen(kw_only=True)
class Config(Located):
    """A whole configuration."""

    servers: tuple[Server, ...] = option("Exactly one server.", default=())
    cluster_manager: ClusterManager = option("Clusters.", factory=ClusterManager)
    admin: Admin | None = option(
        "The admin API.", default=None, absent="no admin API", feature="admin"
    )
    registry: Registry | None = option(
        "The local registry API for applications with anthunder. mosntx only.",
        default=None,
        absent="off",
    )
    pprof: Pprof | None = option("The profiling server.", default=None, absent="off")
    metrics: Metrics = option("Statistics.", factory=Metrics)
    tracing: Tracing | None = option("Tracing.", default=None, absent="off")
    pid: str = option(
        "File with the process id.", default="", absent="`mosn.pid` in the log directory"
    )
    uds_dir: str = option(
        "Directory of upgrade sockets.",
        default="",
        absent="the file's directory",
        feature="upgrade",
    )
    disable_upgrade: bool = option("Never take part in a hot upgrade.", default=False)
    close_graceful: bool = option("Old name of `disable_upgrade`.", default=False)
    inherit_old_mosnconfig: bool = option(
        "On a hot upgrade take the configuration of the old process.",
        default=False,
        feature="upgrade",
    )
    dynamic_resources: Any = option("What to get from an xDS server.", default=None, feature="xds")
    static_resources: Any = option("Where the xDS server is.", default=None, feature="xds")
    node: Any = option("Who we are for the xDS server.", default=None, feature="xds")
    plugin: PluginConfig | None = option("Sub-process plugins.", default=None, feature="plugin")
    third_part_codec: ThirdPartCodec | None = option(
        "Codecs from plugins.", default=None, feature="third_part_codec"
    )
    extends: tuple[Extend, ...] = option("Extension blocks.", default=(), feature="extends")
    wasm_global_plugins: Any = option("WebAssembly plugins.", default=None, feature="wasm")
    invented_server: bool = internal(False)
    """The server is not from the file (a file that has only xDS resources)."""

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "service_registry": "Gone since 0.18.",
        "stream_filters": "Only for MOSN inside Envoy.",
    }

    @property
    def server(self) -> Server:
        """The one server."""
        return self.servers[0]

    @property
    def mode(self) -> str:
        """Where listeners and clusters come from: ``file``, ``mix`` (file and xDS) or ``xds``."""
        if self.dynamic_resources is None or self.static_resources is None:
            return "file"
        return "xds" if self.invented_server else "mix"
