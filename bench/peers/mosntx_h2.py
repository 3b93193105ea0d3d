"""mosntx with HTTP/2 on the library h2, in pure Python, instead of libnghttp2."""

from __future__ import annotations

import json
from typing import Any

from bench.peers.mosntx import Mosntx, config
from bench.place import H2C, Place

_ENGINE = {"http2_engine": "h2"}


def configWithH2(place: Place) -> dict[str, Any]:
    """Return the configuration for one place, with the engine named on both sides."""
    found = config(place)
    if place.downstream == H2C:
        (listener,) = found["servers"][0]["listeners"]
        proxy = listener["filter_chains"][0]["filters"][0]["config"]
        proxy["extend_config"] = {"Http2": _ENGINE}
    if place.upstream == H2C:
        (cluster,) = found["cluster_manager"]["clusters"]
        cluster["protocol_options"] = {"Http2": _ENGINE}
    return found


class MosntxH2(Mosntx):
    """The same program; differs only in HTTP/2."""

    name = "mosntx-h2"

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        path = place.write("mosn.json", json.dumps(configWithH2(place), indent=2) + "\n")
        return [*super().command(place)[:-1], path]


PEER = MosntxH2
