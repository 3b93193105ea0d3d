"""The sample of the reference of discovery."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.hostsfile import readHosts
from mosntx.service.cli import findProblems
from mosntx.testing.mesh import MemoryMesh
from mosntx.testing.names import MemoryResolver

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
SAMPLE = EXAMPLES / "discovery.yaml"
HOSTS = EXAMPLES / "hosts.yaml"


class SampleTests(SynchronousTestCase):
    """`docs/examples/discovery.yaml` and `hosts.yaml`."""

    def test_loads(self) -> None:
        """The samples have no problem, not even a warning."""
        problems, readable = findProblems(str(SAMPLE), strict=True, ports=False)
        self.assertTrue(readable)
        self.assertEqual([str(problem) for problem in problems], [])
        self.assertEqual(readHosts(str(HOSTS))[1], ())

    def test_hosts(self) -> None:
        """Each kind of cluster finds its hosts."""
        resolver = MemoryResolver()
        resolver.set("web.example.test", "192.0.2.1", "2001:db8::1")
        resolver.setServices("_grpc._tcp.orders.example.test", (0, 5, 5000, "o.example.test"))
        resolver.set("o.example.test", "192.0.2.2")
        resolver.set("storage.example.test", "192.0.2.3")
        text = SAMPLE.read_text("utf-8").replace("docs/examples/hosts.yaml", str(HOSTS))
        mesh = MemoryMesh(text, nameservers=resolver.nameservers)
        found = {
            cluster["name"]: [host["address"] for host in cluster["hosts"]]
            for cluster in mesh.sidecar.clusterUpdates.list()
        }
        self.assertEqual(
            found,
            {
                "web": ["192.0.2.1:8080", "[2001:db8::1]:8080"],
                "services": ["192.0.2.2:5000"],
                "store": ["storage.example.test:9000"],
                "local": ["127.0.0.1:8081", "127.0.0.1:8082"],
            },
        )
        mesh.sidecar.stopService()
        mesh.advance(2)
        self.assertEqual(mesh.timers, 0)
