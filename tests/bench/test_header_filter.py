"""Tests of the filter that adds a header."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench import header_filter
from bench.hotpath.scenes import REQUEST, Http1Filtered
from mosntx.testing.mesh import Peer


class HeaderFilterTests(SynchronousTestCase):
    """What it does, and how a daemon gets it."""

    def test_adds(self) -> None:
        """The host sees the request with one header more."""
        scene = Http1Filtered()
        self.addCleanup(scene.stop)
        scene.ask(Peer.send)
        line, _, fields = scene.host.take().partition(b"\r\n")
        self.assertEqual(line, REQUEST.partition(b"\r\n")[0])
        self.assertEqual(fields.count(b"%b: %b\r\n" % header_filter.HEADER), 1)

    def test_installed(self) -> None:
        """Another process finds it by its entry point, as any extension."""
        folder = Path(self.mktemp())
        folder.mkdir()
        header_filter.install(folder)
        told = "from mosntx.service.plugins import installedCatalog as c; print(*c().streamFilters)"
        path = os.pathsep.join([str(folder.resolve()), str(Path(__file__).parents[2])])
        done = subprocess.run(
            [sys.executable, "-c", told],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.assertIn(header_filter.NAME, done.stdout.split())
