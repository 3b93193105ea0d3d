"""The real daemon with real clients, on loopback."""

from __future__ import annotations
