"""Tests of the schema classes."""
