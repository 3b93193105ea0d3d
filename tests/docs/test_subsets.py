"""The configuration of the reference page on subsets."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh
from mosntx.upstream.hosts import FAILED_ACTIVE_CHECK

SAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subsets.yaml"
OLD_EAST, OLD_WEST, NEW = 8081, 8082, 8083


class SubsetTests(SynchronousTestCase):
    """Testers, shares, and a fallback in one file."""

    def setUp(self) -> None:
        self.mesh = MemoryMesh(SAMPLE.read_text("utf-8"), catalog=standardCatalog())
        self.addCleanup(self.mesh.hangUp)

    def dialled(self, field: bytes, times: int) -> Counter[int]:
        """Return which ports so many requests lead to."""
        found: Counter[int] = Counter()
        for _ in range(times):
            client = self.mesh.client("ingress")
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%b\r\n" % field)
            ((_, port),) = self.mesh.dialled
            upstream = self.mesh.upstream()
            upstream.send(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            self.assertTrue(client.take().startswith(b"HTTP/1.1 204 "))
            found[port] += 1
        return found

    def test_loads(self) -> None:
        """There is no warning, and the cluster has the subsets that the comments name."""
        self.assertEqual([str(problem) for problem in self.mesh.sidecar.loaded.problems], [])
        cluster = self.mesh.sidecar.clusters.get("shop")
        assert cluster is not None
        self.assertEqual(cluster.stats.lb_subsets_created, 5)

    def test_testers(self) -> None:
        """Testers get the new version, always."""
        self.assertEqual(self.dialled(b"X-User: test-ann\r\n", 5), {NEW: 5})

    def test_shares(self) -> None:
        """Of the others about 5 in 100 do, and the rest stays in the east."""
        found = self.dialled(b"", 1000)
        self.assertEqual(set(found), {OLD_EAST, NEW})
        self.assertLess(abs(found[NEW] - 50), 35)

    def test_fallback(self) -> None:
        """Without a healthy host of the new version testers get the old one, in any zone."""
        self.mesh.sidecar.clusters.addresses.setFlag(f"127.0.0.1:{NEW}", FAILED_ACTIVE_CHECK)
        found = self.dialled(b"X-User: test-ann\r\n", 6)
        self.assertEqual(found, {OLD_EAST: 3, OLD_WEST: 3})
