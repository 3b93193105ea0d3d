"""The proxies the harness knows, one module each."""

from __future__ import annotations

#: Name to module; the module's ``PEER`` is a subclass of `bench.peers.base.Peer`.
PEERS = {
    "mosntx": "bench.peers.mosntx",
    "mosntx-h2": "bench.peers.mosntx_h2",
    "mosntx-logged": "bench.peers.mosntx_logged",
    "nginx": "bench.peers.nginx",
    "haproxy": "bench.peers.haproxy",
    "envoy": "bench.peers.envoy",
    "twisted-web": "bench.peers.twisted_web",
    "aiohttp": "bench.peers.aiohttp_proxy",
    "aiohttp-uvloop": "bench.peers.aiohttp_uvloop",
    "proxy-py": "bench.peers.proxy_py",
    "mitmproxy": "bench.peers.mitmproxy",
    "tcp-relay": "bench.peers.tcp_relay",
}

#: Who takes part when nobody says otherwise: the references the figures are stated against.
DEFAULT_PEERS = ("mosntx", "nginx", "haproxy", "twisted-web", "aiohttp")
