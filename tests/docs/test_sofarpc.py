"""The samples for SOFARPC: two sidecars, frame by frame."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import boltHeartbeat, boltHeartbeatAck, boltRequest, boltResponse
from mosntx.testing.mesh import MemoryMesh, Peer

CONF = Path(__file__).parents[2] / "conf"


class SampleTests(SynchronousTestCase):
    """`conf/sofarpc-client.yaml` in front of `conf/sofarpc-server.yaml`."""

    def setUp(self) -> None:
        self.near, self.far = (
            MemoryMesh((CONF / f"sofarpc-{name}.yaml").read_text("utf-8"))
            for name in ("client", "server")
        )
        for mesh in (self.near, self.far):
            self.assertEqual([str(problem) for problem in mesh.sidecar.loaded.problems], [])
            self.addCleanup(mesh.hangUp)
        self.client = self.near.client("egress")

    def ask(self, octets: bytes) -> tuple[Peer, Peer, bytes]:
        """Send a request; return both ends of the way between, and what came out of the near."""
        self.client.send(octets)
        self.assertEqual(self.near.dialled, [("127.0.0.1", 12201)])
        between = self.near.upstream()
        return between, self.far.client("ingress"), between.take()

    def number(self, octets: bytes) -> int:
        """Return the id of a frame of version 1."""
        return int.from_bytes(octets[5:9], "big")

    def test_call(self) -> None:
        """A call goes through both to the application, and its answer comes back."""
        question = boltRequest(77, b"question", [(b"service", b"com.example.Any:1.0")])
        between, ingress, octets = self.ask(question)
        ingress.send(octets)
        self.assertEqual(self.far.dialled, [("127.0.0.1", 12200)])
        application = self.far.upstream()
        asked = application.take()
        self.assertEqual(asked[9:], question[9:])
        application.send(boltResponse(self.number(asked), b"answer"))
        between.send(ingress.take())
        self.assertEqual(self.client.take(), boltResponse(77, b"answer"))

    def test_withoutService(self) -> None:
        """A call that names no service has no route: status 6."""
        self.client.send(boltRequest(78, b"question"))
        answer = self.client.take()
        self.assertEqual((self.number(answer), answer[10:12]), (78, b"\0\6"))

    def test_heartbeat(self) -> None:
        """The application's heartbeat is answered by the near sidecar; nothing is dialled."""
        self.client.send(boltHeartbeat(5))
        self.assertEqual(self.client.take(), boltHeartbeatAck(5))
        self.assertEqual(self.near.dialled, [])

    def test_checked(self) -> None:
        """The near sidecar asks the far one, and that the application, once for both."""
        self.near.advance(2.0)
        checker = self.near.upstream()
        first, second = (self.far.client("ingress") for _ in range(2))
        octets = checker.take()
        for each in (first, second):
            each.send(octets)
        application = self.far.upstream()
        asked = application.take()
        self.assertEqual(self.far.dialled, [])
        application.send(boltHeartbeatAck(self.number(asked)))
        number = self.number(octets)
        self.assertEqual((first.take(), second.take()), (boltHeartbeatAck(number),) * 2)

    def test_versions(self) -> None:
        """Frames of version 2 share the port."""
        client = self.near.client("egress")
        client.send(boltHeartbeat(9, version=2))
        self.assertEqual(client.take(), boltHeartbeatAck(9, version=2))
