"""The HTTP admin API: MOSN's endpoints, and Prometheus' exposition."""

from __future__ import annotations
