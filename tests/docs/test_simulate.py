"""The example of the how-to on simulations."""

from __future__ import annotations

import runpy
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "simulate_crash.py"


class SimulateTests(SynchronousTestCase):
    """One of three hosts dies and comes back."""

    def test_crash(self) -> None:
        """No client notices; the host has nothing to do meanwhile, and its share afterwards."""
        simulation = runpy.run_path(str(EXAMPLE))["crash"]()
        self.assertEqual(set(simulation.outcomes), {200})
        dead = simulation.hosts["10.0.0.1:80"]
        self.assertEqual(dead.between(10.1, 30), 0)
        self.assertGreater(dead.between(50, 60), 50)
