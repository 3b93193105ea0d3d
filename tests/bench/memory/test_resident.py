"""A small run of what `bench.memory.resident` measures."""

from __future__ import annotations

from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from bench.memory.resident import IDLE, Surroundings, hosts
from bench.peers import PEERS
from bench.peers.mosntx import Mosntx
from bench.process import Nursery, Ports
from bench.programs import findProgram
from bench.scenarios import SCENARIOS


class ResidentTests(SynchronousTestCase):
    """A daemon and its hosts."""

    def test_idle(self) -> None:
        """What is idle names scenarios and peers that there are."""
        for scenario, peer in IDLE.values():
            self.assertIn(scenario, SCENARIOS)
            self.assertIn(peer, PEERS)

    def test_hosts(self) -> None:
        """Two hundred hosts with a connection each need more than none."""
        if not findProgram("nginx") or Mosntx().missing():
            raise SkipTest("needs nginx and an installed mosntx")
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        with Nursery(folder) as nursery:
            _, asked = hosts(Surroundings(nursery, Ports(13), folder, None, None), 200)
        self.assertTrue(512 < asked < 64 * 1024, asked)
