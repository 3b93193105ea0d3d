"""Tests of mosntx.net."""

from __future__ import annotations
