"""Tests of HTTP/2."""

from __future__ import annotations
