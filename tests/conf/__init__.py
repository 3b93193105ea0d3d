"""Configurations, in the shapes that people have."""

from __future__ import annotations
