"""The two sidecars of ``conf/mesh-*.yaml``: HTTP/1.1 and Bolt outside, HTTP/2 between them."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.testing.frames import boltRequest, boltResponse
from mosntx.testing.mesh import MemoryMesh, Peer
from mosntx.testing.trframes import trRequest, trResponse
from tests.proxy.convert.build import SERVICE, renumbered

CONF = Path(__file__).parents[2] / "conf"
REQUEST = b"POST /a?b=c HTTP/1.1\r\nHost: shop\r\nX-Mixed: Case\r\nContent-Length: 5\r\n\r\nhello"


class MeshTests(SynchronousTestCase):
    """`conf/mesh-client.yaml` in front of `conf/mesh-server.yaml`."""

    def setUp(self) -> None:
        self.near = self.mesh("mesh-client.yaml")
        self.far = self.mesh("mesh-server.yaml")
        self.out: Peer | None = None

    def mesh(self, name: str) -> MemoryMesh:
        mesh = MemoryMesh((CONF / name).read_text("utf-8"))
        self.addCleanup(self.stop, mesh)
        return mesh

    def stop(self, mesh: MemoryMesh) -> None:
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(3)

    def carry(self) -> None:
        """Carry octets between the sidecars until neither has more to say."""
        if self.out is None:
            self.out = self.near.upstream()
            self.into = self.far.client("ingress")
        for _ in range(100):
            near, far = self.out.take(), self.into.take()
            if not near and not far:
                return
            if near:
                self.into.send(near)
            if far:
                self.out.send(far)
            self.near.advance(0)
            self.far.advance(0)
        self.fail("the sidecars do not stop talking")

    def test_http(self) -> None:
        """A request of HTTP/1.1 arrives as one, and so does its answer, with trailers."""
        client = self.near.client("http_egress")
        client.send(REQUEST)
        self.carry()
        self.assertEqual(self.far.dialled, [("127.0.0.1", 2047)])
        application = self.far.upstream()
        got = application.take()
        self.assertTrue(got.startswith(b"POST /a?b=c HTTP/1.1\r\n"), got)
        self.assertTrue(got.endswith(b"\r\n\r\nhello"), got)
        for field in (b"host: shop\r\n", b"x-mixed: case\r\n", b"content-length: 5\r\n"):
            self.assertIn(field, got.lower())
        application.send(
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n"
            b"3\r\nyes\r\n0\r\nx-sum: 1\r\n\r\n"
        )
        self.carry()
        answer = client.take()
        self.assertTrue(answer.startswith(b"HTTP/1.1 201 "), answer)
        self.assertTrue(answer.endswith(b"3\r\nyes\r\n0\r\nx-sum: 1\r\n\r\n"), answer)

    def test_bolt(self) -> None:
        """The application gets the frame that was sent, and the client the one that came back."""
        headers = [SERVICE, (b"Key", b"\0\r\n"), (b"host", b"h"), (b"te", b"x"), (b"a", b" b ")]
        frame = boltRequest(7, bytes(100_000), headers, codec=11, timeout=5000)
        client = self.near.client("rpc_egress")
        client.send(frame)
        self.carry()
        self.assertEqual(self.far.dialled, [("127.0.0.1", 12200)])
        application = self.far.upstream()
        self.assertEqual(application.take(), renumbered(frame, 1))
        answer = boltResponse(1, b"answer", [(b"Key", b"\r\n"), (b"Key", b"x")], status=2, codec=11)
        application.send(answer)
        self.carry()
        self.assertEqual(client.take(), renumbered(answer, 7))

    def test_tr(self) -> None:
        """The same with TR: nothing but the id is another one."""
        frame = trRequest(5, b"\x05hello")
        client = self.near.client("rpc_egress")
        client.send(frame)
        self.carry()
        application = self.far.upstream()
        self.assertEqual(application.take(), trRequest(1, b"\x05hello"))
        application.send(trResponse(1))
        self.carry()
        self.assertEqual(client.take(), trResponse(5))

    def test_oneConnection(self) -> None:
        """Calls of many clients share it, and each gets its own answer."""
        clients = [self.near.client("rpc_egress") for _ in range(20)]
        for number, client in enumerate(clients):
            client.send(boltRequest(7, b"%d" % number, [SERVICE]))
        self.carry()
        self.assertEqual(self.near.dialled, [])  # besides the one that is taken
        application = self.far.upstream()
        application.take()
        for number in reversed(range(20)):
            application.send(boltResponse(number + 1, b"answer %d" % number))
        self.carry()
        for number, client in enumerate(clients):
            self.assertTrue(client.take().endswith(b"answer %d" % number))

    def test_oneway(self) -> None:
        """A one-way call arrives, and nothing comes back."""
        frame = boltRequest(7, b"q", [SERVICE], oneway=True)
        client = self.near.client("rpc_egress")
        client.send(frame)
        self.carry()
        self.assertEqual(self.far.upstream().take(), renumbered(frame, 1))
        self.assertEqual(client.take(), b"")

    def test_broken(self) -> None:
        """A call that HTTP cannot say fails alone, and its connection goes on."""
        client = self.near.client("rpc_egress")
        client.send(boltRequest(7, b"q", [SERVICE]))
        self.carry()
        broken = bytearray(boltRequest(8, b"q", [SERVICE, (b"k", b"v")]))
        place = broken.index(b"\0\0\0\x01v")
        broken[place : place + 4] = b"\x7f\0\0\0"
        client.send(bytes(broken))
        self.carry()
        self.assertEqual(client.take()[5:9], (8).to_bytes(4, "big"))
        self.far.upstream().send(boltResponse(1, b"yes"))
        self.carry()
        self.assertTrue(client.take().endswith(b"yes"))
