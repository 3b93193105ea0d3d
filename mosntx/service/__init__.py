"""WIRING: from configuration to running objects. `Sidecar` is what users embed."""

from __future__ import annotations

from mosntx.service.sidecar import Sidecar

__all__ = ["Sidecar"]
