"""Floods of HTTP/2 against the real daemon, while another client asks it."""

from __future__ import annotations

import signal
import tempfile

import requests
from twisted.trial.unittest import SynchronousTestCase

from tests.system import floods
from tests.system.daemon import freePort, startUvicorn
from tests.system.flooder import Outcome, flood
from tests.system.floods import Flood
from tests.system.sidecars import H2, NGH2, Hop, startSidecar

#: Seconds until an attacker at full speed is cut off.
CUT_OFF = 1.0
#: Seconds that another client may wait for an answer meanwhile.
SLOWEST = 2.0
#: KiB that one attacker may cost at most: 100 streams with 64 KiB each, read from an upstream in
#: pieces of 64 KiB, and what the allocator keeps.
ROOM = 16 * 1024


class FloodTests(SynchronousTestCase):
    """With the engine ngh2."""

    engine = NGH2

    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="mosntx-upstream-")
        self.addCleanup(directory.cleanup)
        upstream, self.admin = freePort(), freePort()
        server = startUvicorn(upstream, directory.name)
        self.addCleanup(server.stop, signal.SIGKILL)
        self.hop = Hop("back", upstream, onward="Http1")
        self.daemon = startSidecar(self.engine, self.hop, admin=self.admin)
        self.addCleanup(self.stopDaemon)

    def stopDaemon(self) -> None:
        """It has no complaints of its own, and ends well."""
        self.assertNotIn("Traceback", self.daemon.output)
        self.assertEqual(self.daemon.stop(), 0)

    def attack(self, whats: list[Flood]) -> None:
        """Make floods one after the other; each attacker is cut off and counted."""
        cut = 0
        for what in whats:
            got = flood(self.daemon, self.hop.port, what)
            self.judge(what, got)
            cut += got.seconds is not None
        url = f"http://127.0.0.1:{self.admin}/api/v1/stats"
        stats = requests.get(url, timeout=10).json()["downstream"]["listener.back"]
        self.assertEqual(int(stats["protocol_error_total"]), cut)

    def judge(self, what: Flood, got: Outcome) -> None:
        """Say whether the daemon has stood it."""
        said = f"{what.name}: {got}"
        if what.cut:
            self.assertTrue(got.seconds is not None and got.seconds < CUT_OFF, said)
            self.assertNotEqual(got.code, 0, said)
        elif what.cut is not None:
            self.assertIsNone(got.seconds, said)
        self.assertLess(got.growth, ROOM, said)
        self.assertLess(got.slowest, SLOWEST, said)

    def test_resets(self) -> None:
        """Streams that are reset, or that we are made to reset."""
        self.attack(floods.resets())

    def test_fieldBlocks(self) -> None:
        """Field blocks without end, too large ones, and bombs."""
        self.attack(floods.blocks())

    def test_frames(self) -> None:
        """Frames that cost more to receive than to send."""
        self.attack(floods.frames())

    def test_stalls(self) -> None:
        """Clients that ask for much and take nothing cost a bounded amount of memory."""
        self.attack(floods.stalls())


class FloodOfH2Tests(FloodTests):
    """With the engine h2."""

    engine = H2
