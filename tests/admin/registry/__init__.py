"""Tests of mosntx.admin.registry."""

from __future__ import annotations
