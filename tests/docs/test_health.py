"""The configuration of the how-to on health."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.catalog import standardCatalog
from mosntx.testing.frames import boltHeartbeat, boltHeartbeatAck
from mosntx.testing.mesh import MemoryMesh

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "health.yaml"


class HealthTests(SynchronousTestCase):
    """The three legs in one file."""

    def test_legs(self) -> None:
        """It loads without a warning; a client is told when the far hosts are gone, and after."""
        text = SAMPLE.read_text("utf-8").replace("far_health.log", self.mktemp())
        mesh = MemoryMesh(text, catalog=standardCatalog())
        self.assertEqual([str(problem) for problem in mesh.sidecar.loaded.problems], [])
        near, far = mesh.client("egress"), mesh.client("ingress")
        near.send(boltHeartbeat(1))
        self.assertEqual(near.take(), boltHeartbeatAck(1))
        for _ in range(2):
            mesh.advance(6.5)
            while mesh.dialled:
                mesh.refuse()
        near.send(boltHeartbeat(2))
        self.assertEqual(near.take(), boltHeartbeatAck(2, 1))
        far.send(boltHeartbeat(3))
        application = mesh.upstream()
        number = int.from_bytes(application.take()[5:9], "big")
        application.send(boltHeartbeatAck(number))
        self.assertEqual(far.take(), boltHeartbeatAck(3))
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(mesh.timers, 0)
