"""Tests of mosntx.proxy."""

from __future__ import annotations
