"""Tests of what the scenarios compute."""
