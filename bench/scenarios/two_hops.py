"""Mesh to mesh: two proxies on one core, HTTP/1.1 outside and HTTP/2 between them."""

from __future__ import annotations

from bench.peers.base import Peer
from bench.place import H2C, HTTP1
from bench.results import Goal
from bench.scenarios.base import REQUESTS
from bench.scenarios.http1 import Http1

_ONE_HOP = (HTTP1, HTTP1)


class TwoHops(Http1):
    """wrk, 64 connections; a peer that cannot do it stands with one hop, as a yardstick."""

    name = "two-hops"
    summary = "HTTP/1.1 -> h2c -> HTTP/1.1 through two proxies on one core, 64 connections, wrk"
    legs = (HTTP1, H2C, HTTP1)
    goals = (Goal(REQUESTS.key, "nginx", atLeast=0.16),)

    def legsFor(self, peer: Peer) -> tuple[str, ...]:
        """See `Scenario.legsFor`."""
        return _ONE_HOP if peer.unsupported(self.legs) else self.legs

    def noteFor(self, peer: Peer) -> str:
        """See `Scenario.noteFor`."""
        return "one hop only, HTTP/1.1 on both sides" if self.legsFor(peer) == _ONE_HOP else ""


SCENARIO = TwoHops
