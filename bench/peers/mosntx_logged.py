"""mosntx with an access log and a stream filter that adds a header: what people run."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from bench import header_filter
from bench.peers.mosntx import Mosntx, config
from bench.place import Place


def configWithLog(place: Place) -> dict[str, Any]:
    """Return the configuration for one place; the log has MOSN's format and is a file there."""
    found = config(place)
    (listener,) = found["servers"][0]["listeners"]
    listener["access_logs"] = [{"log_path": str(place.folder / "access.log")}]
    listener["stream_filters"] = [{"type": header_filter.NAME}]
    return found


class MosntxLogged(Mosntx):
    """The same program; differs in what it does with each request."""

    name = "mosntx-logged"

    def command(self, place: Place) -> list[str]:
        """See `Peer.command`."""
        header_filter.install(place.folder)
        path = place.write("mosn-logged.json", json.dumps(configWithLog(place), indent=2) + "\n")
        return [*super().command(place)[:-1], path]

    def environment(self, place: Place) -> Mapping[str, str]:
        """See `Peer.environment`: the filter is found in the folder."""
        others = os.environ.get("PYTHONPATH")
        folder = str(place.folder)
        return {"PYTHONPATH": f"{folder}{os.pathsep}{others}" if others else folder}


PEER = MosntxLogged
