"""Tests of `mosntx.upstream.discovery`."""
