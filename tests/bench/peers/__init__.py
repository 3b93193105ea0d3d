"""Tests of the peers' configurations and command lines."""
