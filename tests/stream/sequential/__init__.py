"""Tests of mosntx.stream.sequential."""

from __future__ import annotations
