"""SOFARPC's Bolt, versions 1 and 2: frames, heads and codecs of both ends."""

from __future__ import annotations
