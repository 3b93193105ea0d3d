"""Pushed responses through one and through two real sidecars."""

from __future__ import annotations

import subprocess
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from tests.system.daemon import Daemon, until
from tests.system.http2client import Http2Client
from tests.system.http2server import PAGE, PUSHED, PushingServer
from tests.system.sidecars import NGH2, WITHOUT_NGH2, Hop, startSidecar
from tests.system.test_http2 import program

#: Seconds a client program may take.
PATIENCE = 30


class PushTests(SynchronousTestCase):
    """Client, near sidecar, far sidecar, a server that pushes; the far one with the engine ngh2."""

    engines = (WITHOUT_NGH2, NGH2)

    def setUp(self) -> None:
        self.server = PushingServer()
        self.addCleanup(self.server.stop)
        near, far = self.engines
        self.far = Hop("far", self.server.port)
        self.old = Hop("old", self.server.port, "Http1", onward="Http2")
        self.near = Hop("near", self.far.port)
        for engine, *hops in ((far, self.far, self.old), (near, self.near)):
            self.addCleanup(self.stopDaemon, startSidecar(engine, *hops))

    def stopDaemon(self, daemon: Daemon) -> None:
        self.assertEqual(daemon.stop(), 0)

    def execute(self, *words: str) -> bytes:
        """Run a client program; return what it printed."""
        done = subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def test_nghttp(self) -> None:
        """Nghttp gets the page and all that belongs to it, pushed, through one sidecar and two."""
        for hop in (self.far, self.near):
            url = f"http://127.0.0.1:{hop.port}/"
            printed = self.execute(program("nghttp"), "-ans", url).decode()
            for path in PUSHED:
                [line] = [each for each in printed.splitlines() if each.endswith(path)]
                self.assertIn(" 200 ", line)
                self.assertIn("*", line)  # pushed
        self.assertEqual(self.server.asked, ["/", "/"])
        self.assertEqual(self.server.resets, [])

    def test_curl(self) -> None:
        """Curl, which has push switched off, gets the page; the server is told to push nothing."""
        curl = [program("curl"), "-sS", "--max-time", "20", "--noproxy", "*"]
        for hop, version in (
            (self.far, "--http2-prior-knowledge"),
            (self.near, "--http2-prior-knowledge"),
            (self.old, "--http1.1"),
        ):
            self.server.promised.clear()
            self.server.resets.clear()
            got = self.execute(*curl, version, f"http://127.0.0.1:{hop.port}/")
            self.assertEqual(got, PAGE)
            logo = {number for number, path in self.server.promised if path == "/logo.png"}
            self.assertEqual(len(logo), 1)
            until(partial(self.resetAll, logo), "what cannot leave at once is reset")

    def resetAll(self, numbers: set[int]) -> bool:
        return numbers <= {number for number, _ in self.server.resets}

    def test_priorityUpdate(self) -> None:
        """Another priority for a request under way passes both sidecars."""
        client = Http2Client(self.near.port)
        self.addCleanup(client.close)
        number = client.request("GET", "/silent")
        until(lambda: "/silent" in self.server.asked, "the request arrives")
        client.prioritise(number, b"u=1, i")
        until(lambda: bool(self.server.priorities), "the priority arrives")
        self.assertEqual([value for _, value in self.server.priorities], [b"u=1, i"])
        client.reset(number)


class PushTheOtherWayTests(PushTests):
    """The same with ngh2 in the near sidecar."""

    engines = (NGH2, WITHOUT_NGH2)
