"""Tests of Bolt."""

from __future__ import annotations
