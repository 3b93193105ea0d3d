"""Tests of mosntx.admin."""

from __future__ import annotations
