"""Tests of the configuration schema, loader and checks."""
