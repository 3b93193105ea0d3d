"""What the documentation shows, run."""

from __future__ import annotations
