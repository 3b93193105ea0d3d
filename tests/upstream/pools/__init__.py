"""Tests of mosntx.upstream.pools."""

from __future__ import annotations
