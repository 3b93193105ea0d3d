"""Tests of `mosntx.proxy.convert`."""
