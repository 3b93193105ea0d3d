from __future__ import annotations

from typing import Any

from mosntx.service import Sidecar


def frontDoor(port: int, backends: list[str]) -> Sidecar:
    """Return a sidecar that spreads requests over ``backends``."""
    proxy = {"downstream_protocol": "Http1", "router_config_name": "front"}
    listener: dict[str, Any] = {
        "name": "front",
        "address": f"127.0.0.1:{port}",
        "bind_port": True,
        "filter_chains": [{"filters": [{"type": "proxy", "config": proxy}]}],
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster_name": "backends", "timeout": "5s"}}
    router = {
        "router_config_name": "front",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routers": [route]}],
    }
    hosts = [{"address": address} for address in backends]
    cluster = {"name": "backends", "type": "SIMPLE", "lb_type": "LB_ROUNDROBIN", "hosts": hosts}
    return Sidecar.fromConfig(
        {
            "servers": [{"listeners": [listener], "routers": [router]}],
            "cluster_manager": {"clusters": [cluster]},
        }
    )
