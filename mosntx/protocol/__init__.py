"""SANS-IO codecs: octets in, message parts out, and back. No transport, clock or log here."""

from __future__ import annotations
