"""Tests of clusters, hosts and what belongs to them."""
