"""Tests of `tools.run_installed`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

SCRIPT = Path(__file__).parents[2] / "tools" / "run_installed.py"


class RunInstalledTests(SynchronousTestCase):
    """The copy of the checkout that tests run in."""

    def run_(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script and return how it ended."""
        command = [sys.executable, str(SCRIPT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def test_tree(self) -> None:
        """Tests and settings are there, the package is not, and nothing old stays."""
        tree = Path(self.mktemp())
        tree.mkdir(parents=True)
        (tree / "old.txt").touch()
        show = "import os; print(sorted(set(os.listdir()) & {'tests', 'mosntx', 'old.txt'}))"
        ended = self.run_(str(tree), "python", "-c", show)
        self.assertEqual((ended.stdout, ended.returncode), ("['tests']\n", 0))

    def test_exitCode(self) -> None:
        """The command's exit code is the script's."""
        self.assertEqual(
            self.run_(self.mktemp(), "python", "-c", "raise SystemExit(7)").returncode, 7
        )

    def test_usage(self) -> None:
        """Without a command the script says how to use it."""
        ended = self.run_(self.mktemp())
        self.assertEqual(ended.returncode, 2)
        self.assertIn("usage:", ended.stderr)
