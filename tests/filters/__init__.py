"""Tests of mosntx.filters."""

from __future__ import annotations
