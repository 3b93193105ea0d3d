"""Tests of mosntx.stats."""

from __future__ import annotations
