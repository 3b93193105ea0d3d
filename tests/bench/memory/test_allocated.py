"""Tests of `bench.memory.allocated`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.memory.allocated import VALUE, VARIABLE, allocated, isCounted

#: Strings of 1000 octets; 33 octets and a list's pointer come on top, and what malloc adds.
CODE = """
from bench.memory.allocated import isCounted, perThing
assert isCounted()
print(perThing(lambda n: [bytes(1000) for _ in range(n)], 100, 1100))
"""


class AllocatedTests(SynchronousTestCase):
    """Counting octets."""

    def test_perThing(self) -> None:
        """One more string costs its octets and little more."""
        root = str(Path(__file__).parents[3])
        environment = {**os.environ, VARIABLE: VALUE, "PYTHONPATH": root}
        output = subprocess.run(
            [sys.executable, "-c", CODE], env=environment, capture_output=True, check=True
        ).stdout
        self.assertTrue(1041 <= float(output) <= 1080, output)

    def test_large(self) -> None:
        """What is taken is seen, and that it was given back."""
        before = allocated()
        held = bytes(64 << 20)
        self.assertGreater(allocated() - before, 60 << 20)
        del held
        self.assertLess(allocated() - before, 32 << 20)

    def test_isCounted(self) -> None:
        """It is known whether Python's own objects are in the figures."""
        self.assertEqual(isCounted(), os.environ.get("PYTHONMALLOC") == "malloc")
