"""Configurations of the scenes, and the ends of HTTP/2 connections that clients and hosts play."""

from __future__ import annotations

from typing import Any

from hpack import Encoder

from mosntx.contracts.message import Pair
from mosntx.testing import h2frames as h2

#: The largest window; a run never sends as much.
WINDOW = 2**31 - 1

#: What a peer says once, with room for all that will come.
GREETING = (
    h2.settings((h2.INITIAL_WINDOW_SIZE, WINDOW), (h2.MAX_CONCURRENT_STREAMS, 1000))
    + h2.windowUpdate(0, WINDOW - 65535)
    + h2.settingsAck()
)


def config(spoken: str, upstream: str = "", engine: str = "auto") -> dict[str, Any]:
    """Return a configuration: the listener ``in``, one route, one cluster with one host.

    As `python -m bench` has it: default filters, no access log, statistics.

    :param spoken: the protocol of the clients.
    :param upstream: of the host, when it is another one.
    :param engine: of HTTP/2.
    """
    action = {"cluster_name": "c", **({"upstream_protocol": upstream} if upstream else {})}
    proxy: dict[str, Any] = {"downstream_protocol": spoken, "router_config_name": "r"}
    cluster: dict[str, Any] = {
        "name": "c",
        "type": "SIMPLE",
        "lb_type": "LB_ROUNDROBIN",
        "hosts": [{"address": "127.0.0.1:2047"}],
    }
    if "Http2" in (spoken, upstream):
        options = {"Http2": {"http2_engine": engine}}
        cluster["protocol_options"] = options
        if spoken == "Http2":
            proxy["extend_config"] = options
    rpc = {"headers": [{"name": "service", "value": ".*"}]}  # requests of Bolt have no path
    match = rpc if spoken == "bolt" else {"prefix": "/"}
    host = {"name": "v", "domains": ["*"], "routers": [{"match": match, "route": action}]}
    listener = {
        "name": "in",
        "address": "127.0.0.1:2045",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": proxy}]}],
    }
    router = {"router_config_name": "r", "virtual_hosts": [host]}
    return {
        "servers": [{"listeners": [listener], "routers": [router]}],
        "cluster_manager": {"clusters": [cluster]},
    }


class Http2Peer:
    """Writes messages as most implementations do: fields go to HPACK's table once.

    :param fields: of every message, pseudo fields first.
    :param body: of every message.
    """

    def __init__(self, fields: tuple[Pair, ...], body: bytes = b"") -> None:
        self._encoder: Any = Encoder()
        self._fields = fields
        self._body = body

    def message(self, stream: int) -> bytes:
        """Return a whole message of a stream."""
        octets = h2.headers(stream, self._encoder.encode(self._fields), not self._body)
        return octets + h2.data(stream, self._body, True) if self._body else octets
