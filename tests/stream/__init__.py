"""Tests of mosntx.stream."""

from __future__ import annotations
