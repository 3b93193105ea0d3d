"""The configurations and the code of the how-to on health."""

from __future__ import annotations

import runpy
from pathlib import Path

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.catalog import standardCatalog
from mosntx.testing.frames import boltHeartbeat, boltHeartbeatAck
from mosntx.testing.h2frames import fieldBlock, headers, rstStream, settings
from mosntx.testing.mesh import MemoryMesh

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SAMPLE = EXAMPLES / "health.yaml"


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


class ChecksTests(SynchronousTestCase):
    """HTTP/2 and gRPC in one file, and the callback."""

    def test_checks(self) -> None:
        """Each host gets its question; the callback hears that a gRPC server refuses it."""
        example = runpy.run_path(str(EXAMPLES / "health_callback.py"))
        mesh = MemoryMesh(
            (EXAMPLES / "health-checks.yaml").read_text("utf-8"),
            catalog=standardCatalog(),
            healthCallbacks={"on-call": example["onCall"]},
        )
        self.assertEqual([str(problem) for problem in mesh.sidecar.loaded.problems], [])
        mesh.advance(1.1)
        # in any order: all of them are due at the same time
        peers = {place: mesh.upstream() for place in list(mesh.dialled)}
        grpc = ("192.0.2.3", 50051)
        self.assertEqual(set(peers), {("192.0.2.1", 8081), ("192.0.2.2", 8081), grpc})
        self.assertTrue(peers[grpc].take().endswith(b"\0\0\0\0\x0b\x0a\x09shop.Cart"))
        with capturedLogs() as events:
            for place, peer in peers.items():
                well = headers(1, fieldBlock([(b":status", b"200")]), end=True)
                peer.send(settings() + (rstStream(1) if place == grpc else well))
        told = [event["host"] for event in events if event["log_level"] == LogLevel.critical]
        self.assertEqual(told, ["192.0.2.3:50051"])
        self.assertEqual(mesh.value("healthy", service="shop"), 2)
        self.assertEqual(mesh.value("healthy", service="cart"), 0)
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(mesh.timers, 0)

    def test_makeSidecar(self) -> None:
        """The function of the example makes a sidecar that can be started."""
        example = runpy.run_path(str(EXAMPLES / "health_callback.py"))
        sidecar = example["makeSidecar"](str(EXAMPLES / "health-checks.yaml"))
        self.assertEqual(list(sidecar.clusters.names()), ["cart", "shop"])
        sidecar.stopService()


class FaultToleranceTests(SynchronousTestCase):
    """The file with the filter."""

    def test_ejected(self) -> None:
        """Of four hosts one fails: after ten seconds it is asked no more, for a minute."""
        text = (EXAMPLES / "fault-tolerance.yaml").read_text("utf-8")
        mesh = MemoryMesh(text, catalog=standardCatalog())
        self.assertEqual([str(problem) for problem in mesh.sidecar.loaded.problems], [])
        client = mesh.client("ingress")
        peers = []
        for _ in range(40):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            while mesh.dialled:
                peers.append((mesh.dialled[0][0], mesh.upstream()))
            for address, peer in peers:
                if peer.take():
                    status = b"500 No" if address == "192.0.2.4" else b"200 OK"
                    peer.send(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
            client.take()
        for seconds, out in ((9.9, 0), (0.2, 1), (59.8, 1), (0.3, 0)):
            mesh.advance(seconds)
            self.assertEqual(mesh.value("outlier_ejections_active", cluster="application"), out)
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(2.0)
        self.assertEqual(mesh.timers, 0)
