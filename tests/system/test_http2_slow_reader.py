"""A transfer whose reader is slow: the daemon keeps little of it, and others go on beside it.

`tests.system.slowreader` does the same with 1 GiB and prints the numbers.
"""

from __future__ import annotations

import importlib.util
import signal
import tempfile
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, freePort, startUvicorn
from tests.system.sidecars import H2, NGH2, Hop, startSidecar
from tests.system.slowreader import Measured, grpc, plain, startGrpc

SIZE = 64 << 20
#: KiB that the daemon may grow by.
ROOM = 32 * 1024
#: Seconds for 99 of 100 of the other requests: generous, what matters is that they are served.
MOST = 1.0


class SlowReaderTests(SynchronousTestCase):
    """With the engine ngh2."""

    engine = NGH2

    def start(self, hop: Hop) -> Daemon:
        """Start the daemon."""
        daemon = startSidecar(self.engine, hop)
        self.addCleanup(daemon.stop)
        return daemon

    def judge(self, got: Measured) -> None:
        """All came, others were served, memory is bounded."""
        self.assertEqual(got.size, SIZE)
        self.assertLess(got.growth, ROOM, got)
        self.assertLess(got.beside.most, MOST, got)

    def test_plain(self) -> None:
        """64 MiB, 64 KiB for each of the other requests."""
        directory = tempfile.TemporaryDirectory(prefix="mosntx-upstream-")
        self.addCleanup(directory.cleanup)
        port = freePort()
        server = startUvicorn(port, directory.name)
        self.addCleanup(server.stop, signal.SIGKILL)
        hop = Hop("web", port, onward="Http1")
        self.judge(plain(self.start(hop), hop.port, SIZE))

    def test_grpc(self) -> None:
        """A stream of 1 024 messages, one for each of the other calls."""
        if importlib.util.find_spec("grpc") is None:
            raise SkipTest("grpcio is not installed: pip install grpcio")
        port = freePort()
        server = startGrpc(port)
        self.addCleanup(server.stop, signal.SIGKILL)
        hop = Hop("grpc", port)
        self.judge(grpc(self.start(hop), hop.port, "slow"))


class SlowReaderOfH2Tests(SlowReaderTests):
    """With the engine h2."""

    engine = H2
