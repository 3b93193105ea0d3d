"""The twistd and twist command `mosn`; nothing is imported before it is used."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

mosn = ServiceMaker(
    "mosn", "mosntx.service.tap", "A service-mesh sidecar: MOSN on Twisted.", "mosn"
)
