"""Tests of the command."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.hotpath.cli import main, paint, parse
from bench.hotpath.scenes import SCENES


class CommandTests(SynchronousTestCase):
    """``python -m bench.hotpath``."""

    def test_counts(self) -> None:
        """One line for each scene, and success as long as nothing has risen."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(main(["http1", "bolt"]), 0)
        lines = out.getvalue().splitlines()
        self.assertEqual([line.split()[0] for line in lines], ["scene", "http1", "bolt"])

    def test_unknown(self) -> None:
        """A name that is no scene's is refused with those that are."""
        err = io.StringIO()
        with contextlib.redirect_stderr(err):
            self.assertRaises(SystemExit, parse, ["http9"])
        self.assertIn("there is http1,", err.getvalue())

    def test_flame(self) -> None:
        """A picture and its text, of the Sidecar's own functions."""
        folder = Path(self.mktemp())
        scene = SCENES["http1"]()
        self.addCleanup(scene.stop)
        paint("http1", scene, folder, 0.3)
        self.assertIn("http1: one request", (folder / "http1.svg").read_text("utf-8"))
        # Perhaps not the first one: a sample may meet a tracer, or a callback.
        self.assertIn("\nnet.octets.", "\n" + (folder / "http1.txt").read_text("utf-8"))
