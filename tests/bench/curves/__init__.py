"""Tests of `bench.curves`."""
