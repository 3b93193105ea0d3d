"""Tests of the project's own checks."""
