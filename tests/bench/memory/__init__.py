"""Tests of `bench.memory`."""
