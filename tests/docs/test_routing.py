"""The example of the reference of routing."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from mosntx.config.expressions.compiler import ATTRIBUTES
from mosntx.config.expressions.functions import FUNCTIONS
from mosntx.service.cli import findProblems
from mosntx.testing.mesh import MemoryMesh

DOCS = Path(__file__).parents[2] / "docs"
SAMPLE = DOCS / "examples" / "routing.yaml"


class SampleTests(SynchronousTestCase):
    """`docs/examples/routing.yaml`."""

    def test_loads(self) -> None:
        """It has no problem, not even a warning."""
        problems, readable = findProblems(str(SAMPLE), strict=True, ports=False)
        self.assertTrue(readable)
        self.assertEqual([str(problem) for problem in problems], [])

    def test_routes(self) -> None:
        """Requests go where the example says."""
        mesh = MemoryMesh(SAMPLE.read_text("utf-8"))
        client = mesh.client("front")
        for target, status in (
            (b"/health", b"200"),
            (b"/old/x?q", b"308"),
            (b"/admin/x", b"403"),
            (b"/a%2fb", b"400"),
        ):
            client.send(b"GET %b HTTP/1.1\r\nHost: shop.example.com:81\r\n\r\n" % target)
            self.assertTrue(client.take().startswith(b"HTTP/1.1 " + status), target)
        self.assertEqual(mesh.dialled, [])
        beta = b"Host: shop.example.com\r\nX-Beta: 1\r\n"
        client.send(b"GET /API/things?version=2.1 HTTP/1.1\r\n" + beta + b"\r\n")
        self.assertEqual(mesh.dialled, [("127.0.0.1", 9002)])
        self.assertTrue(mesh.upstream().take().startswith(b"GET /things?version=2.1 HTTP/1.1\r\n"))
        mesh.hangUp()
        mesh.sidecar.stopService()
        mesh.advance(60.0)

    def test_complete(self) -> None:
        """The page names every attribute and function of expressions."""
        page = (DOCS / "reference" / "routing.rst").read_text("utf-8")
        for name in (*ATTRIBUTES, *FUNCTIONS):
            self.assertIn(f"``{name}", page)
