"""Names of facts about an exchange: ``%name%`` in access logs, header values and route conditions.

Most names are functions of an exchange and the present time, in tables below; names that begin
with a prefix (``request_header_``) are made into such a function when the configuration is read.

Source: spec/admin-observability.md 5.3 (MOSN pkg/proxy/var.go, pkg/stream/http/var.go).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from mosntx.config.durations import formatDuration
from mosntx.router.paths import matchPath, query

#: What a variable may be. ``bytes`` come from a peer, ``str`` and ``int`` are ours.
Value = bytes | str | int | None
#: Reads a variable of an exchange (an `IExchange`); the second argument is the present time on the
#: clock of ``exchange.startTime``.
Reader = Callable[[Any, float], Value]


def durationText(seconds: float) -> str:
    """Return what `formatDuration` returns, in a third of the time for what most exchanges take."""
    nanoseconds = round(seconds * 1e9)
    # No more digits than there are: "g" leaves zeros at the end away.
    if 1_000_000 <= nanoseconds < 1_000_000_000:
        return f"{nanoseconds / 1e6:.9g}ms"
    if 1_000 <= nanoseconds < 1_000_000:
        return f"{nanoseconds / 1e3:.6g}µs"
    return formatDuration(seconds) if nanoseconds else "0s"


def _span(start: float, end: float) -> str:
    """Return the time between two moments as Go prints it; ``0s`` while one has not come."""
    return durationText(end - start) if end > start else "0s"


def processTime(exchange: Any, now: float) -> float:
    """Return MOSN's ``process_time`` in seconds: the proxy's own share of the exchange."""
    start, sent, answered = exchange.startTime, exchange.requestEndTime, exchange.responseTime
    end = exchange.endTime or now
    share = max((sent or end) - start, 0.0)
    if answered:
        share += max(end - answered, 0.0)
    return float(share)


def _port(address: str) -> str | None:
    """Return the port of ``ip:port``, ``None`` for the path of a unix socket."""
    port = address.rpartition(":")[2]
    return port if port.isdigit() else None


def _uri(request: Any) -> bytes:
    return bytes(request.path)


def _rawPath(request: Any) -> bytes:
    return bytes(request.path.partition(b"?")[0])


def _arguments(request: Any) -> bytes:
    return query(request.path)[1:]


def _length(exchange: Any) -> int:
    """Return the octets of an HTTP/1 request: line, fields and body (without chunk framing)."""
    request = exchange.request
    line = len(request.method) + len(request.path) + len(b"  HTTP/1.1\r\n")
    fields = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return int(line + fields + 2 + exchange.bytesReceived)


def _upstreamConnection(exchange: Any, now: float) -> int | None:
    connection = exchange.upstreamConnection
    return None if connection is None else connection.id


def _upstreamProtocol(exchange: Any) -> str:
    route = exchange.route
    return str((route is not None and route.upstreamProtocol) or exchange.request.protocol)


def _attribute(name: str) -> Reader:
    """Return a reader of what a stream filter or the tracer has left under ``name``."""

    def read(exchange: Any, now: float) -> Value:
        value = exchange.attributes.get(name)
        return value if value is None or isinstance(value, bytes | str) else str(value)

    return read


#: Attributes that are ours and never ``None``: access logs read them without a call.
PATHS: Final[Mapping[str, str]] = {
    "bytes_sent": "bytesSent",
    "bytes_received": "bytesReceived",
    "protocol": "request.protocol",
    "response_code": "status",
    "downstream_local_address": "connection.local",
    "downstream_remote_address": "connection.peer",
    "connection_id": "connection.id",
    "downstream_protocol": "request.protocol",
    "x-mosn-status": "status",
}


def _path(path: str) -> Reader:
    get = attrgetter(path)
    return lambda exchange, now: get(exchange)


#: Ours and never ``None``: printed without a look.
PLAIN: Final[Mapping[str, Reader]] = {
    **{name: _path(path) for name, path in PATHS.items()},
    "request_received_duration": lambda e, now: _span(e.startTime, e.requestEndTime),
    "response_received_duration": lambda e, now: _span(e.startTime, e.responseTime),
    "request_finished_duration": lambda e, now: _span(e.startTime, e.endTime),
    "process_time_duration": lambda e, now: durationText(processTime(e, now)),
    "duration": lambda e, now: durationText(now - e.startTime),
    "response_flag": lambda e, now: "true" if e.flags else "false",
    "response_flags": lambda e, now: "true" if e.flags else "false",
    "upstream_transport_failure_reason": lambda e, now: hex(e.flags),
    "upstream_protocol": lambda e, now: _upstreamProtocol(e),
}

#: What a peer or a filter says, or what may be missing: escaped where it is printed.
LOOSE: Final[Mapping[str, Reader]] = {
    "upstream_connection_id": _upstreamConnection,
    "stream_id": lambda e, now: getattr(e, "number", None),
    "upstream_cluster": lambda e, now: None if e.cluster is None else e.cluster.name,
    "upstream_local_address": lambda e, now: None if e.host is None else e.host.address,
    "upstream_host": lambda e, now: None if e.host is None else e.host.hostname,
    "listener_name": lambda e, now: e.listener.name,
    "listener_port": lambda e, now: _port(e.connection.local),
    "listener_type": lambda e, now: getattr(e.listener, "type", None),
    "x-mosn-direction": lambda e, now: getattr(e.listener, "type", None),
    "x-mosn-scheme": lambda e, now: e.request.scheme,
    "x-mosn-host": lambda e, now: e.request.authority,
    "x-mosn-path": lambda e, now: matchPath(e.request.path),
    "x-mosn-path-original": lambda e, now: _rawPath(e.request),
    "x-mosn-querystring": lambda e, now: _arguments(e.request),
    "x-mosn-method": lambda e, now: e.request.method,
    "authority": lambda e, now: e.request.authority,
    "x-mosn-rpc-service": lambda e, now: None if e.request.path else e.request.service,
    "x-mosn-rpc-method": lambda e, now: None if e.request.path else e.request.method,
    # protocol-neutral, for either HTTP version
    "URI": lambda e, now: _uri(e.request),
    "PATH": lambda e, now: matchPath(e.request.path),
    "ARG": lambda e, now: _arguments(e.request),
    "scheme": lambda e, now: e.request.scheme,
}

#: Only of requests of the protocol that the name begins with.
OF_PROTOCOL: Final[Mapping[str, Reader]] = {
    "Http1_request_scheme": lambda e, now: e.request.scheme,
    "Http1_request_method": lambda e, now: e.request.method,
    "Http1_request_length": lambda e, now: _length(e),
    "Http1_request_uri": lambda e, now: _uri(e.request),
    "Http1_request_path": lambda e, now: matchPath(e.request.path),
    "Http1_request_path_original": lambda e, now: _rawPath(e.request),
    "Http1_request_arg": lambda e, now: _arguments(e.request),
    "Http2_request_scheme": lambda e, now: e.request.scheme,
}

#: Left by stream filters and the tracer in ``exchange.attributes``.
OF_FILTERS: Final = (
    "trace_id",
    "upstream_index",
    "proxy_try_timeout",
    "proxy_global_timeout",
    "proxy_hijack_status",
    "proxy_direct_response",
    "proxy_disable_retry",
    "gRPC_serviceName",
    "requestResult",
    "Dubbo_service",
    "Dubbo_method",
    "x_seata_xid",
    "x_seata_branch_id",
    "listener_match_fallback_ip",
    "x-mosn-router-meta",
)


def _requestHeader(name: bytes) -> Reader:
    return lambda exchange, now: exchange.request.headers.get(name)


def _responseHeader(name: bytes) -> Reader:
    def read(exchange: Any, now: float) -> Value:
        response = exchange.response
        return None if response is None else response.headers.get(name)

    return read


def _argument(name: bytes) -> Reader:
    """Return a reader of the first query argument ``name``, decoded."""

    def read(exchange: Any, now: float) -> Value:
        for pair in _arguments(exchange.request).split(b"&"):
            key, _, value = pair.partition(b"=")
            if unquote_to_bytes(key.replace(b"+", b" ")) == name:
                return unquote_to_bytes(value.replace(b"+", b" "))
        return None

    return read


def _cookie(name: bytes) -> Reader:
    """Return a reader of the first cookie ``name``."""

    def read(exchange: Any, now: float) -> Value:
        for field in exchange.request.headers.getAll(b"cookie"):
            for pair in field.split(b";"):
                key, equals, value = pair.strip().partition(b"=")
                if equals and key == name:
                    return bytes(value).strip(b'"')
        return None

    return read


#: Prefix of a name -> the reader for what follows the prefix.
PREFIXES: Final[Mapping[str, Callable[[bytes], Reader]]] = {
    "request_header_": _requestHeader,
    "response_header_": _responseHeader,
    "Http1_request_header_": _requestHeader,
    "Http1_request_arg_": _argument,
    "Http1_cookie_": _cookie,
    "Http2_request_header_": _requestHeader,
    "Http2_cookie_": _cookie,
}


def _onlyOf(name: str, read: Reader) -> Reader:
    """Return ``read`` for requests of the protocol that ``name`` begins with."""
    protocol = name.partition("_")[0]
    return lambda exchange, now: (
        read(exchange, now) if exchange.request.protocol == protocol else None
    )


class StartTime:
    """``start_time``: local time, ``2006/01/02 15:04:05.000``; the second is formatted once.

    So is the millisecond: under load several exchanges begin in one.

    :param wallSeconds: seconds since the epoch.
    """

    __slots__ = ("_millisecond", "_second", "_text", "_wallSeconds", "_whole")

    def __init__(self, wallSeconds: Callable[[], float]) -> None:
        self._wallSeconds = wallSeconds
        self._second = self._millisecond = -1
        self._text = self._whole = ""

    def __call__(self, exchange: Any, now: float) -> str:
        """See `Reader`."""
        milliseconds = int((self._wallSeconds() - now + exchange.startTime) * 1000 + 0.5)
        if milliseconds != self._millisecond:
            self._millisecond = milliseconds
            second, rest = divmod(milliseconds, 1000)
            if second != self._second:
                self._second = second
                self._text = time.strftime("%Y/%m/%d %H:%M:%S", time.localtime(second))
            self._whole = f"{self._text}.{rest:03d}"
        return self._whole


class VariableTable:
    """All variables of one Sidecar.

    :param seconds: the clock that ``exchange.startTime`` was read from.
    :param wallSeconds: seconds since the epoch, for ``start_time``.
    :param extra: further variables, for example of third-party filters.
    """

    def __init__(
        self,
        seconds: Callable[[], float],
        wallSeconds: Callable[[], float],
        extra: Mapping[str, Reader] | None = None,
    ) -> None:
        self._seconds = seconds
        self._plain: dict[str, Reader] = {**PLAIN, "start_time": StartTime(wallSeconds)}
        self._loose: dict[str, Reader] = {
            **LOOSE,
            **{name: _onlyOf(name, read) for name, read in OF_PROTOCOL.items()},
            **{name: _attribute(name) for name in OF_FILTERS},
            **(extra or {}),
        }

    def plain(self, name: str) -> Reader | None:
        """Return the reader of a variable that is always there and always safe to print."""
        return self._plain.get(name)

    def lookup(self, name: str) -> Reader | None:
        """Return the reader of any variable, ``None`` when there is none of that name.

        Look up once, when the configuration is read.
        """
        read = self._plain.get(name) or self._loose.get(name)
        if read is None:
            for prefix, make in PREFIXES.items():
                if name.startswith(prefix) and name != prefix:
                    read = make(name[len(prefix) :].encode("utf-8", "surrogateescape"))
                    read = _onlyOf(name, read) if prefix.startswith("Http") else read
                    self._loose[name] = read
        return read

    def known(self, name: str) -> bool:
        """Say whether there is a variable called ``name``."""
        return self.lookup(name) is not None

    def resolve(self, exchange: Any, name: str) -> bytes | None:
        """Return the value of a variable now, ``None`` when it has none or is not known."""
        read = self.lookup(name)
        value = None if read is None else read(exchange, self._seconds())
        if value is None or value == b"" or value == "":
            return None
        if isinstance(value, bytes):
            return value
        return str(value).encode("utf-8", "surrogateescape")
