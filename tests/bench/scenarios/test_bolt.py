"""Tests of what the Bolt scenarios choose, and of the configuration they need."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.bolt_idle import BoltIdleConnections
from bench.peers import PEERS
from bench.peers.base import loadPeer
from bench.peers.mosntx import config
from bench.place import BOLT, HTTP1, Place
from bench.process import Nursery
from bench.scenarios import SCENARIOS
from bench.scenarios.base import Settings, Stage, loadScenario
from bench.scenarios.bolt_idle import BoltIdle
from bench.upstream import Upstream


class BoltTests(SynchronousTestCase):
    """The three scenarios."""

    def test_sizes(self) -> None:
        """64 connections with one call each, 8 with 16, and ten thousand idle ones."""
        found = {}
        for name in ("bolt", "bolt-8x16", "bolt-idle"):
            scenario = loadScenario(SCENARIOS, name, Settings())
            found[name] = (scenario.connections, scenario.streams, scenario.idle)
            self.assertEqual(scenario.legs, (BOLT, BOLT))
        self.assertEqual(
            found, {"bolt": (64, 1, 0), "bolt-8x16": (8, 16, 0), "bolt-idle": (64, 1, 10_000)}
        )

    def test_peers(self) -> None:
        """We and the relay take part; a proxy for HTTP does not, and says so."""
        legs = loadScenario(SCENARIOS, "bolt", Settings()).legs
        for name, able in (("mosntx", True), ("tcp-relay", True), ("nginx", False)):
            problem = loadPeer(PEERS, name, None).unsupported(legs)
            self.assertEqual(problem is None, able, problem)

    def test_idle(self) -> None:
        """Idle clients speak Bolt."""
        folder = Path(self.mktemp())
        stage = Stage(Nursery(folder), folder, None, None, b"body", self.fail)
        with BoltIdle(Settings()).crowd(1, stage) as crowd:
            self.assertIsInstance(crowd, BoltIdleConnections)

    def test_upstream(self) -> None:
        """Calls are answered by our own server, whatever answers HTTP."""
        upstream = Upstream("nginx", {}, b"")
        self.assertEqual(upstream.serverOf(BOLT), "own")
        self.assertEqual(upstream.serverOf(HTTP1), "nginx")

    def test_route(self) -> None:
        """A call has no path: its route looks at the service."""
        for protocol, key in ((BOLT, "headers"), (HTTP1, "prefix")):
            place = Place(1, 2, Path("/x"), protocol, protocol)
            (host,) = config(place)["servers"][0]["routers"][0]["virtual_hosts"]
            self.assertEqual(list(host["routers"][0]["match"]), [key])
