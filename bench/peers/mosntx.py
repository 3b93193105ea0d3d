"""mosntx itself: ``twistd -n mosn`` with one listener, one route and one cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bench.peers.base import Peer
from bench.place import BOLT, H2C, HTTP1, Place
from bench.programs import ask, firstLine

#: The harness's protocols in the words of the configuration.
_PROTOCOLS = {HTTP1: "Http1", H2C: "Http2", BOLT: "bolt"}


def _proxyFilter(place: Place) -> dict[str, Any]:
    """Return the network filter `proxy`."""
    return {
        "type": "proxy",
        "config": {
            "downstream_protocol": _PROTOCOLS[place.downstream],
            # Read by MOSN before 0.26; later ones, and mosntx, read that of the route.
            "upstream_protocol": _PROTOCOLS[place.upstream],
            "router_config_name": "bench",
        },
    }


def _listener(place: Place) -> dict[str, Any]:
    """Return the listener; it has no access log."""
    return {
        "name": "bench",
        "address": f"127.0.0.1:{place.port}",
        "bind_port": True,
        # An hour: idle connections have to outlive a run.
        "connection_idle_timeout": "1h",
        "filter_chains": [{"filters": [_proxyFilter(place)]}],
    }


def _router(place: Place) -> dict[str, Any]:
    """Return a router that sends everything to the one cluster.

    The route names the upstream's protocol only where the two sides differ.
    """
    route: dict[str, Any] = {"cluster_name": "application"}
    # A call has no path; MOSN finds its route by the service.
    call = {"headers": [{"name": "service", "value": ".*"}]}
    match = call if place.downstream == BOLT else {"prefix": "/"}
    if place.upstream != place.downstream:
        route["upstream_protocol"] = _PROTOCOLS[place.upstream]
    return {
        "router_config_name": "bench",
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                "routers": [{"match": match, "route": route}],
            }
        ],
    }


def config(place: Place) -> dict[str, Any]:
    """Return the configuration for one place; MOSN's own binary takes it as well."""
    return {
        "servers": [
            {
                "default_log_path": "stdout",
                "default_log_level": "ERROR",
                "listeners": [_listener(place)],
                "routers": [_router(place)],
            }
        ],
        "cluster_manager": {
            "clusters": [
                {
                    "name": "application",
                    "type": "SIMPLE",
                    "lb_type": "LB_ROUNDROBIN",
                    "hosts": [{"address": place.upstreamAddress}],
                }
            ]
        },
    }


def writeConfig(place: Place) -> str:
    """Write the configuration into the place's folder and return its path."""
    return place.write("mosn.json", json.dumps(config(place), indent=2) + "\n")


class Mosntx(Peer):
    """The installed mosntx; ``--binary mosntx=TWISTD`` takes another environment's."""

    name = "mosntx"
    program = "twistd"
    install = "pip install . (in the clone, into the environment that runs the bench)"
    front = frozenset(_PROTOCOLS)
    back = frozenset(_PROTOCOLS)

    def missing(self) -> str | None:
        """See `Peer.missing`: twistd has to know the command `mosn`."""
        twistd = self.executable()
        if twistd is None or ask([twistd, "mosn", "--help"])[0] != 0:
            return f"not installed: {self.install}"
        return None

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        twistd = self.executable() or self.program
        return [twistd, "-n", "--pidfile=", "mosn", "--config", writeConfig(place)]

    def version(self) -> str:
        """See `Peer.version`."""
        twistd = self.executable()
        if twistd is None:
            return ""
        # The console script is installed beside twistd.
        status, text = ask([str(Path(twistd).with_name("mosntx")), "version"])
        return firstLine(text) if status == 0 else ""


PEER = Mosntx
