"""Tests of `bench.hotpath`."""
