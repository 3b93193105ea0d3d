"""Tests of the benchmark harness: everything but the processes it drives."""
