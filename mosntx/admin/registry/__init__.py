"""The local registry API: what an application with anthunder asks of its sidecar at port 13330."""

from __future__ import annotations
