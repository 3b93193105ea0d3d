"""Where the hosts of a cluster come from at run time: one file for each kind."""

from __future__ import annotations
