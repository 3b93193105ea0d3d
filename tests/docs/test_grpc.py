"""The sample of the how-to for gRPC."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.cli import findProblems

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "grpc.yaml"


class SampleTests(SynchronousTestCase):
    """`docs/examples/grpc.yaml`."""

    def test_loads(self) -> None:
        """It has no problem, not even a warning."""
        problems, readable = findProblems(str(SAMPLE), strict=True, ports=False)
        self.assertTrue(readable)
        self.assertEqual([str(problem) for problem in problems], [])
