"""Tests of mosntx.stream.framed."""

from __future__ import annotations
