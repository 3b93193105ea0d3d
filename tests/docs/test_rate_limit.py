"""The configuration of the how-to on rate limits."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "rate-limit.yaml"


class RateLimitTests(SynchronousTestCase):
    """Two rates in one file."""

    def test_rates(self) -> None:
        """It loads without a warning; logins are refused after two, others after forty."""
        mesh = MemoryMesh(SAMPLE.read_text("utf-8"), catalog=standardCatalog())
        self.assertEqual([str(problem) for problem in mesh.sidecar.loaded.problems], [])
        for path, allowed in ((b"/login", 2), (b"/", 40)):
            clients = [mesh.client("ingress") for _ in range(allowed + 1)]
            for client in clients:
                client.send(b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % path)
            answers = [client.take() for client in clients]
            self.assertEqual(answers[:-1], [b""] * allowed)
            self.assertTrue(answers[-1].startswith(b"HTTP/1.1 429 "))
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
