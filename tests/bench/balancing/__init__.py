"""Tests of `bench.balancing`."""
