"""Tests of the contract suites: each has to notice what it promises to notice."""
