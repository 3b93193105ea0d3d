"""Tests of the scenario of idle HTTP/2 connections."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.drivers.http2_idle import Http2IdleConnections
from bench.peers import PEERS
from bench.peers.base import loadPeer
from bench.process import Nursery
from bench.scenarios.base import Settings, Stage
from bench.scenarios.http2_idle import Http2Idle


class Http2IdleTests(SynchronousTestCase):
    """Ten thousand clients of HTTP/2."""

    def test_crowd(self) -> None:
        """Idle clients speak HTTP/2, and both engines take part."""
        scenario = Http2Idle(Settings())
        self.assertEqual((scenario.idle, scenario.fresh), (10_000, True))
        folder = Path(self.mktemp())
        stage = Stage(Nursery(folder), folder, None, None, b"body", self.fail)
        with scenario.crowd(1, stage) as crowd:
            self.assertIsInstance(crowd, Http2IdleConnections)
        for name in ("mosntx", "mosntx-h2"):
            self.assertIsNone(loadPeer(PEERS, name, None).unsupported(scenario.legs))
