"""Tests of HTTP/1."""

from __future__ import annotations
