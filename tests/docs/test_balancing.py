"""The configuration and the balancer of the page on load balancing."""

from __future__ import annotations

import importlib
import sys
import unittest
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.schema import Host
from mosntx.service.catalog import standardCatalog
from mosntx.testing.mesh import MemoryMesh
from mosntx.upstream.hosts import FAILED_OUTLIER

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
EAST = {("192.0.2.1", 80), ("192.0.2.2", 80)}


def get(path: str, user: str = "u") -> bytes:
    """A request."""
    return f"GET {path} HTTP/1.1\r\nHost: shop\r\nx-user: {user}\r\n\r\n".encode()


class BalancingTests(SynchronousTestCase):
    """The example."""

    def setUp(self) -> None:
        """Start it."""
        text = (EXAMPLES / "balancing.yaml").read_text("utf-8")
        self.mesh = MemoryMesh(text, catalog=standardCatalog())

    def answered(self, path: str, user: str = "u") -> tuple[str, int]:
        """Ask, let the host that is chosen answer, and say which it was."""
        client = self.mesh.client("in")
        client.send(get(path, user))
        (place,) = self.mesh.dialled
        host = self.mesh.upstream()
        host.take()
        host.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        self.assertIn(b" 200 ", client.take())
        return place

    def flag(self, *addresses: str) -> None:
        """Let hosts be unhealthy."""
        for address in addresses:
            self.mesh.sidecar.clusters.addresses.setFlag(address, FAILED_OUTLIER)

    def test_loads(self) -> None:
        """It loads without a warning."""
        self.assertEqual([str(problem) for problem in self.mesh.sidecar.loaded.problems], [])

    def test_zone(self) -> None:
        """Requests stay in the zone, leave it when it fails, and are refused in panic."""
        self.assertLessEqual({self.answered("/") for _ in range(10)}, EAST)
        self.flag("192.0.2.1:80", "192.0.2.2:80")
        self.assertEqual(self.answered("/"), ("192.0.2.11", 80))
        self.assertEqual(self.mesh.value("lb_other_zone", cluster="pages"), 1)
        self.assertEqual(self.mesh.value("membership_healthy", cluster="pages"), 2)
        self.flag("192.0.2.11:80")
        client = self.mesh.client("in")
        client.send(get("/"))
        self.assertIn(b" 502 ", client.take())
        self.assertEqual(self.mesh.dialled, [])
        self.assertEqual(self.mesh.value("lb_panic", cluster="pages"), 1)

    def test_user(self) -> None:
        """A user stays at one host, also while the table of other hosts is made."""
        places = {user: self.answered("/cart", user) for user in "abcdefgh"}
        self.assertGreater(len(set(places.values())), 1)
        self.assertEqual({user: self.answered("/cart", user) for user in places}, places)
        kept = [Host(address=f"192.0.2.3{number}:80") for number in (1, 2, 3)]
        self.mesh.sidecar.clusters.updateHosts("carts", [*kept, Host(address="192.0.2.34:80")])
        self.assertEqual({user: self.answered("/cart", user) for user in places}, places)
        self.mesh.advance(0.0)  # the job is done, step by step
        users = [str(number) for number in range(40)]
        self.assertIn(("192.0.2.34", 80), {self.answered("/cart", user) for user in users})

    def test_own(self) -> None:
        """The balancer of the page keeps the contract, and can be configured."""
        sys.path.insert(0, str(EXAMPLES))
        self.addCleanup(sys.path.remove, str(EXAMPLES))
        tests = importlib.import_module("test_first_healthy").FirstHealthyTests
        result = unittest.TestResult()
        unittest.TestLoader().loadTestsFromTestCase(tests).run(result)
        self.assertEqual((result.errors, result.failures), ([], []))
        self.assertGreater(result.testsRun, 10)
        factory: Any = importlib.import_module("first_healthy").FirstHealthyFactory()
        text = (EXAMPLES / "balancing.yaml").read_text("utf-8").replace("LB_MAGLEV", factory.name)
        self.mesh = MemoryMesh(text, catalog=standardCatalog().extended(balancers=[factory]))
        self.assertEqual(self.answered("/cart"), ("192.0.2.31", 80))
