"""The example of the how-to on protocols."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
#: Lines of the example: it has to be read at one go.
MOST = 150


class ProtocolTests(SynchronousTestCase):
    """A protocol of one file."""

    def setUp(self) -> None:
        sys.path.insert(0, str(EXAMPLES))
        self.addCleanup(sys.path.remove, str(EXAMPLES))

    def test_example(self) -> None:
        """Its own tests pass: the contract suite, and calls through a sidecar."""
        module = importlib.import_module("test_echo_protocol")
        result = unittest.TestResult()
        loader = unittest.TestLoader()
        for case in (module.SuiteTests, module.MeshTests):
            loader.loadTestsFromTestCase(case).run(result)
        self.assertEqual((result.errors, result.failures), ([], []))
        self.assertGreater(result.testsRun, 13)

    def test_short(self) -> None:
        """The example stays short."""
        lines = (EXAMPLES / "echo_protocol.py").read_text().splitlines()
        self.assertLessEqual(sum(bool(line.strip()) for line in lines), MOST)
