"""Tests of mosntx.service."""

from __future__ import annotations
