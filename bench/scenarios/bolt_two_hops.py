"""Mesh to mesh for Bolt: two proxies on one core, HTTP/2 between them."""

from __future__ import annotations

from bench.place import BOLT, H2C
from bench.scenarios.bolt import Bolt


class BoltTwoHops(Bolt):
    """64 connections with one call in flight each; ids and every octet checked."""

    name = "bolt-two-hops"
    summary = "Bolt v1 -> h2c -> Bolt v1 through two proxies on one core, 64 connections"
    legs = (BOLT, H2C, BOLT)
    goals = ()


SCENARIO = BoltTwoHops
