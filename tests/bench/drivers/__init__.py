"""Tests of the load generators' reports."""
