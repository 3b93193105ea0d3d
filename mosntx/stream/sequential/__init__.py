"""One exchange at a time on a connection: HTTP/1 (capabilities S2, S4, S9)."""

from __future__ import annotations
