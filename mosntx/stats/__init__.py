"""Counters: plain integers that their owners increment, gathered and published only when asked."""

from __future__ import annotations
