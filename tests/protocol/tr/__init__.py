"""Tests of `mosntx.protocol.tr`."""
