"""gRPC through real sidecars, between a client and a server of grpcio."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, Running, freePort, until
from tests.system.sidecars import H2, NGH2, WITHOUT_NGH2, Hop, startSidecar

PEER = str(Path(__file__).parent / "grpcpeer.py")
#: Seconds that the checks of one test may take.
PATIENCE = 60.0


class GrpcTests(SynchronousTestCase):
    """Without a sidecar: what the peers do by themselves."""

    #: The engines of the sidecars between client and server.
    engines: tuple[str, ...] = ()

    def setUp(self) -> None:
        if importlib.util.find_spec("grpc") is None:
            raise SkipTest("grpcio is not installed: pip install grpcio")
        self.port = freePort()
        server = Running([sys.executable, PEER, "server", str(self.port)], self.port)
        self.addCleanup(server.stop, signal.SIGKILL)
        self.sidecars: list[Daemon] = []
        for engine in self.engines:
            hop = Hop("back", self.port)
            self.sidecars.append(startSidecar(engine, hop))
            self.port = hop.port
            self.addCleanup(self.stopSidecar, self.sidecars[-1])

    def stopSidecar(self, sidecar: Daemon) -> None:
        """It ends well."""
        self.assertEqual(sidecar.stop(), 0)

    def check(self, *names: str) -> str:
        """Let the client make these checks; return what it printed."""
        done = subprocess.run(
            [sys.executable, PEER, "client", str(self.port), *names],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE,
            text=True,
            check=False,
        )
        logs = [sidecar.output[-2000:] for sidecar in self.sidecars]
        self.assertEqual(done.returncode, 0, "\n".join([done.stdout, *logs]))
        return done.stdout

    def test_calls(self) -> None:
        """The four kinds of calls, compressed ones, and many at once."""
        self.check("unary", "compressed", "clientStream", "serverStream", "bidi", "early", "many")

    def test_metadata(self) -> None:
        """Metadata in both directions, and a health check."""
        self.check("metadata", "health")

    def test_failures(self) -> None:
        """Statuses with details, with and without messages before."""
        self.check("errors", "lateError", "unknownMethod")

    def test_cancel(self) -> None:
        """A cancelled call, and one whose deadline passes, end at the server too."""
        self.check("cancel", "deadline")

    def test_bigMessage(self) -> None:
        """64 MiB in one message, each way."""
        self.check("big")


class WithoutNgh2Tests(GrpcTests):
    """One sidecar, where ngh2 is not installed."""

    engines = (WITHOUT_NGH2,)


class Ngh2Tests(GrpcTests):
    """One sidecar with ngh2."""

    engines = (NGH2,)

    def test_drain(self) -> None:
        """A call that is going on when the sidecar is told to end goes on to its end."""
        client = subprocess.Popen(
            [sys.executable, PEER, "client", str(self.port), "drain"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.addCleanup(client.wait)
        self.addCleanup(client.kill)
        assert client.stdout is not None
        self.addCleanup(client.stdout.close)
        self.assertEqual(client.stdout.readline(), "ready\n")
        sidecar = self.sidecars[0]
        sidecar.kill(signal.SIGTERM)
        until(lambda: "draining" in sidecar.output, "the drain begins")
        printed, _ = client.communicate("go on\n", PATIENCE)
        self.assertEqual(client.returncode, 0, printed)
        self.assertEqual(sidecar.wait(), 0)


class TwoSidecarsTests(GrpcTests):
    """Two sidecars with different engines, as in a mesh under change."""

    engines = (H2, NGH2)


class LocalReplyTests(SynchronousTestCase):
    """What a sidecar says itself."""

    engine = NGH2

    def setUp(self) -> None:
        if importlib.util.find_spec("grpc") is None:
            raise SkipTest("grpcio is not installed: pip install grpcio")
        self.dead = Hop("dead", freePort())
        self.elsewhere = Hop("elsewhere", freePort(), prefix="/nothing/of/this/name")
        self.sidecar = startSidecar(self.engine, self.dead, self.elsewhere)
        self.addCleanup(self.sidecar.stop)

    def check(self, port: int, name: str) -> str:
        """Let the client make a check."""
        done = subprocess.run(
            [sys.executable, PEER, "client", str(port), name],
            capture_output=True,
            timeout=PATIENCE,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + self.sidecar.output)
        return done.stdout

    def test_upstreamDown(self) -> None:
        """Nobody listens behind: UNAVAILABLE."""
        self.check(self.dead.port, "unavailable")

    def test_noRoute(self) -> None:
        """No route: UNIMPLEMENTED, as gRPC reads 404."""
        self.check(self.elsewhere.port, "unroutable")


class LocalReplyOfH2Tests(LocalReplyTests):
    """The same where ngh2 is not installed."""

    engine = WITHOUT_NGH2
