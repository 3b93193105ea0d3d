"""Tests of mosntx.upstream.health."""

from __future__ import annotations
