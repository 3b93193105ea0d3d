"""Servers, listeners and what hangs on them (MOSN pkg/config/v2/server.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from mosntx.config.schema.base import IGNORED, Duration, Located, Uint32, internal, option
from mosntx.config.schema.router import RouterConfig
from mosntx.config.schema.tls import TlsContext

TCP_IDLE_TIMEOUT = 90.0
"""Seconds without traffic until a TCP or unix connection is closed, unless configured (MOSN)."""
UDP_IDLE_TIMEOUT = 5.0
"""The same for UDP."""
LOG_LEVELS = ("FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE")


@attrs.frozen(kw_only=True)
class FilterSpec(Located):
    """One network filter or stream filter, as wired: its name and its decoded configuration."""

    type: str = option("Name of the filter.", default="")
    config: Any = option("The filter's own settings.", factory=dict)
    go_plugin_config: Any = option(
        "A Go shared object to load the filter from: cannot be supported, the filter is skipped.",
        default=None,
    )
    fail_open: bool = option(
        "Stream filters: pass it over when it raises, instead of answering 500. mosntx only.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class ListenerFilterSpec(Located):
    """One listener filter: it sees a connection before the network filters do."""

    type: str = option("Name of the filter.", default="")
    config: Any = option("The filter's own settings.", factory=dict)


@attrs.frozen(kw_only=True)
class OriginalDstConfig(Located):
    """Settings of the listener filter ``original_dst``."""

    type: str = option(
        "How connections are brought here by the kernel.",
        default="redirect",
        choices=("redirect", "tproxy"),
    )
    fallback_to_local: bool = option(
        "Without a listener for the exact address use that of the port on 127.0.0.1, not 0.0.0.0.",
        default=False,
    )


@attrs.frozen(kw_only=True)
class AccessLog(Located):
    """Where and how finished requests are written down."""

    log_path: str = option(
        "File, `stdout`, `stderr` or a syslog address.",
        default="",
        absent="`<listener name>_access.log` in the log directory",
    )
    log_format: str = option(
        "Text with `%variable%` parts.", default="", absent="MOSN's default format"
    )


@attrs.frozen(kw_only=True)
class FilterChain(Located):
    """TLS and the network filters of a listener."""

    match: str = option("Never had an effect.", default="", status=IGNORED)
    tls_context: TlsContext | None = option("One TLS context.", default=None, absent="no TLS")
    tls_context_set: tuple[TlsContext, ...] = option(
        "Several TLS contexts, chosen by server name and protocol.", default=()
    )
    filters: Annotated[tuple[FilterSpec, ...], "network_filters"] = option(
        "Network filters in order.", default=()
    )
    skipped_filters: tuple[FilterSpec, ...] = internal(())
    """Filters of the file that this build does not run; only for dumps."""

    @property
    def tlsContexts(self) -> tuple[TlsContext, ...]:
        """All contexts that are switched on, in order."""
        contexts = (*((self.tls_context,) if self.tls_context else ()), *self.tls_context_set)
        return tuple(context for context in contexts if context.status)


@attrs.frozen(kw_only=True)
class Listener(Located):
    """An address to accept connections on, and what is done with them."""

    name: str = option("Unique name.", default="", absent="the address")
    type: str = option("`ingress` or `egress`; used by tracing and statistics.", default="")
    address: str = option("`ip:port`, `host:port`, `:port`; a path when `network` is `unix`.")
    network: str = option(
        "Kind of socket.", default="tcp", choices=("tcp", "udp", "unix"), fold=True
    )
    bind_port: bool = option(
        "Open the socket. Without it the listener gets only connections redirected to its address.",
        default=False,
    )
    reuseport: bool = option(
        "SO_REUSEPORT: other processes that say so too may listen on the same TCP port, and the "
        "kernel shares new connections out among them.",
        default=False,
        feature="reuseport",
    )
    use_original_dst: Annotated[str, "original_dst"] = option(
        "Use the destination a connection had before the kernel redirected it.",
        default="",
        choices=("", "redirect", "tproxy"),
        feature="original_dst",
    )
    access_logs: tuple[AccessLog, ...] = option("Access logs.", default=(), feature="access_log")
    listener_filters: Annotated[tuple[ListenerFilterSpec, ...], "listener_filters"] = option(
        "Listener filters in order.", default=()
    )
    filter_chains: tuple[FilterChain, ...] = option("Exactly one filter chain.", default=())
    stream_filters: Annotated[tuple[FilterSpec, ...], "stream_filters"] = option(
        "Stream filters in order.", default=()
    )
    inspector: bool = option(
        "With TLS on: speak plain text with clients that do not begin a TLS handshake.",
        default=False,
    )
    connection_idle_timeout: Duration | None = option(
        "Close connections without traffic for this long; 0 = never.",
        default=None,
        absent="90s; 5s on UDP",
        feature="idle_timeout",
    )
    default_read_buffer_size: int = option(
        "Size of the first read.", default=128, unit="octets", status=IGNORED
    )
    per_connection_buffer_limit_bytes: Uint32 = option(
        "Stop reading from one side while this much waits for the other. A read is of this size,"
        " and grows to four times that, at most 128 KiB, while a peer sends much. mosntx only.",
        default=32768,
        unit="octets",
    )
    max_connections: Uint32 = option(
        "Connections at a time; more are closed at once. 0 = unlimited. mosntx only.", default=0
    )
    log_path: str = option("Log of one listener, gone after 0.4.1.", default="", status=IGNORED)
    log_level: str = option(
        "Log level of one listener, gone after 0.4.1.", default="", status=IGNORED
    )
    skipped_stream_filters: tuple[FilterSpec, ...] = internal(())
    """Stream filters of the file that this build does not run; only for dumps."""
    skipped_listener_filters: tuple[ListenerFilterSpec, ...] = internal(())
    """Listener filters of the file that this build does not run; only for dumps."""

    IGNORED_KEYS: ClassVar[Mapping[str, str]] = {
        "handoff_restoreddestination": "Older name of `use_original_dst: redirect`, read as that.",
    }

    @property
    def filters(self) -> tuple[FilterSpec, ...]:
        """The network filters of the filter chain, in order, without those that were skipped."""
        return tuple(spec for chain in self.filter_chains for spec in chain.filters)

    @property
    def tlsContexts(self) -> tuple[TlsContext, ...]:
        """The TLS contexts that are switched on; empty for plain text."""
        return tuple(context for chain in self.filter_chains for context in chain.tlsContexts)

    @property
    def idleTimeout(self) -> float | None:
        """Seconds without traffic until a connection is closed, default put in; None = never."""
        if self.connection_idle_timeout is None:
            return UDP_IDLE_TIMEOUT if self.network == "udp" else TCP_IDLE_TIMEOUT
        return self.connection_idle_timeout or None


@attrs.frozen(kw_only=True)
class FlightRecorder(Located):
    """How many of the requests that failed are remembered."""

    max_entries: Uint32 = option("Requests; 0 = none.", default=500)
    max_octets: Uint32 = option(
        "Memory for all of them, roughly; older ones go.", default=524288, unit="octets"
    )


@attrs.frozen(kw_only=True)
class Server(Located):
    """The one server: logs, listeners and router configurations."""

    mosn_server_name: str = option("Name for the dynamic listener API.", default="")
    default_log_path: str = option(
        "File, `stdout`, `stderr` or a syslog address.",
        default="",
        absent="`mosn.log` in the log directory",
    )
    default_log_level: str = option(
        "`FATAL`, `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`; anything else is `INFO`.",
        default="INFO",
    )
    global_log_roller: str = option(
        "Rotation of log files: `time=`, `size=`, `age=`, `keep=`, `compress=`, joined by blanks.",
        default="",
        aliases=("default_log_roller",),
        absent="one file a day",
        feature="log_roller",
    )
    use_netpoll_mode: bool = option("Event loop of the Go runtime.", default=False, status=IGNORED)
    graceful_timeout: Duration = option(
        "How long a stopping server waits for running requests; 0 = 30s.", default=30.0, zero=30.0
    )
    processor: int | str = option(
        "Threads of the Go runtime: a number or `auto`.", default=0, status=IGNORED
    )
    flight_recorder: FlightRecorder = option(
        "The last requests that failed, for `mosntx failures`. mosntx only.",
        factory=FlightRecorder,
    )
    listeners: tuple[Listener, ...] = option("Listeners.", default=())
    routers: tuple[RouterConfig, ...] = option(
        "Router configurations; a later one of the same name replaces an earlier one.", default=()
    )
