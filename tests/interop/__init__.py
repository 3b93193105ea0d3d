"""Tests with other implementations: other people's clients and servers through the real daemon."""
