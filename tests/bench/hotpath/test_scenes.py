"""Tests of what is exchanged."""

from __future__ import annotations

from importlib.util import find_spec

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.hotpath.scenes import BODY, SCENES, Http1, Scene, SceneError
from mosntx.testing.mesh import Peer


def sceneOf(name: str) -> Scene:
    """Return a scene, if what it needs is installed."""
    if find_spec("ngh2") is None and ("ngh2" in name or name == "two-hops"):
        raise SkipTest("the extra fast is not installed")
    return SCENES[name]()


class SceneTests(SynchronousTestCase):
    """Every scene hands on what it is given."""

    def test_all(self) -> None:
        """Many exchanges in a row, and nothing is left of them at the end."""
        for name in SCENES:
            scene = sceneOf(name)
            for _ in range(3):
                scene.exchange()
            scene.stop()
            self.assertEqual([mesh.timers for mesh in scene._meshes], [0] * len(scene._meshes))

    def test_refused(self) -> None:
        """A Sidecar that answers by itself is not measured."""

        class Refused(Http1):
            def requests(self) -> bytes:
                return b"no request\r\n\r\n"

        scene = Refused()
        self.addCleanup(scene.stop)
        self.assertRaises(SceneError, scene.exchange)

    def test_counted(self) -> None:
        """Whoever measures is given all octets: one read of the client, one of the host."""
        reads: list[bytes] = []

        def send(peer: Peer, data: bytes) -> None:
            reads.append(data)
            peer.send(data)

        scene = SCENES["bolt-16"]()
        self.addCleanup(scene.stop)
        scene.exchange(send)
        self.assertEqual([read.count(BODY) for read in reads], [0, 16])
