"""Tests of mosntx.stream.multiplex."""

from __future__ import annotations
